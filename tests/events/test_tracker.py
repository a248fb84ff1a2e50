"""The life of events as drawings: see `scenes` for what the letters mean.

Under each label's scores stand what was told (`s`tart, `u`pdate, `e`nd, where it was decided) and the
stretch from onset to offset (`^`).
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.events.rules import LabelRule
from detector.records import Scores, Span
from tests.support.drawn_scenes import SIREN, TREE, hear
from tests.support.fakes import make_label

SLIGHT = str.maketrans("#", "=")
"""Loud becomes 3 dB over quiet."""


def test_a_sound_becomes_one_event_with_the_sounds_own_dates():
    #        level   "______________####______________________"
    scene = hear(
        level="______________####______________________",
        Siren="................AAAAAAAAAaa.............",
    )
    assert scene.told("Siren") == "                s              e"
    assert scene.marks("Siren") == "              ^^^^"


def test_two_of_two_starts_a_window_later_and_dates_the_same():
    scene = hear(
        needed=2,
        of=2,
        level="______________####______________________",
        Siren="...............BAAAAAAAAAaa.............",
    )
    assert scene.told("Siren") == "                s              e"
    assert scene.marks("Siren") == "              ^^^^"


def test_three_of_four_forgives_one_window():
    scene = hear(
        needed=3,
        of=4,
        level="______________####______________________",
        Siren="..............A.AA.AA.AAA...............",
    )
    assert scene.told("Siren") == "                 s           e"


def test_one_window_is_not_two_of_two():
    assert hear(needed=2, of=2, level="_" * 30, Siren=".........A.A.a.A..............").events == []


@pytest.mark.parametrize(("longest_hop", "story"), [(None, []), (2, ["start Siren", "end Siren"])])
def test_windows_that_waited_vote_together(longest_hop, story):
    scene = hear(
        needed=2,
        of=2,
        longest_hop=longest_hop,
        level="______________########________________",
        Siren="..............A A A A A A . . . . . . .",
    )
    assert scene.story == story


def test_windows_before_the_gate_closed_do_not_count_for_a_sound():
    """They would delay the correction, since the first windows then weighed more."""

    def told(before):
        scene = hear(
            of=4,
            level="________________############____________________",
            Siren=before + "        BBB.............................",
            Cat=before + "        ...aaAAAAAAAAAA.................",
        )
        return scene.story, scene.told("Cat")

    story, _ = alone = told(" " * 8)
    assert story == ["start Siren", "update Cat", "end Cat"]
    assert told("." * 8) == alone


def test_votes_are_forgotten_when_the_stream_is_interrupted():
    """The scene's last window votes for the Siren, then the stream is interrupted and goes on at once."""
    tracker = hear(needed=2, of=2, level="#####", Siren="....A").tracker
    sure = np.array([0.9 if label is SIREN else 0.0 for label in TREE], dtype=np.float32)
    assert tracker.push(Scores(Span(-4, 6), sure)) == []
    (started,) = tracker.push(Scores(Span(-3, 7), sure))
    assert started.label is SIREN


def test_votes_are_forgotten_while_the_gate_is_closed():
    scene = hear(
        needed=2,
        of=2,
        level="______________##________________________",
        Siren="..............A   A...      A  AA.......",
    )
    assert scene.told("Siren") == "                                s    e"


def test_a_weak_score_does_not_start_an_event_but_keeps_it_up():
    scene = hear(
        level="____________##########__________________",
        Siren="............aaaaAAaaaaaaaaaaaa..........",
    )
    assert scene.told("Siren") == "                s                 e"


def test_a_pause_shorter_than_the_release_is_part_of_the_event():
    scene = hear(
        release=5,
        level="____________##______##__________________",
        Siren="............AAAAAA....AAAAAAA...........",
    )
    assert scene.told("Siren") == "            s                    e"
    assert scene.marks("Siren") == "            ^^^^^^^^^^"


def test_a_longer_pause_makes_two_events():
    scene = hear(
        release=3,
        level="____________##__________##__________________",
        Siren="............AAAAAA......AAAAAAAAAA..........",
    )
    assert scene.told("Siren") == "            s       e   s           e"
    assert scene.marks("Siren") == "            ^^          ^^"
    assert [event.id for event in scene.events] == [1, 1, 2, 2]


def test_without_release_the_first_quiet_window_ends_it():
    scene = hear(
        release=0,
        level="____________##________________",
        Siren="............AAAAAA............",
    )
    assert scene.told("Siren") == "            s     e"


def test_old_votes_do_not_begin_an_event_anew():
    """The three votes that began it are still there when it ends with the first quiet window."""
    scene = hear(
        needed=3,
        of=4,
        release=0,
        level="____________##________________",
        Siren="............AAA...............",
    )
    assert scene.told("Siren") == "              se"


def test_the_end_of_the_stream_ends_what_is_open():
    scene = hear(
        level="____________########",
        Siren="............AAAAAAAA",
    )
    assert scene.told("Siren") == "            s       e"
    assert scene.marks("Siren") == "            ^^^^^^^^"
    assert not scene.tracker.active


def test_a_fading_event_ends_with_the_stream_too():
    scene = hear(
        level="____________##__________",
        Siren="............AAAAAAAAAA..",
    )
    assert scene.told("Siren") == "            s           e"
    assert scene.marks("Siren") == "            ^^"


def test_a_long_sound_is_told_again():
    scene = hear(
        update=5,
        level="______________########__________________",
        Siren="..............AAAAAAAAAAAAAAAA..........",
    )
    assert scene.told("Siren") == "              s    u    u    u    e"


def test_two_labels_that_begin_together_are_one_sound_and_the_other_one_is_its_alternative():
    scene = hear(
        level="____________##########__________________",
        Siren="............AAAAAAAAAAAAAAAAAA..........",
        Cat="...............BBBBBBBB.................",
    )
    assert scene.story == ["start Siren", "end Siren"]
    assert [other.label.name for other in scene.events[1].alternatives] == ["Cat"]
    assert scene.events[0].alternatives == ()
    assert scene.events[1].alternatives[0].score == pytest.approx(0.7)


def test_with_rivals_another_label_of_the_sound_is_an_event_too():
    scene = hear(
        rivals=True,
        level="____________##########__________________",
        Siren="............AAAAAAAAAAAAAAAAAA..........",
        Cat="...............BBBBBBBB.................",
    )
    assert sorted(scene.story) == ["end Cat", "end Siren", "start Cat", "start Siren"]


@pytest.mark.parametrize(("other", "told"), [("Bark", "update Bark"), ("Cat", "start Cat")])
def test_with_rivals_a_label_is_corrected_by_a_relative_alone(other, told):
    scene = hear(
        rivals=True,
        level="______________##########________________",
        Dog="..............AAAA......................",
        **{other: "................AAAAAAAAAAAA............"},
    )
    assert scene.story[:2] == ["start Dog", told]


def test_a_sound_that_begins_in_an_older_one_is_a_sound_of_its_own():
    scene = hear(
        level="__________" + "+" * 30 + "##########" + "_" * 30,
        Siren="." * 11 + "B" * 44 + "." * 25,
        Cat="." * 41 + "A" * 15 + "." * 24,
    )
    assert scene.story == ["start Siren", "start Cat", "end Siren", "end Cat"]
    assert scene.marks("Cat") == " " * 40 + "^" * 10


@pytest.mark.parametrize(("threshold", "onsets"), [(0.4, [10, 90]), (0.5, [10])])
def test_a_sound_that_begins_in_an_old_one_may_score_a_little_less(threshold, onsets):
    """The Siren is 8 s old, and 0.94 or 1.35 ahead of the Cat."""
    scene = hear(
        own={"Cat": LabelRule(threshold_on=threshold)},
        level="__________" + "+" * 80 + "#" * 20 + "_" * 30,
        Siren="." * 11 + "A" * 109,
        Cat="." * 91 + "B" * 25,
    )
    assert [event.onset for event in scene.events if event.phase == "start"] == onsets


@pytest.mark.parametrize(("onset", "starts"), [(35, 1), (36, 2)])
def test_another_sound_may_begin_in_a_young_one_two_and_a_half_seconds_after_it(onset, starts):
    scene = hear(
        level="__________" + "+" * (onset - 10) + "##########" + "_" * 30,
        Siren="." * 11 + "B" * 44,
        Cat="." * (onset + 1) + "A" * 15,
    )
    assert [event.phase for event in scene.events].count("start") == starts


def test_an_excluded_label_begins_no_event():
    scene = hear(exclude=["Cat"], level="_" * 10 + "#" * 10 + "_" * 20, Cat="." * 10 + "A" * 20)
    assert scene.events == []


def test_a_label_that_came_near_the_best_one_begins_no_sound_of_its_own_later():
    """The Cat was an alternative of the Siren while that was young."""
    scene = hear(
        level="__________" + "+" * 80 + "#" * 20 + "_" * 30,
        Siren="." * 11 + "A" * 79 + "B" * 30,
        Cat="." * 11 + "B" * 10 + "." * 70 + "B" * 25,
    )
    assert scene.story == ["start Siren", "end Siren"]


def test_a_better_label_corrects_the_first_guess_under_the_same_id():
    scene = hear(
        level="____________##########__________________",
        Siren="............BBB.........................",
        Cat=".............aaAAAAAAAAAAAAA............",
    )
    assert scene.story == ["start Siren", "update Cat", "end Cat"]
    assert {event.id for event in scene.events} == {1}
    assert {event.onset for event in scene.events} == {12}
    assert [other.label.name for other in scene.events[-1].alternatives] == ["Siren"]
    assert [[label.name for label in event.earlier] for event in scene.events] == [[], ["Siren"], ["Siren"]]


def test_an_excluded_label_names_no_sound_that_another_one_began():
    scene = hear(
        exclude=["Cat"],
        level="____________##########__________________",
        Siren="............BBB.........................",
        Cat=".............aaAAAAAAAAAAAAA............",
    )
    assert scene.story == ["start Siren", "end Siren"]


@pytest.mark.parametrize("windows", [18, 30])
def test_a_sound_does_not_take_the_label_of_another_one_that_goes_on(windows):
    """Over all its windows the Cat scores less than the Siren, which began before it and ends with it."""
    scene = hear(
        level="__________" + "+" * 30 + "#" * 20 + "_" * 40,
        Siren="." * 11 + "B" * 31 + "A" * 20 + "." * 38,
        Cat="." * 41 + "AA" + "B" * windows + "." * 39,
    )
    assert scene.story == ["start Siren", "start Cat", "end Siren", "end Cat"]


def test_a_label_that_began_later_corrects_no_sound_though_it_may_begin_none():
    """The second Cat is in the refractory time of the first one."""
    scene = hear(
        release=2,
        own={"Cat": LabelRule(refractory=200)},
        level="__________##________" + "_" * 10 + "+" * 30 + "#" * 30 + "_" * 20,
        Cat="." * 10 + "AA" + "." * 48 + "A" * 38,
        Siren="." * 30 + "BBB" + "a" * 65,
    )
    assert scene.story == ["start Cat", "end Cat", "start Siren", "end Siren"]


def test_a_more_specific_label_corrects_a_general_one_however_late_it_rose():
    scene = hear(
        level="_" * 14 + "+" * 26 + "#" * 40 + "_" * 20,
        Dog="." * 14 + "A" * 76,
        Bark="." * 14 + "a" * 36 + "A" * 40,
    )
    assert scene.story == ["start Dog", "update Bark", "end Bark"]
    assert scene.events[-1].onset == 14


def test_what_hardly_rises_must_score_more():
    """Each scores 0.7, well over its threshold; in the second one the level rises by 3 dB."""
    clear = "____________##########__________________"
    scores = "............BBBBBBBBBBBB................"
    assert hear(level=clear, Siren=scores).story == ["start Siren", "end Siren"]
    assert hear(level=clear.translate(SLIGHT), Siren=scores).events == []


def test_a_sound_that_was_there_when_the_stream_began_needs_no_rise():
    assert hear(level="#" * 30, Siren=".BBBBBBBBBBBBBBBBB............").story == ["start Siren", "end Siren"]


def test_a_taught_label_that_reaches_its_threshold_names_the_sound():
    bell = replace(make_label("Bell"), taught=True)
    scene = hear(
        tree=(SIREN, bell),
        level="____________##########__________________",
        Siren="............AAAAAAAAAAAAAAAAAA..........",
        Bell="............BBBBBBBBBBBBBBBBBB..........",
    )
    assert scene.story == ["start Bell", "end Bell"]
    assert [other.label.name for other in scene.events[0].alternatives] == ["Siren"]


def test_scores_and_levels_are_those_of_the_sound():
    scene = hear(
        needed=2,
        of=2,
        level="______________####______________________",
        Siren="...............ABBBBBBBBBaa.............",
    )
    start, end = scene.events
    assert (start.score, start.top_score) == pytest.approx((0.7, 0.9))
    assert (end.score, end.top_score) == pytest.approx((0.0, 0.9))
    assert start.level_dbfs == end.level_dbfs == -20


# --- minimum duration and refractory time


def test_a_sound_shorter_than_the_minimum_is_not_told_though_its_windows_go_on():
    scene = hear(
        common=LabelRule(min_duration=5),
        level="______________##________________________",
        Siren="..............AAAAAAAAAAA...............",
    )
    assert scene.events == []


def test_a_sound_is_told_as_soon_as_it_has_lasted():
    scene = hear(
        common=LabelRule(min_duration=5),
        level="______________#######___________________",
        Siren="..............AAAAAAAAAAAAAAAA..........",
    )
    assert scene.told("Siren") == "                  s               e"
    assert scene.marks("Siren") == "              ^^^^^^^"


def test_the_stream_may_end_before_a_sound_has_lasted():
    scene = hear(
        common=LabelRule(min_duration=9),
        level="______________######",
        Siren="..............AAAAAA",
    )
    assert scene.events == []
    assert not scene.tracker.active


def test_a_label_has_its_own_minimum():
    own = {"Siren": LabelRule(min_duration=9)}
    level, scores = "______________####______________________", "..............AAAAAAAAAAAAA............."
    assert hear(own=own, level=level, Siren=scores).events == []
    assert hear(own=own, level=level, Siren="." * 40, Cat=scores).story == ["start Cat", "end Cat"]


def test_after_its_end_a_label_stays_quiet_for_the_refractory_time():
    """The second sound is told when the time is over, with its own onset."""
    scene = hear(
        release=2,
        common=LabelRule(refractory=16),
        level="__________##____________________##________________",
        Siren="..........AAAAAAAAAAA...........AAAAAAAAAAA.......",
    )
    assert scene.told("Siren") == "          s           e               s     e"
    assert scene.marks("Siren") == "          ^^                    ^^"


def test_what_was_never_told_keeps_nothing_quiet():
    scene = hear(
        release=2,
        common=LabelRule(min_duration=3, refractory=30),
        level="__________#_____________######____________________",
        Siren="..........AAAAAAAAAA....AAAAAAAAAAAAAAA...........",
    )
    assert scene.marks("Siren") == "                        ^^^^^^"


def test_the_refractory_time_holds_across_a_gap():
    scene = hear(
        release=3,
        common=LabelRule(refractory=60),
        level="__________####xxxxx____________####________________",
        Siren="..........AAAA     ............AAAAAAAAAAAAA.......",
    )
    assert scene.story == ["start Siren", "end Siren"]


# --- gaps


def test_a_short_gap_leaves_an_event_open():
    scene = hear(
        release=5,
        level="______________######xx####______________",
        Siren="................AAAA  AAAAAAAAAAAAA.....",
    )
    assert scene.told("Siren") == "                s                       e"
    assert scene.marks("Siren") == "              ^^^^^^^^^^^^"


def test_after_a_short_gap_the_level_of_an_event_does_not_fall():
    scene = hear(
        release=5,
        level="______________####__xx__________________",
        Siren="................AAAA  AAAAA.............",
    )
    assert [event.level_dbfs for event in scene.events] == [-20, -20]
    assert scene.marks("Siren") == "              ^^^^"


def test_an_onset_before_a_short_gap_is_still_known():
    scene = hear(
        needed=2,
        of=2,
        level="______________##x######_________________",
        Siren="...............A AA.....................",
    )
    assert scene.events[0].onset == 14


def test_a_long_gap_ends_an_event_at_the_last_sample_before_it():
    scene = hear(
        release=3,
        level="______________######xxxxx_______________",
        Siren="................AAAA     ...............",
    )
    assert scene.told("Siren") == "                s  e"
    assert scene.events[1].decided == 20
    assert scene.marks("Siren") == "              ^^^^^^"


def test_windows_that_reach_back_over_a_long_gap_do_not_tell_the_sound_again():
    scene = hear(
        release=3,
        level="______________######xxxxx_______________",
        Siren="................AAAA     AAAA...........",
    )
    assert scene.story == ["start Siren", "end Siren"]


def test_a_new_sound_behind_a_long_gap_is_a_new_event_dated_behind_it():
    scene = hear(
        release=3,
        level="______________######xxxxx__####_____________",
        Siren="................AAAA     AAAAAAAAAAAAAAA....",
    )
    assert scene.marks("Siren") == "              ^^^^^^       ^^^^"


# --- nested labels


def test_of_nested_labels_only_the_most_specific_is_told():
    scene = hear(
        level="______________########__________________",
        Animal="..............AAAAAAAAAAAAAAAA..........",
        Dog="..............AAAAAAAAAAAAAAAA..........",
        Bark="..............BBBBBBBBBBBBBBBB..........",
    )
    assert scene.story == ["start Bark", "end Bark"]


def test_a_general_label_speaks_where_nothing_below_it_is_sure():
    scene = hear(
        level="______________########__________________",
        Dog="..............AAAAAAAAAAAAAA............",
        Bark="........................................",
    )
    assert scene.told("Dog") == "              s                 e"


def test_a_label_is_dated_by_its_first_vote():
    """A second rise meanwhile does not move the onset."""
    scene = hear(
        needed=2,
        of=2,
        level="____________#___##______________________",
        Dog="..............AAAAAAAAAAAA..............",
        Bark="........................................",
    )
    assert scene.events[0].onset == 12


def test_a_more_specific_label_corrects_a_general_one():
    scene = hear(
        level="______________##########________________",
        Dog="..............AAAAAAAAAAAAAAAAA.........",
        Bark="..............aaaaaaAAAAAAAAAAA.........",
    )
    assert scene.story == ["start Dog", "update Bark", "end Bark"]
    assert scene.told("Dog") == "              s"
    assert scene.marks("Bark") == "              ^^^^^^^^^^"


def test_while_windows_hold_the_sound_its_relatives_begin_none():
    scene = hear(
        release=2,
        level="______________##________________________",
        Dog="..............AAAAAAAAAAAAAAA...........",
        Bark="................BBB.....................",
    )
    assert scene.story == ["start Dog", "end Dog"]


def test_a_corrected_event_leaves_the_first_guess_no_refractory_time():
    scene = hear(
        release=2,
        own={"Siren": LabelRule(refractory=40)},
        level="______________##____________________##__________",
        Siren="..............BB....................AAAAAAAAAAA.",
        Cat="...............aAAAAAAAAAA......................",
    )
    assert scene.story == ["start Siren", "update Cat", "end Cat", "start Siren", "end Siren"]


def test_a_first_guess_that_was_never_told_is_corrected_in_silence():
    scene = hear(
        own={"Dog": LabelRule(min_duration=8)},
        level="______________####______________________",
        Dog="..............AAAAAAAAAAAAA.............",
        Bark="................AAAAAAAAAAA.............",
    )
    assert scene.story == ["start Bark", "end Bark"]
    assert [event.earlier for event in scene.events] == [(), ()]


def test_siblings_in_a_family_are_one_sound():
    """The surer one speaks; the other does not take over though it is the surer one later."""
    scene = hear(
        level="______________########__________________",
        Dog="..............AAAAAAAAAAAAAAA...........",
        Bark="..............BBBBBBBAAAAAAA............",
        Growl="..............AAAAAAAABBBBBBB...........",
    )
    assert scene.story == ["start Growl", "end Growl"]


def test_a_sibling_speaks_once_its_windows_are_its_own():
    scene = hear(
        release=2,
        level="__________##__________________##________________",
        Dog="..........AAAAAAAAAAA.........AAAAAAAAAAA.......",
        Bark="..........AAAAAAAAAAA...........................",
        Growl="..............................AAAAAAAAAAA.......",
    )
    assert scene.marks("Bark") == "          ^^"
    assert scene.marks("Growl") == "                              ^^"


def test_a_label_that_is_nearly_as_sure_speaks_for_one_above_it():
    """Dog never reaches its own threshold but is nearly as far over it as Animal."""
    scene = hear(
        level="______________########__________________",
        own={"Animal": LabelRule(threshold_on=0.25), "Dog": LabelRule(threshold_on=0.35)},
        Animal="..............aaaaaaaaaaaaaaa...........",
        Dog="..............aaaaaaaaaaaaaaa...........",
        Bark="........................................",
    )
    assert scene.story == ["start Dog", "end Dog"]


def test_a_group_speaks_with_the_score_of_its_loudest_member():
    scene = hear(
        groups={"Pets": ["Dog", "Cat"]},
        level="______________########__________________",
        Dog="..............AAAAA.....................",
        Cat="...................AAAAAAAAAA...........",
    )
    assert scene.story == ["start Pets", "end Pets"]


def test_a_label_below_a_groups_member_corrects_the_group():
    scene = hear(
        groups={"Pets": ["Dog", "Cat"]},
        level="______________########__________________",
        Dog="..............AAAAAAAAAAAAAAA...........",
        Cat="........................................",
        Bark=".................AAAAAAAAAAAA...........",
    )
    assert scene.story == ["start Pets", "update Bark", "end Bark"]


def test_a_group_that_holds_a_label_and_one_far_below_it_competes():
    """Dog lies between Animal and Bark: neither is above the other, and the better one speaks."""
    scene = hear(
        groups={"Noisy": ["Animal", "Bark"]},
        level="______________########__________________",
        Animal="..............AAAAAAAAAAAAAAA...........",
        Bark="..............AAAAAAAAAAAAAAA...........",
        Dog="..............BBBBBBBBBBBBBBB...........",
    )
    assert scene.story == ["start Noisy", "end Noisy"]
    assert [other.label.name for other in scene.events[0].alternatives] == ["Dog"]


# --- the stream's first windows, other lengths


def test_the_first_windows_vote_though_they_reach_back_before_the_stream():
    scene = hear(
        needed=2,
        of=2,
        level="__####______________",
        Siren="..AAAAAAAAA.........",
    )
    assert scene.told("Siren") == "   s           e"
    assert scene.marks("Siren") == "  ^^^^"


def test_a_stream_that_begins_with_the_sound_dates_it_from_its_first_sample():
    scene = hear(
        level="######______________",
        Siren=".AAAAAAAAAAAAA......",
    )
    assert scene.marks("Siren") == "^^^^^^"


def test_a_sound_that_goes_on_behind_the_last_window_ends_with_the_stream():
    scene = hear(level="_" * 10 + "#" * 10, Siren="." * 10 + "AAAAAA    ")
    assert scene.marks("Siren") == " " * 10 + "^" * 10


def test_what_sounds_behind_an_event_at_the_end_of_the_stream_is_none_of_it():
    scene = hear(level="_" * 10 + "####__##", Siren="." * 10 + "AAAA....")
    assert scene.marks("Siren") == " " * 10 + "^" * 4


@pytest.mark.parametrize("window", [3, 10, 30])
def test_short_and_long_windows_date_alike(window):
    scene = hear(
        window=window,
        level="_" * 40 + "#" * 6 + "_" * 60,
        Siren="." * 41 + "A" * (window + 4) + "." * 60,
    )
    assert scene.marks("Siren") == " " * 40 + "^" * 6


ROWS = st.lists(st.tuples(*[st.sampled_from([0.0, 0.3, 0.55, 0.9])] * len(TREE)), max_size=60)


@given(
    ROWS,
    st.text("_#0x", min_size=60, max_size=60),
    st.sampled_from([(1, 1), (2, 2), (3, 4)]),
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(0, 12),
)
def test_whatever_is_heard_events_are_well_formed(rows, level, votes, release, min_duration, refractory):
    """Each starts once, ends once, and its numbers make sense."""
    letters = {0.0: ".", 0.3: "a", 0.55: "B", 0.9: "A"}
    scores = {
        label.name: "".join(letters[row[place]] for row in rows).ljust(60, ".")
        for place, label in enumerate(TREE)
    }
    scene = hear(
        level=level,
        needed=votes[0],
        of=votes[1],
        release=release,
        update=4,
        common=LabelRule(min_duration=min_duration, refractory=refractory),
        **scores,
    )
    lives = {}
    for event in scene.events:
        lives.setdefault(event.id, []).append(event)
    assert list(lives) == list(range(1, len(lives) + 1))
    assert not scene.tracker.active
    assert scene.tracker.started == len(lives)
    for life in lives.values():
        assert life[0].phase == "start"
        assert life[-1].phase == "end"
        assert all(event.phase == "update" for event in life[1:-1])
        assert [event.offset is None for event in life] == [True] * (len(life) - 1) + [False]
        assert len({event.onset for event in life}) == 1
        assert all(event.label not in [other.label for other in event.alternatives] for event in life)
        decided = [event.decided for event in life]
        assert decided == sorted(decided)
        end = life[-1]
        assert 0 <= end.onset < end.offset <= end.decided
        assert all(event.onset <= event.decided and event.score <= event.top_score <= 1 for event in life)
        tops = [event.top_score for event in life]
        assert tops == sorted(tops)
    ends = {}
    for event in scene.events:
        if event.phase == "start" and event.label in ends:
            assert event.decided >= ends[event.label] + refractory
        if event.phase == "end":
            ends[event.label] = event.decided


def test_scores_are_not_changed_by_the_tracker():
    scene = hear(level="_____", Siren=".....")
    values = np.full(len(TREE), 0.9, dtype=np.float32)
    scene.tracker.push(Scores(Span(0, 10), values))
    assert (values == np.float32(0.9)).all()


def test_windows_may_wait_while_one_event_goes_on_and_nothing_new_scores():
    """A label that comes when the sound is old may be a sound of its own, so no window waits for it."""
    scene = hear(
        level="_" * 10 + "#" * 90 + "_" * 20,
        Siren="." * 10 + "A" * 90,
        Dog="." * 90 + "A",
    )
    started = scene.told("Siren").index("s")
    assert scene.settled[:started].strip() == ""
    assert set(scene.settled[started:90]) == {"|"}
    assert scene.settled[90:92] == " |"


def test_no_window_waits_for_a_sound_that_must_last():
    scene = hear(
        level="______________##########________________",
        Siren="..............AAAAAAAAAA................",
        common=LabelRule(min_duration=5),
    )
    started = scene.told("Siren").index("s")
    assert started > 15
    assert scene.settled[:started].strip() == ""
    assert scene.settled[started] == "|"


def test_the_top_score_is_the_highest_of_the_whole_sound():
    scene = hear(
        level="______________########__________________",
        Siren="..............BBBBAABB..................",
    )
    assert [event.phase for event in scene.events] == ["start", "end"]
    assert [event.top_score for event in scene.events] == pytest.approx([0.7, 0.9])


def test_the_level_of_a_long_sound_is_that_of_its_loudest_moment():
    """Also where that moment is longer ago than levels are kept."""
    scene = hear(level="_" * 10 + "#" * 10 + "+" * 600, Siren="." * 10 + "A" * 610)
    end = scene.events[-1]
    assert (end.phase, end.level_dbfs) == ("end", pytest.approx(-20, abs=0.5))
