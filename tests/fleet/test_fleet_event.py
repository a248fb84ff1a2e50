"""What is an event of a fleet, and what is refused in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.fleet.fleet_event import UnfitPayload, event_of, fact_of
from tests.support.fleet_events import PREFIX, RUN, payload, topic


def read(data, where="hall"):
    return event_of(topic(where), data, prefix=PREFIX)


def test_an_event_is_named_by_node_generation_and_number():
    event = read(payload(7))
    assert (event.node, event.generation, event.seq, event.run) == ("hall", "g", 7, RUN)
    assert (event.label, event.source, event.start, event.stop) == ("Dog", "Mic", 1785593002.5, None)
    assert json.loads(event.line)["class_id"] == "/m/0bt9lr"


def test_an_event_of_a_source_that_has_a_name_is_of_the_same_run():
    event = event_of(topic(ending="yard/events"), payload(7, id=f"{RUN}-yard-west-7"), prefix=PREFIX)
    assert event.run == RUN


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"node": "attic"}, "expected node 'hall', as the topic says, got 'attic'"),
        ({"seq": 0}, "expected seq"),
        ({"seq": True}, "expected seq"),
        ({"seq": 2**70}, "expected seq"),
        ({"seq": "7"}, "expected seq"),
        ({"id": "7"}, "expected an id such as"),
        ({"label": None}, "expected label, a text, got None"),
        ({"label": "a\0b"}, "expected label"),
        ({"start_time": "now"}, "expected start_time such as"),
        ({"start_time": None}, "expected start_time such as"),
        ({"end_time": 7}, "expected end_time such as"),
        ({"top_score": 2}, "expected top_score from 0 to 1"),
        ({"top_score": "high"}, "expected top_score from 0 to 1"),
    ],
)
def test_an_event_that_does_not_fit_is_refused_with_what_was_expected(changes, said):
    with pytest.raises(UnfitPayload, match=said) as refused:
        read(payload(**{"seq": 7} | changes))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 60_000, b" " * 70_000])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(UnfitPayload):
        read(data)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400"])
def test_a_number_that_json_does_not_have_is_refused_as_others_could_not_read_the_event(number):
    for reader, ending in ((event_of, "events"), (fact_of, "stats")):
        data = payload(7)[:-1] + f', "mood": {number}}}'.encode()
        with pytest.raises(UnfitPayload, match="expected numbers that JSON has"):
            reader(topic(ending=ending), data, prefix=PREFIX)


@pytest.mark.parametrize("key", ["generation", "run"])
@pytest.mark.parametrize("value", ["a\\u0000b", ""])
def test_what_no_database_could_look_for_is_refused(key, value):
    with pytest.raises(UnfitPayload, match=f"expected {key}, a text"):
        fact_of(topic(ending="stats"), f'{{"{key}": "{value}"}}'.encode(), prefix=PREFIX)


@pytest.mark.parametrize("where", ["other/hall/events", f"{PREFIX}/a b/events", f"{PREFIX}/", PREFIX, ""])
def test_a_topic_of_somebody_else_is_refused(where):
    with pytest.raises(UnfitPayload, match="expected a topic"):
        event_of(where, payload(7), prefix=PREFIX)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_nothing_else_is_raised_whatever_comes(data, ending):
    for reader in (event_of, fact_of):
        try:
            reader(f"{PREFIX}/{ending}", data, prefix=PREFIX)
        except UnfitPayload:
            continue


def test_half_a_character_is_kept_as_a_question_mark():
    assert read(payload(7).replace(b"Dog", b"D\\ud800g")).label == "D?g"


@pytest.mark.parametrize(
    ("ending", "data", "kind", "source", "value"),
    [
        ("availability", b"online", "availability", "", "online"),
        ("source/state", b"silent", "state", "", "silent"),
        ("yard/source/state", b"ok", "state", "yard", "ok"),
        ("listen", b"OFF", "listen", "", "OFF"),
        ("stats", b'{"level_dbfs": -40}', "stats", "", '{"level_dbfs": -40}'),
        ("yard/stats", b"{}", "stats", "yard", "{}"),
    ],
)
def test_what_a_daemon_says_of_itself(ending, data, kind, source, value):
    fact = fact_of(topic(ending=ending), data, prefix=PREFIX)
    assert fact is not None
    assert (fact.node, fact.source, fact.kind, fact.value) == ("hall", source, kind, value)


def test_other_topics_say_nothing():
    assert fact_of(topic(ending="class/dog"), b"ON", prefix=PREFIX) is None
