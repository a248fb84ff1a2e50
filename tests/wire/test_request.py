"""A subscriber's line: strict, and every fault is told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SinkError
from detector.records import Label
from detector.wire.encoding import encode
from detector.wire.message import StatusBody
from detector.wire.request import (
    ControlLine,
    Filter,
    Request,
    VerdictLine,
    WatchLine,
    parse_request,
    parse_token,
)
from tests.support.wire_messages import make_message


@pytest.mark.parametrize("line", [b"", b"\r", b"{}", b'{"labels": null}', b'{"labels": [], "min_score": 0}'])
def test_asking_for_nothing_is_asking_for_everything(line):
    assert parse_request(line) == Request()


def test_a_verdict_is_given_alone_and_may_be_taken_back():
    line = b'{"verdict": {"id": "last", "said": "wrong"}}'
    assert parse_request(line) == Request(verdict=VerdictLine(id="last", said="wrong"))
    line = b'{"verdict": {"forget": "Dog"}}'
    assert parse_request(line) == Request(verdict=VerdictLine(forget="Dog"))


@pytest.mark.parametrize(
    "value",
    [
        *("true", "[]", "{}", '{"id": "1"}', '{"id": "1", "said": null}', '{"id": 1, "said": "wrong"}'),
        *('{"id": " ", "said": "wrong"}', '{"id": "1", "said": ""}', '{"forget": ""}', '{"forget": ["all"]}'),
        '{"id": "1", "said": "wrong", "forget": "all"}',
        '{"id": "1", "said": "wrong"}, "since": 0',
    ],
)
def test_a_verdict_of_another_form_is_refused(value):
    with pytest.raises(SinkError, match=r'expected \{"verdict"'):
        parse_request(f'{{"verdict": {value}}}'.encode())


@pytest.mark.parametrize("key", ["spectrogram", "sound"])
@pytest.mark.parametrize(("value", "source"), [("{}", ""), ('{"source": "porch"}', "porch")])
def test_whoever_watches_a_source_gets_no_events(key, value, source):
    wanted = parse_request(f'{{"{key}": {value}}}'.encode())
    assert wanted == Request(Filter(events=False), **{key: WatchLine(source)})
    assert not wanted.filter.passes(make_message())
    assert wanted.filter.passes(encode(StatusBody(state="listening", source="Mic", time=None)))


def test_sound_is_had_at_the_classifiers_own_rate():
    wanted = parse_request(b'{"sound": {"source": "porch", "full": true}}')
    assert wanted.sound == WatchLine("porch", full=True)
    for line in (b'{"sound": {"full": 1}}', b'{"spectrogram": {"full": true}}'):
        with pytest.raises(SinkError, match="expected"):
            parse_request(line)


@pytest.mark.parametrize(
    "value",
    [
        *("true", "null", "[]", '"porch"', '{"source": null}', '{"source": 1}', '{"source": ["porch"]}'),
        *('{"source": "porch", "bands": 64}', '{"source": "porch"}, "since": 0', '{}, "report2": true'),
    ],
)
@pytest.mark.parametrize("key", ["spectrogram", "sound"])
def test_a_request_to_watch_of_another_form_is_refused(key, value):
    with pytest.raises(SinkError, match=rf'expected \{{"{key}"'):
        parse_request(f'{{"{key}": {value}}}'.encode())


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ('{"pause": true}', ControlLine(pause=True)),
        ('{"pause": false, "source": "porch"}', ControlLine(pause=False, source="porch")),
        ('{"reload": true}', ControlLine()),
    ],
)
def test_what_the_daemon_is_to_do_is_asked_for_alone(value, wanted):
    assert parse_request(f'{{"control": {value}}}'.encode()) == Request(control=wanted)


@pytest.mark.parametrize(
    "value",
    [
        *("true", "[]", "{}", '"pause"', '{"pause": 1}', '{"pause": "true"}', '{"pause": null}'),
        *('{"reload": false}', '{"reload": 1}', '{"reload": true, "pause": true}', '{"source": "porch"}'),
        *('{"reload": true, "source": "porch"}', '{"pause": true, "source": 1}', '{"stop": true}'),
        '{"pause": true}, "since": 0',
    ],
)
def test_a_control_of_another_form_is_refused(value):
    with pytest.raises(SinkError, match=r'expected \{"control"'):
        parse_request(f'{{"control": {value}}}'.encode())


def test_a_report_is_asked_for_alone():
    assert parse_request(b'{"report": true}') == Request(report=True)


@pytest.mark.parametrize(
    ("line", "token"),
    [
        (b'{"token": "0123"}', b"0123"),
        (b' {"token":"0123"} \r', b"0123"),
        (b'{"token": "\\u00e9"}', "é".encode()),
        (b'{"token": 123}', b""),
        (b'{"token": "0123", "since": 1}', b""),
        (b'{"tokens": "0123"}', b""),
        (b'"0123"', b""),
        (b"0123", b""),
        (b"[" * 4000, b""),
        (b"\xff", b""),
        (b"", b""),
    ],
)
def test_a_token_is_an_object_of_its_own_and_all_else_is_none(line, token):
    assert parse_token(line) == token


@given(st.binary(max_size=200))
def test_no_line_makes_the_reading_of_a_token_fail(line):
    assert isinstance(parse_token(line), bytes)


def test_all_three_wishes_are_read():
    line = b'{"labels": [" DOG ", "/m/01"], "min_score": 0.5, "since": 7}\r'
    assert parse_request(line) == Request(Filter(frozenset({"dog", "/m/01"}), 0.5), 7)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"hello", "JSON object"),
        (b"\xff\xfe", "JSON object"),
        (b"[" * 4000, "JSON object"),
        (b"[]", "JSON object"),
        (b'{"label": []}', "'label'"),
        (b'{"labels": "Dog"}', "labels"),
        (b'{"labels": [1]}', "labels"),
        (b'{"min_score": 2}', "min_score"),
        (b'{"min_score": NaN}', "min_score"),
        (b'{"min_score": true}', "min_score"),
        (b'{"since": -1}', "since"),
        (b'{"since": 1.5}', "since"),
        (b'{"since": true}', "since"),
        (b'{"report": false}', "report"),
        (b'{"report": 1, "since": 0}', "report"),
        (b'{"token": "0123456789abcdef"}', "no token"),
    ],
)
def test_a_fault_is_told_in_one_line(line, fault):
    with pytest.raises(SinkError, match=fault) as caught:
        parse_request(line)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_no_line_makes_it_fail_otherwise(line):
    try:
        parse_request(line)
    except SinkError:
        return


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Filter(), True),
        (Filter(frozenset({"dog"})), True),
        (Filter(frozenset({"/m/0bt9lr", "cat"})), True),
        (Filter(frozenset({"cat"})), False),
        (Filter(min_score=0.9), True),
        (Filter(min_score=0.91), False),
        (Filter(frozenset({"cat"}), 0.1), False),
    ],
)
def test_an_event_passes_by_name_or_class_id_and_by_its_top_score(wanted, passes):
    assert wanted.passes(make_message(1, "end")) is passes


def test_only_events_are_filtered():
    assert Filter(frozenset({"cat"}), 1.0).passes(
        encode(StatusBody(state="listening", source="Mic", time=None))
    )


def test_an_unknown_score_passes_only_where_none_is_asked_for():
    unknown = make_message(top_score=math.nan)
    assert unknown.body.top_score is None
    assert Filter().passes(unknown)
    assert not Filter(min_score=0.01).passes(unknown)


def test_whoever_asks_for_a_label_gets_what_is_below_it_too():
    bark = Label(name="Bark", class_id="/m/05tny_", model="yamnet", ancestor_names=("Dog", "Animal"))
    wanted = parse_request(b'{"labels": ["dog"]}').filter
    assert wanted.passes(make_message(label=bark))
    assert not parse_request(b'{"labels": ["Cat"]}').filter.passes(make_message(label=bark))


def test_a_group_may_be_asked_for():
    siren = Label(name="Siren", class_id="/m/03kmc9", model="yamnet", ancestor_names=("Alarm",))
    bell = Label(name="Doorbell", class_id="/m/03wwcy", model="yamnet", ancestor_names=("Alarm", "Door"))
    wanted = parse_request(b'{"labels": ["alarms"], "min_score": 0.1}').filter
    assert wanted == Filter.of(["alarms"], 0.1)
    assert wanted.passes(make_message(label=siren))
    assert not wanted.passes(make_message(label=bell))
