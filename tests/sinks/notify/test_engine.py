"""Rules of notifications, as laws: never more than the limit, and nothing is lost without a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.config.hours import parse_hours
from detector.events.groups import WantedNames
from detector.records import Label
from detector.sinks.notify.engine import Limits, NotifyEngine, Now, Rule, TokenBucket
from detector.sinks.notify.health_watch import HealthChange
from detector.wire.encoding import encode
from detector.wire.message import VetoBody
from tests.support.wire_messages import make_body

NOON = datetime(2026, 11, 28, 12, 0)
SIREN = Label(name="Siren", class_id="/m/03kmc9", model="yamnet", ancestor_names=("Alarm",))
DOG = Label(name="Dog", class_id="/m/0bt9lr", model="yamnet", ancestor_names=("Animal",))
ALL = Rule("all", ("phone",))


def at(seconds: float) -> Now:
    return Now(seconds, NOON + timedelta(seconds=seconds))


class Room:
    """An engine, and events given to it; each event has an id of its own unless one is given."""

    def __init__(self, *rules, health_to=(), **limits):
        self.engine = NotifyEngine(rules or (ALL,), Limits(**limits), series="1", health_to=health_to)
        self.heard = 0

    def hear(self, seconds=0.0, label=DOG, phase="start", id=None, **changes):
        self.heard += 1
        body = replace(make_body(phase, id or self.heard, label), **changes)
        return self.engine.event(encode(body, 1), body, at(seconds))

    def due(self, seconds):
        return self.engine.due(at(seconds))

    @property
    def counts(self):
        return self.engine.counts[0]


def test_an_event_is_told_once_in_its_life():
    room = Room()
    (notice,) = room.hear(id=7)
    assert notice.to == ("phone",) and notice.key == "run-7/all" and notice.title == "Dog"
    assert notice.line == encode(make_body("start", 7, DOG), 1).line
    assert room.hear(70, id=7, phase="update") == room.hear(80, id=7, phase="end") == []
    assert room.counts.matched == 1


@pytest.mark.parametrize(
    ("rule", "changes", "told"),
    [
        (replace(ALL, wanted=WantedNames.of(["alarms"])), {"label": SIREN}, True),
        (replace(ALL, wanted=WantedNames.of(["alarms"])), {"label": DOG}, False),
        (replace(ALL, wanted=WantedNames.of(["animal"])), {"label": DOG}, True),
        (replace(ALL, unwanted=WantedNames.of(["Siren"])), {"label": SIREN}, False),
        (replace(ALL, min_score=0.9), {"top_score": 0.9}, True),
        (replace(ALL, min_score=0.9), {"top_score": 0.89}, False),
        (replace(ALL, min_score=0.1), {"top_score": None}, False),
        (replace(ALL, source="MIC"), {"source": "mic"}, True),
        (replace(ALL, source="porch"), {"source": "mic"}, False),
        (replace(ALL, hours=parse_hours("11:00-12:00")), {}, False),
        (replace(ALL, hours=parse_hours("12:00-12:01")), {}, True),
        (replace(ALL, hours=parse_hours("22:00-13:00")), {}, True),
    ],
)
def test_a_rule_says_which_events_are_told(rule, changes, told):
    changes = dict(changes)
    assert bool(Room(rule).hear(label=changes.pop("label", DOG), **changes)) is told


def test_a_score_that_is_reached_later_is_told_then():
    room = Room(replace(ALL, min_score=0.9))
    assert room.hear(id=1, top_score=0.5) == []
    assert len(room.hear(id=1, phase="update", top_score=0.95)) == 1


def test_a_label_that_is_corrected_is_told_under_the_new_one_alone():
    """What it was called before is no reason to tell of it."""
    room = Room(replace(ALL, wanted=WantedNames.of(["Siren"])))
    assert room.hear(label=DOG, earlier=("Siren",)) == []
    assert len(room.hear(label=SIREN, phase="update", earlier=("Dog",))) == 1


def test_each_rule_is_by_itself():
    dogs, all_ = replace(ALL, name="dogs", to=("speak",)), ALL
    assert [notice.rule for notice in Room(dogs, all_).hear()] == ["dogs", "all"]


def test_repetitions_within_the_cooldown_are_counted_in_the_next_notice():
    room = Room(replace(ALL, cooldown_seconds=60))
    assert room.hear(0)[0].more == 0
    assert room.hear(10) == room.hear(59.9) == []
    (notice,) = room.hear(60)
    assert notice.more == 2 and notice.text.endswith("(and 2 more)")
    assert (room.counts.sent, room.counts.digested, room.counts.held) == (2, 2, 0)


def test_another_label_has_its_own_cooldown():
    room = Room()
    assert len(room.hear(0)) == len(room.hear(1, SIREN)) == 1


def test_repetitions_that_nothing_follows_are_summed_up():
    room = Room(digest_seconds=600)
    room.hear(0)
    assert room.hear(10) == room.hear(20) == room.due(609) == []
    (digest,) = room.due(610)
    assert digest.kind == "digest" and digest.title == "and 2 more"
    assert digest.text == "all: and 2 more since 12:00: Dog 2"
    assert room.due(10_000) == []


def test_what_exceeds_the_limit_comes_in_a_digest_as_soon_as_one_may_go():
    """Ten at once, then one a minute: of 47 events, the rest is 'and 37 more'."""
    room = Room(replace(ALL, cooldown_seconds=0))
    sent = [notice for n in range(47) for notice in room.hear(n / 10)]
    assert len(sent) == 10
    assert room.due(50) == []
    (digest,) = room.due(60.1)
    assert digest.title == "and 37 more"


def test_in_quiet_hours_only_urgent_rules_speak_and_the_rest_is_summed_up_after_them():
    urgent = Rule("alarms", ("phone",), wanted=WantedNames.of(["alarms"]), urgent=True)
    rest = replace(ALL, unwanted=WantedNames.of(["alarms"]))
    room = Room(rest, urgent, quiet=parse_hours("11:00-13:00"))
    assert [notice.rule for notice in room.hear(0, SIREN)] == ["alarms"]
    assert room.hear(0) == room.hear(1, DOG) == room.due(3599) == []
    assert [digest.title for digest in room.due(3600)] == ["and 2 more"]


def test_urgent_rules_have_a_limit_of_their_own():
    urgent = Rule("alarms", ("phone",), wanted=WantedNames.of(["alarms"]), urgent=True)
    room = Room(replace(ALL, cooldown_seconds=0), urgent, burst=1)
    room.hear(0)
    assert room.hear(1) == []
    assert [notice.rule for notice in room.hear(2, SIREN)] == ["alarms"]


def test_only_the_first_of_a_day_is_wanted_where_a_rule_says_so():
    room = Room(replace(ALL, first_of_day=True))
    assert len(room.hear(0)) == 1
    assert room.hear(3600) == []
    assert len(room.hear(3600, SIREN)) == 1
    assert len(room.hear(12 * 3600)) == 1
    assert room.counts.matched == 3


def test_a_vetoed_event_is_told_to_nobody():
    assert Room().hear(vetoed=VetoBody(3, "run-1")) == []


def test_health_has_a_limit_of_its_own():
    room = Room(health_to=("phone",), burst=1)
    room.hear(0)
    lost = HealthChange("microphone", is_over=False, title="Microphone lost", text="Mic: gone")
    (notice,) = room.engine.health(lost, at(1))
    assert (notice.kind, notice.text) == ("health", "Microphone lost: Mic: gone")
    assert room.engine.health(replace(lost, title="No microphone"), at(2)) == []
    assert [digest.rule for digest in room.due(62)] == ["health"]
    assert room.engine.health(replace(lost, title="No microphone"), at(63)) == []
    (notice,) = room.engine.health(replace(lost, title="Microphone silent"), at(130))
    assert notice.text == "Microphone silent: Mic: gone (and 1 more)" and notice.more == 1


def test_without_targets_for_it_health_is_told_to_nobody():
    change = HealthChange("history", is_over=False, title="Disk", text="")
    assert Room().engine.health(change, at(0)) == []


steps = st.lists(
    st.tuples(
        st.floats(0, 200),
        st.sampled_from([DOG, SIREN, Label("Rain", "/rain", "yamnet")]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(
    steps,
    st.integers(1, 4),
    st.sampled_from([0.5, 1.0, 30.0]),
    st.sampled_from([0.0, 60.0, 500.0]),
    st.booleans(),
    st.none() | st.sampled_from(["11:30-12:20", "12:10-11:00"]),
)
def test_never_more_than_the_limit_and_nothing_lost_without_a_word(
    steps, burst, per_minute, cooldown, first_of_day, quiet
):
    rules = (
        replace(ALL, cooldown_seconds=cooldown, first_of_day=first_of_day),
        Rule("alarms", ("phone",), wanted=WantedNames.of(["alarms"]), cooldown_seconds=cooldown),
    )
    limits = {"burst": burst, "per_minute": per_minute, "quiet": quiet and parse_hours(quiet)}
    room = Room(*rules, **limits)
    now, told = 0.0, []
    for pause, label, heard, looked in steps:
        now += pause
        if heard:
            told += [(now, notice) for notice in room.hear(now, label)]
        if looked:
            told += [(now, notice) for notice in room.due(now)]
    for i, (since, _) in enumerate(told):
        for n, (until, _) in enumerate(told[i:], 1):
            assert n <= burst + (until - since) * per_minute / 60 + 1e-6
    for counts in room.engine.counts:
        own = [notice for _, notice in told if notice.rule == counts.rule]
        assert counts.sent == sum(notice.kind == "event" for notice in own)
        assert counts.digested == sum(notice.more for notice in own)
        assert counts.matched == counts.sent + counts.digested + counts.held
    room.engine.close()
    for counts in room.engine.counts:
        assert counts.matched == counts.sent + counts.digested + counts.dropped
        assert counts.held == 0
    if first_of_day is False:
        assert room.counts.matched == room.heard
    assert len({notice.key for _, notice in told}) == len(told)
    if limits["quiet"]:
        assert not any(limits["quiet"].hold(at(moment).minute) for moment, _ in told)


def test_a_bucket_fills_up_to_its_burst_and_no_further():
    bucket = TokenBucket(2, per_minute=60)
    assert [bucket.take(0), bucket.take(0), bucket.take(0)] == [True, True, False]
    assert [bucket.take(0.5), bucket.take(1.0)] == [False, True]
    assert [bucket.take(1000), bucket.take(1000), bucket.take(1000)] == [True, True, False]


def test_a_clock_that_stands_still_gives_nothing():
    bucket = TokenBucket(1, per_minute=60)
    assert bucket.take(5)
    assert not bucket.take(5) and not bucket.take(4)
