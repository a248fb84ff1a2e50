"""The wire format: valid JSON whatever comes, and frozen by golden lines.

After a wanted change, write the golden lines anew with `REGENERATE=1 pytest tests/wire/test_message.py`.
"""

import json
import math
import os
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.alarms.alarm_stage import SMOKE_ALARM
from detector.records import Embedding, Label, Pattern, VerdictNote
from detector.service.device_state import DeviceState
from detector.wire import message as wire
from detector.wire.encoding import decode, encode
from detector.wire.live_bodies import ControlBody, SoundBody, SpectrogramBody
from tests.support import ROOT
from tests.support.wire_messages import DOG, T0, make_body, make_event, make_message

GOLDEN = ROOT / "tests" / "golden" / "wire.jsonl"
PROTOCOL = ROOT / "docs" / "protocol.md"

SIREN = Label(name="Siren – Tatü", class_id="tatue", model="own")

EVERY_MESSAGE = [
    encode(
        wire.HelloBody(
            version="0.1.0",
            model="yamnet",
            labels=("Dog", "Siren"),
            source="Mic",
            run_id="run",
            time=wire.utc_text(T0),
            heartbeat_seconds=30.0,
        )
    ),
    encode(wire.StatusBody(state="listening", source="Mic", time=wire.utc_text(T0))),
    make_message(1, "start"),
    make_message(2, "update", id=2, label=SIREN, level_dbfs=-math.inf),
    make_message(3, "end"),
    encode(
        wire.ClipBody(
            id="20260801T140319Z_dog_run-1",
            state="saved",
            path="/var/lib/sound-detector/clips/2026-08-01/20260801T140319Z_dog_run-1.flac",
            label="Dog",
            start_time=wire.utc_text(T0 - 2),
            duration=7.5,
            events=("run-1",),
            source="Mic",
            time=wire.utc_text(T0 + 6),
        )
    ),
    encode(wire.HeartbeatBody(time=wire.utc_text(T0), state="listening", seq=3)),
    encode(wire.DroppedBody(count=12, time=wire.utc_text(T0))),
    encode(wire.ErrorBody(message="expected one line", time=wire.utc_text(T0))),
    encode(
        wire.NoticeBody(
            message="no label",
            unknown_labels=("Dgo",),
            reported_as=(wire.ReportedAsBody("Bark", "Dog"),),
            time=wire.utc_text(T0),
        )
    ),
    make_message(4, "start", id=3, verdict=VerdictNote("rename", SIREN, 3, "run-2")),
    make_message(None, "end", id=4, verdict=VerdictNote("veto", DOG, 2, "run-1")),
    encode(
        wire.VerdictBody(
            id="run-3",
            label="Dog",
            said="wrong",
            replaced="right",
            fell_out=None,
            on_label=2,
            taken_back=0,
            message="stored",
            time=wire.utc_text(T0),
        )
    ),
    encode(
        wire.HelloBody(
            version="0.1.0",
            model="yamnet",
            labels=("Dog",),
            source="porch, yard",
            sources=("porch", "yard"),
            run_id="run",
        )
    ),
    encode(wire.StatusBody(state="listening", overall="device_lost", source="yard", time=wire.utc_text(T0))),
    make_message(5, "update", id=5, label=SMOKE_ALARM, pattern=Pattern("T3", 4, 3096.8)),
    encode(
        SpectrogramBody(
            source="Mic",
            level_dbfs=-43.2,
            bands=4,
            columns=2,
            low_hertz=50.0,
            high_hertz=8000.0,
            columns_per_second=20,
            data="ZGVmZ2RlZmc=",
            time=wire.utc_text(T0),
        )
    ),
    encode(
        SoundBody(
            source="Mic", sample_rate=16000, start=32000, samples=2, data="AQD//w==", time=wire.utc_text(T0)
        )
    ),
    encode(
        ControlBody(
            done=True,
            message="the settings are in force",
            paused=("yard",),
            needs_restart=("model.backend",),
            time=wire.utc_text(T0),
        )
    ),
]


def test_every_message_is_as_the_golden_lines_say():
    """A change of the wire must be meant: fields may be added, never lost or moved unnoticed."""
    lines = b"".join(message.line for message in EVERY_MESSAGE)
    if os.environ.get("REGENERATE"):
        GOLDEN.write_bytes(lines)
    assert GOLDEN.read_bytes() == lines


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda message: message.kind)
def test_every_type_and_field_is_defined_in_the_protocol(message):
    """docs/protocol.md has a section for each type, with a row for each of its fields."""
    text = PROTOCOL.read_text(encoding="utf-8")
    kind = "event" if isinstance(message.body, wire.EventBody) else message.kind
    section = re.search(rf"^### `{kind}`.*?(?=^##)", text, re.MULTILINE | re.DOTALL)
    assert section, f"no section for {kind}"
    described = set(re.findall(r"^\| `(\w+)` \|", section.group(), re.MULTILINE))
    left_out = {field.name for field in fields(message.body) if field.metadata == wire.LEFT_OUT}
    if isinstance(message.body, wire.EventBody):
        left_out.add("seq")
    assert described == set(json.loads(message.line)) | left_out


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda message: message.kind)
def test_what_was_sent_is_read_back_as_it_was(message):
    assert decode(message.line) == message
    assert decode(message.line.rstrip(b"\n")) == message


def test_every_state_is_defined_in_the_protocol():
    states = re.search(
        r"^States .*?\n\n(?=#)", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert set(re.findall(r"`(\w+)`", states.group())) == {"starting"} | {
        state.value for state in DeviceState
    }


def test_an_event_carries_its_times_in_utc_and_rounded_numbers():
    body = make_body("end", score=0.87654)
    assert body.start_time == "2026-08-01T14:03:22.500Z"
    assert body.end_time == "2026-08-01T14:03:24.000Z"
    assert body.time == "2026-08-01T14:03:25.000Z"
    assert (body.score, body.duration, body.level_dbfs) == (0.877, 1.5, -23.5)


def test_until_its_end_an_event_has_no_end_time_and_its_duration_so_far():
    body = make_body("start")
    assert body.end_time is None
    assert body.duration == 0.5


def test_an_id_is_the_same_for_all_phases_and_another_in_the_next_run():
    same = {make_body(phase).id for phase in ("start", "update", "end")}
    event = make_event()
    other = wire.event_body(event, to_utc=float, sample_rate=1, source="", run_id="later").id
    assert len(same) == 1
    assert other not in same


@given(st.floats(), st.floats(), st.floats(), st.text(st.characters()))
def test_no_number_and_no_name_makes_a_line_invalid(score, level, moment, name):
    """NaN and infinities become null, half surrogates a question mark; the line stays one line."""
    event = make_event(score=score, top_score=score, level_dbfs=level, label=Label(name, name, name))
    body = wire.event_body(event, to_utc=lambda _: moment, sample_rate=16_000, source=name, run_id="r")
    message = encode(body, 1)
    assert message.line.count(b"\n") == 1
    assert list(json.loads(message.line, parse_constant=pytest.fail)) == list(json.loads(make_message().line))


def test_encode_takes_whatever_the_daemon_may_hold():
    odd = {"a": (math.nan, {1}), "b": Path("x"), "c": "\udcff"}
    assert json.loads(encode(wire.ReportBody({"odd": odd})).line)["odd"] == {
        "a": [None, [1]],
        "b": "x",
        "c": "?",
    }
    status = wire.StatusBody(state="listening", source="Mic", detail=odd, time=None)
    assert json.loads(encode(status).line)["detail"] == {"a": [None, [1]], "b": "x", "c": "?"}


@dataclass(frozen=True)
class Rival:
    """As a field of later versions may be."""

    label: str
    score: float | None


@dataclass(frozen=True)
class LaterBody:
    kind: ClassVar[str] = "later"
    rivals: tuple[Rival, ...]
    source: str = ""


@pytest.mark.parametrize("name", ["Cat", "\udcff"])
def test_a_field_may_hold_objects(name):
    line = encode(LaterBody((Rival(name, 0.5),), name)).line
    assert json.loads(line)["rivals"] == [{"label": name.replace("\udcff", "?"), "score": 0.5}]
    assert list(json.loads(line)) == ["type", "rivals", "source", "schema"]


def test_a_field_that_does_not_apply_is_left_out():
    """So the lines of a daemon without verdicts are as they always were."""
    plain = json.loads(make_message().line)
    assert not plain.keys() & {"verdict", "vetoed", "embedding"}
    embedding = Embedding("yamnet", np.ones(3, np.float32))
    assert json.loads(make_message(embedding=embedding).line) == plain


def test_an_object_of_another_form_is_read_as_nothing():
    read = decode(b'{"type":"start","verdict":7,"vetoed":{"verdicts":"many","nearest":5}}').body
    assert (read.verdict, read.vetoed) == (None, wire.VetoBody(0, ""))


def test_what_is_missing_or_of_another_type_is_read_as_nothing():
    line = (
        b'{"type":"start","label":7,"ancestors":["Dog",1],"top_score":"high","score":1,"more":[],"seq":"x"}'
    )
    message = decode(line)
    body = message.body
    assert (message.kind, message.seq, message.line) == ("start", None, line + b"\n")
    assert (body.label, body.ancestors, body.top_score, body.score) == ("", ("Dog",), None, 1)
    assert decode(b'{"type":"hello","labels":null}').body.labels == ()


def test_types_of_later_versions_are_read_and_kept():
    message = decode(b'{"type":"weather","rain":true,"schema":1}')
    assert message.body == wire.UnknownBody("weather", {"rain": True})
    assert encode(message.body).line == b'{"type":"weather","rain":true,"schema":1}\n'
    assert decode(b'{"type":"report","windows":3,"schema":1}').body == wire.ReportBody({"windows": 3})


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b'{"a":1}', b'{"type":1}', b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ValueError):
        decode(line)


def test_only_an_event_is_one():
    assert wire.event_of(make_message()) == make_body()
    with pytest.raises(ValueError, match="'status'"):
        wire.event_of(EVERY_MESSAGE[1])


def test_time_is_rounded_to_the_nearest_millisecond():
    assert wire.utc_text(0.9996) == "1970-01-01T00:00:01.000Z"
    assert wire.utc_text(-0.0004) == "1970-01-01T00:00:00.000Z"
    assert wire.utc_text(-0.001) == "1969-12-31T23:59:59.999Z"
    assert wire.utc_text(1e300) is None


@given(st.floats(-62_135_596_800, 253_402_300_799))
def test_a_time_is_as_the_standard_library_writes_it(seconds):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(seconds * 1000))
    assert wire.utc_text(seconds) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_run_is_named_after_its_start():
    assert wire.run_id_text(T0, 0x13F9A) == "20260801T140321Z-3f9a"
