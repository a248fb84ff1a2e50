"""Which spans are saved, in samples of the stream: laws over any events, reported in any order of time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.clips.clip_plan import ClipLengths, ClipPlan
from detector.records import Event, Label, Span

DOG, CAT = (Label(name=name, class_id=f"/{name}", model="fake") for name in ("Dog", "Cat"))
FEW = settings(max_examples=40)
"""Each example is a stream of several sounds."""

LENGTHS = ClipLengths(preroll=30, postroll=30, longest=600)


def make_event(id, onset, offset=None, label=DOG, phase=None):
    return Event(
        phase=phase or ("start" if offset is None else "end"),
        id=id,
        label=label,
        onset=onset,
        offset=offset,
        decided=onset,
        score=0.9,
        top_score=0.9,
        level_dbfs=-20.0,
    )


def plan_of(*events, stop=10_000, wants=lambda event: True, lengths=LENGTHS):
    plan = ClipPlan(lengths, wants=wants)
    for event in events:
        plan.note(event)
    return [(clip.span, [sound.id for sound in clip.sounds]) for clip in plan.due(stop)]


def test_a_clip_reaches_from_the_preroll_to_the_postroll():
    assert plan_of(make_event(1, 100, 150)) == [(Span(70, 180), [1])]


def test_sounds_that_overlap_share_a_clip_and_others_do_not():
    assert plan_of(make_event(1, 100, 150), make_event(2, 200, 220), make_event(3, 300, 310)) == [
        (Span(70, 250), [1, 2]),
        (Span(270, 340), [3]),
    ]


def test_a_clip_is_due_with_the_last_sample_of_its_postroll():
    assert plan_of(make_event(1, 100, 150), stop=179) == []
    assert len(plan_of(make_event(1, 100, 150), stop=180)) == 1


def test_a_sound_that_goes_on_is_waited_for_and_cut_at_the_longest():
    assert plan_of(make_event(1, 100), stop=669) == []
    assert plan_of(make_event(1, 100), stop=670) == [(Span(70, 670), [1])]


def test_what_goes_on_behind_the_end_of_its_clip_gets_no_second_one():
    plan = ClipPlan(LENGTHS, wants=lambda event: True)
    plan.note(make_event(1, 100))
    assert len(plan.due(670)) == 1
    plan.note(make_event(1, 100, phase="update"))
    plan.note(make_event(1, 100, 5000))
    assert plan.due(9000) == []
    assert plan.ids == set()


def test_a_sound_late_in_a_long_one_begins_a_clip_of_its_own_where_the_first_is_cut():
    assert plan_of(make_event(1, 100), make_event(2, 660, 700)) == [
        (Span(70, 630), [1]),
        (Span(630, 730), [2]),
    ]


def test_a_label_that_is_corrected_decides_by_its_last_state():
    wants = {"Dog": True, "Cat": False}
    assert plan_of(make_event(1, 100, 150, CAT), wants=lambda e: wants[e.label.name]) == []
    plan = ClipPlan(LENGTHS, wants=lambda e: wants[e.label.name])
    plan.note(make_event(1, 100, label=CAT))
    assert plan.due(140) == []
    plan.note(make_event(1, 100, 150))
    assert [clip.span for clip in plan.due(180)] == [Span(70, 180)]


def test_a_sound_that_wants_no_clip_does_not_lengthen_that_of_another():
    events = [make_event(1, 100, 150), make_event(2, 120, 900, CAT)]
    assert plan_of(*events, wants=lambda e: e.label is DOG) == [(Span(70, 180), [1])]


def test_the_end_of_the_sound_cuts_what_is_open():
    plan = ClipPlan(LENGTHS, wants=lambda event: True)
    plan.note(make_event(1, 100))
    assert [clip.span for clip in plan.flush(160)] == [Span(70, 160)]
    assert plan.flush(200) == []


@st.composite
def histories(draw):
    """Sounds, and the moment at which each message about one is decided: (sample, event), in that order."""
    messages = []
    for id in range(1, draw(st.integers(1, 8)) + 1):
        onset = draw(st.integers(0, 3000))
        length = draw(st.integers(1, 1500))
        late = draw(st.integers(0, 40))
        start = make_event(id, onset)
        messages.append((onset + late, start))
        messages.append((onset + late + length, replace(start, phase="end", offset=onset + length)))
    return sorted(messages, key=lambda message: (message[0], message[1].id, message[1].phase == "end"))


def played(history, step, lengths=LENGTHS):
    """Play a history to a plan in steps of samples; the clips, each with the moment at which it was due."""
    plan, clips = ClipPlan(lengths, wants=lambda event: True), []
    waiting = list(history)
    for stop in range(step, 6000, step):
        while waiting and waiting[0][0] <= stop:
            plan.note(waiting.pop(0)[1])
        clips += [(stop, clip) for clip in plan.due(stop)]
    clips += [(6000, clip) for clip in plan.flush(6000)]
    return clips


@FEW
@given(histories(), st.integers(1, 200))
def test_no_sample_is_saved_twice_and_no_clip_is_too_long(history, step):
    end = -(10**9)
    for stop, clip in played(history, step):
        assert 0 < clip.span.length <= LENGTHS.longest
        assert clip.span.start >= end
        assert clip.span.stop <= stop
        end = clip.span.stop


@FEW
@given(histories(), st.integers(1, 200))
def test_every_onset_is_saved_with_its_preroll_unless_a_clip_before_has_it(history, step):
    clips = [clip for _, clip in played(history, step)]
    spans = [clip.span for clip in clips]
    for _, event in history:
        saved = [span for span in spans if span.start <= event.onset < span.stop]
        assert len(saved) == 1
        before = event.onset - LENGTHS.preroll
        assert saved[0].start <= before or any(span.stop == saved[0].start for span in spans)


@FEW
@given(histories(), st.integers(1, 200))
def test_every_sound_is_in_one_clip_at_most(history, step):
    ids = [sound.id for _, clip in played(history, step) for sound in clip.sounds]
    assert len(ids) == len(set(ids))


@FEW
@given(histories())
def test_a_clip_that_is_decided_in_time_does_not_depend_on_the_blocks(history):
    in_time = [(0, event) for _, event in history]
    assert [clip for _, clip in played(in_time, 11)] == [clip for _, clip in played(in_time, 97)]


@pytest.mark.parametrize("longest", [61, 100])
@FEW
@given(histories())
def test_short_clips_keep_the_laws(longest, history):
    lengths = replace(LENGTHS, longest=longest)
    end = -(10**9)
    for _, clip in played(history, 13, lengths):
        assert 0 < clip.span.length <= longest
        assert clip.span.start >= end
        end = clip.span.stop
