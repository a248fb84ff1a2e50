"""One source's recorder: blocks and events in, requests out, with places in the clip counted in samples."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from detector.clips.clip_plan import ClipLengths, ClipPlan
from detector.clips.clip_record import clip_id, facts_text, moved, parse_clip_id, read_facts, slug
from detector.clips.clip_recorder import ClipChoice, ClipRecorder
from detector.clips.original_ring import OriginalRing
from detector.records import Block, Label, Scores, Span, VerdictNote
from tests.support.wire_messages import T0, make_body, make_event

RATE = 16000
SPEECH = Label(name="Speech", class_id="/m/09x0r", model="yamnet")
SMOKE = Label(name="Smoke detector, smoke alarm", class_id="/m/01y3hg", model="yamnet")
COUNT = np.arange(10 * RATE, dtype=np.int16)


class Setting:
    """A recorder of a stream whose samples count upwards."""

    def __init__(self, choice=ClipChoice(), *, capacity=60 * RATE, labels=()):  # noqa: B008
        self.requests = []
        lengths = ClipLengths(preroll=RATE // 2, postroll=RATE // 2, longest=20 * RATE)
        self.recorder = ClipRecorder(
            ring=OriginalRing(stream_rate=RATE, capacity=capacity),
            plan=ClipPlan(lengths, wants=choice.wants),
            stream_rate=RATE,
            submit=self.requests.append,
            labels=labels,
        )
        self.at = 0

    def hear(self, seconds):
        stop = self.at + round(seconds * RATE)
        self.recorder.push(Block(self.at, COUNT[self.at : stop]))
        self.at = stop
        self.recorder.submit_due()

    def tell(self, phase, id=1, **changes):
        self.recorder.note(make_event(phase, id, **changes), make_body(phase, id, **changes))
        self.recorder.submit_due()


def test_a_clip_has_its_sound_from_before_the_onset_to_after_the_end():
    setting = Setting()
    setting.hear(1.5)
    setting.tell("start")  # from 1.0 to 2.5 s, as the examples of events are
    setting.hear(1.5)
    assert setting.requests == []
    setting.tell("end")
    (request,) = setting.requests
    assert np.array_equal(request.samples, COUNT[RATE // 2 : 3 * RATE])
    facts = request.facts
    assert (facts.id, facts.label, facts.source) == ("20260801T140322Z_dog_1", "Dog", "Mic")
    assert (facts.start_time, facts.duration) == ("2026-08-01T14:03:22.000Z", 2.5)
    (sound,) = facts.sounds
    assert (sound.id, sound.start, sound.end, sound.score) == ("run-1", 0.5, 2.0, 0.9)
    assert not request.was_reported_as_speech


def test_a_clock_that_is_set_moves_no_sample():
    setting = Setting()
    setting.hear(3.0)
    later = replace(make_body("end"), time="2031-01-01T00:00:00.000Z")
    setting.recorder.note(make_event("end"), later)
    setting.recorder.submit_due()
    assert np.array_equal(setting.requests[0].samples, COUNT[RATE // 2 : 3 * RATE])


def test_at_the_end_a_clip_is_cut_there():
    setting = Setting()
    setting.hear(2.0)
    setting.tell("start")
    setting.recorder.finish()
    (request,) = setting.requests
    assert len(request.samples) == 1.5 * RATE
    assert request.facts.sounds[0].end is None
    setting.recorder.finish()
    assert len(setting.requests) == 1


@pytest.mark.parametrize(
    ("choice", "labels"),
    [
        (ClipChoice(), {"Smoke detector, smoke alarm", "Dog"}),
        (ClipChoice(("dog",)), set()),  # the group, of AudioSet's classes
        (ClipChoice(("Dog",)), {"Dog"}),
        (ClipChoice(("alarms",)), {"Smoke detector, smoke alarm"}),
        (ClipChoice(("Speech",)), set()),
        (ClipChoice(("Speech",), speech=True), {"Speech"}),
        (ClipChoice(speech=True), {"Smoke detector, smoke alarm", "Dog"}),
    ],
)
def test_speech_gets_clips_only_if_it_is_asked_for_and_kept(choice, labels):
    dog = make_event().label
    wanted = {label.name for label in (SPEECH, SMOKE, dog) if choice.wants(make_event(label=label))}
    assert wanted == (labels or wanted & {"Dog"})


def test_a_sound_that_is_vetoed_gets_none_even_if_it_was_told_before():
    setting = Setting()
    setting.hear(1.5)
    setting.tell("start")
    setting.hear(2.0)
    veto = VerdictNote("veto", make_event().label, 1, "run-0")
    setting.recorder.note(make_event("end", verdict=veto), make_body("end", verdict=veto), is_reported=False)
    setting.recorder.submit_due()
    setting.recorder.finish()
    assert setting.requests == []


def test_what_the_daemon_classified_is_handed_over_at_its_place():
    setting = Setting(labels=(SMOKE, SPEECH))
    for stop, score in ((RATE // 4, 0.9), (2 * RATE, 0.05), (3 * RATE, math.nan), (9 * RATE, 0.8)):
        setting.recorder.hear(Scores(Span(0, stop), np.array([0.9, score], np.float32)))
    setting.hear(3.5)
    setting.tell("end")
    first, second = setting.requests[0].heard  # of the clip from 0.5 to 3 s
    assert (first.start, first.stop, first.speech_score) == (pytest.approx(0.54), 1.5, pytest.approx(0.05))
    assert math.isnan(second.speech_score)


def test_scores_of_a_model_that_knows_no_speech_are_of_no_use():
    setting = Setting(labels=(SMOKE,))
    setting.recorder.hear(Scores(Span(0, 2 * RATE), np.array([0.9], np.float32)))
    setting.hear(3.5)
    setting.tell("end")
    assert setting.requests[0].heard == ()


def test_speech_that_was_reported_within_a_clip_is_told():
    setting = Setting()
    setting.hear(3.5)
    setting.tell("end", 2, label=SPEECH, onset=2 * RATE, offset=5 * RATE // 2)
    setting.tell("end")
    assert setting.requests[0].was_reported_as_speech


def test_speech_that_goes_on_is_within_every_later_clip():
    setting = Setting()
    setting.hear(0.2)
    setting.tell("start", 2, label=SPEECH, onset=0)
    setting.hear(3.3)
    setting.tell("end")
    assert setting.requests[0].was_reported_as_speech


@pytest.mark.parametrize("phase", ["start", "end"])
def test_speech_that_is_not_reported_gets_no_clip_and_counts_all_the_same(phase):
    """As in quiet hours, also where speech may be kept."""
    setting = Setting(ClipChoice(("Speech", "Dog"), speech=True))
    setting.hear(3.5)
    speech = {"label": SPEECH, "onset": 2 * RATE, "offset": None if phase == "start" else 5 * RATE // 2}
    setting.recorder.note(make_event(phase, 2, **speech), make_body(phase, 2, **speech), is_reported=False)
    setting.tell("end")
    setting.recorder.finish()
    (request,) = setting.requests
    assert [sound.label for sound in request.facts.sounds] == ["Dog"]
    assert request.was_reported_as_speech


def test_speech_before_a_clip_does_not_count_and_is_forgotten():
    setting = Setting(capacity=4 * RATE)
    setting.hear(0.3)
    setting.tell("end", 2, label=SPEECH, onset=0, offset=RATE // 4)
    setting.hear(3.3)
    setting.tell("end")
    assert not setting.requests[0].was_reported_as_speech
    setting.hear(3.0)
    assert setting.recorder._speech == {}
    assert setting.recorder._bodies == {}


def test_a_name_says_when_and_what():
    name = clip_id(moved("2026-08-01T14:03:22.500Z", -3), "Türklingel / 1", "20260801T140000Z-ab12-porch-7")
    assert name == "20260801T140319Z_turklingel-1_ab12-porch-7"
    assert parse_clip_id(name) == (T0 - 2.5, "turklingel-1")
    assert slug("犬") == "sound"
    for other in ("notes", "20261399T000000Z_dog_1", "../20260801T140319Z_dog_1", ""):
        assert parse_clip_id(other) is None


def test_the_json_is_read_as_it_was_written():
    setting = Setting()
    setting.hear(3.5)
    setting.tell("end")
    facts = setting.requests[0].facts
    text = facts_text(facts, speech_score=0.01)
    assert read_facts(text) == facts
    assert json.loads(text)["schema"] == 1
