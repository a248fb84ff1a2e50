"""The wire format: valid JSON whatever comes, and frozen by golden lines.

After a wanted change, write the golden lines anew with `REGENERATE=1 pytest tests/sinks/test_message.py`.
"""

import json
import math
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.records import Label
from detector.service.device_state import DeviceState
from detector.wire import message as wire
from tests.support import ROOT
from tests.support.event_samples import T0, make_event, make_fields

GOLDEN = ROOT / "tests" / "golden" / "wire.jsonl"
PROTOCOL = ROOT / "docs" / "protocol.md"

SIREN = Label(name="Siren – Tatü", class_id="tatue", model="own")

EVERY_MESSAGE = [
    {
        **wire.hello_fields(
            version="0.1.0", model="yamnet", labels=["Dog", "Siren"], source="Mic", run_id="run"
        ),
        "time": wire.utc_text(T0),
        "heartbeat_seconds": 30.0,
    },
    wire.status_fields("listening", source="Mic", time=T0),
    {**make_fields("start"), "seq": 1},
    {**make_fields("update", id=2, label=SIREN, level_dbfs=-math.inf), "seq": 2},
    {**make_fields("end"), "seq": 3},
    wire.heartbeat_fields(time=T0, state="listening", seq=3),
    wire.dropped_fields(12, time=T0),
    wire.error_fields("expected one line", time=T0),
]


def test_every_message_is_as_the_golden_lines_say():
    """A change of the wire must be meant: fields may be added, never lost or moved unnoticed."""
    lines = b"".join(wire.encode(fields).line for fields in EVERY_MESSAGE)
    if os.environ.get("REGENERATE"):
        GOLDEN.write_bytes(lines)
    assert GOLDEN.read_bytes() == lines


@pytest.mark.parametrize("fields", EVERY_MESSAGE, ids=lambda fields: fields["type"])
def test_every_type_and_field_is_defined_in_the_protocol(fields):
    """docs/protocol.md has a section for each type, with a row for each of its fields."""
    text = PROTOCOL.read_text(encoding="utf-8")
    kind = "event" if fields["type"] in wire.EVENT_TYPES else fields["type"]
    section = re.search(rf"^### `{kind}`.*?(?=^##)", text, re.MULTILINE | re.DOTALL)
    assert section, f"no section for {kind}"
    described = set(re.findall(r"^\| `(\w+)` \|", section.group(), re.MULTILINE))
    assert described == set(fields)


def test_every_state_is_defined_in_the_protocol():
    states = re.search(r"^States .*?\n\n", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", states.group())) == {"starting"} | {
        state.value for state in DeviceState
    }


def test_an_event_carries_its_times_in_utc_and_rounded_numbers():
    fields = make_fields("end", score=0.87654)
    assert fields["start_time"] == "2026-08-01T14:03:22.500Z"
    assert fields["end_time"] == "2026-08-01T14:03:24.000Z"
    assert fields["time"] == "2026-08-01T14:03:25.000Z"
    assert (fields["score"], fields["duration"], fields["level_dbfs"]) == (0.877, 1.5, -23.5)


def test_until_its_end_an_event_has_no_end_time_and_its_duration_so_far():
    fields = make_fields("start")
    assert fields["end_time"] is None
    assert fields["duration"] == 0.5


def test_an_id_is_the_same_for_all_phases_and_another_in_the_next_run():
    same = {make_fields(phase)["id"] for phase in ("start", "update", "end")}
    event = make_event()
    other = wire.event_fields(event, to_utc=float, sample_rate=1, source="", run_id="later")["id"]
    assert len(same) == 1
    assert other not in same


@given(st.floats(), st.floats(), st.floats(), st.text(st.characters()))
def test_no_number_and_no_name_makes_a_line_invalid(score, level, moment, name):
    """NaN and infinities become null, half surrogates a question mark; the line stays one line."""
    event = make_event(score=score, top_score=score, level_dbfs=level, label=Label(name, name, name))
    fields = wire.event_fields(event, to_utc=lambda _: moment, sample_rate=16_000, source=name, run_id="r")
    message = wire.encode(fields)
    assert message.line.count(b"\n") == 1
    assert list(json.loads(message.line, parse_constant=pytest.fail)) == list(fields)


def test_encode_takes_whatever_the_daemon_may_hold():
    odd = {"type": "status", "detail": {"a": (math.nan, {1}), "b": Path("x"), "c": "\udcff"}}
    assert json.loads(wire.encode(odd).line)["detail"] == {"a": [None, [1]], "b": "x", "c": "?"}


def test_time_is_rounded_to_the_nearest_millisecond():
    assert wire.utc_text(0.9996) == "1970-01-01T00:00:01.000Z"
    assert wire.utc_text(1e300) is None


def test_a_run_is_named_after_its_start():
    assert wire.run_id_text(T0, 0x13F9A) == "20260801T140321Z-3f9a"
