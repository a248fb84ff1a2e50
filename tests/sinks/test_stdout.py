"""Events on standard output: lines for people on a terminal, JSON for programs."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC

import pytest

from detector.errors import SinkClosed, SinkError
from detector.records import Alternative, Label
from detector.sinks.stdout import StdoutSink
from detector.wire.encoding import encode
from detector.wire.message import StatusBody
from detector.wire.plain_text import COLUMNS, event_line, sound_line
from tests.support.terminals import FakeTerminal
from tests.support.wire_messages import make_body, make_message


def written(stream, phases=("start", "update", "end"), **options):
    sink = StdoutSink(stream, **({"environ": {}} | options))
    sink.open()
    for seq, phase in enumerate(phases, 1):
        sink.write(make_message(seq, phase))
    sink.write(encode(StatusBody(state="listening", source="Mic", time=None)))
    sink.close()
    return stream.getvalue().splitlines()


def test_lines_are_aligned_whatever_the_label():
    long = Label("Smoke detector, smoke alarm", "/m/01y3hg", "yamnet")
    lines = [
        event_line(make_body("start"), zone=UTC),
        event_line(make_body("start", label=long, score=0.5, level_dbfs=-101), zone=UTC),
        event_line(make_body("end", label=long), zone=UTC),
        event_line(make_body("end", level_dbfs=float("nan"), top_score=float("nan")), zone=UTC),
    ]
    assert lines == [
        "14:03:22.500  start   Dog                            0.88   -23.5 dBFS",
        "14:03:22.500  start   Smoke detector, smoke alarm    0.50  -101.0 dBFS",
        "14:03:24.000  end     Smoke detector, smoke alarm    0.90   -23.5 dBFS      1.5 s",
        "14:03:24.000  end     Dog                               -       - dBFS      1.5 s",
    ]


def test_sounds_of_several_sources_come_with_the_name_of_theirs():
    body = replace(make_body("start"), source="porch")
    long = replace(body, source="behind_the_house")
    assert event_line(body, zone=UTC, with_source=True).startswith("14:03:22.500  start   porch       Dog  ")
    assert sound_line(long, zone=UTC, with_source=True).startswith("14:03:22  behind_th…  Dog  ")
    lines = written(FakeTerminal(), with_source=lambda: True, lines="all")
    assert "Mic         Dog" in lines[0]


def test_json_obeys_no_label_on_a_terminal_and_is_as_it_is_in_a_pipe():
    odd = make_message(1, "start", label=Label("Dog\x9b2J\u202e", "/m/0bt9lr", "yamnet"))
    for stream in (FakeTerminal(), io.StringIO()):
        sink = StdoutSink(stream, environ={}, format="json")
        sink.open()
        sink.write(odd)
        line = stream.getvalue()
        assert json.loads(line) == json.loads(odd.line)
        assert line.removesuffix("\n").isprintable() is stream.isatty()
    assert line == odd.line.decode()


def screen(*messages, lines="completed"):
    """What a terminal shows after these."""
    stream = FakeTerminal()
    sink = StdoutSink(stream, environ={"NO_COLOR": "1"}, lines=lines)
    sink.open()
    for message in messages:
        sink.write(message)
    return stream.lines


CAT = Label("Cat", "/m/01yrx", "yamnet")


def test_a_sound_is_one_line_that_its_end_completes():
    begun = screen(make_message(1, "start"))
    assert len(begun) == 1
    assert begun[0].split()[1:] == ["Dog", "0.90", "-24", "dB", "0.5", "s"]
    whole = screen(make_message(1, "start"), make_message(2, "end"))
    assert [line.split()[1:] for line in whole] == [["Dog", "0.90", "-24", "dB", "1.5", "s"], []]


def test_a_correction_replaces_the_label_of_the_line():
    shown = screen(make_message(1, "start"), make_message(2, "update", label=CAT))
    assert [line.split()[1] for line in shown] == ["Cat"]


def test_the_newest_sound_that_goes_on_is_below_those_that_have_ended():
    messages = [
        make_message(1, "start"),
        make_message(2, "start", id=2, label=CAT),
        make_message(3, "end"),
    ]
    assert [line.split()[1] for line in screen(*messages)] == ["Dog", "Cat"]


def test_a_sound_may_be_shown_at_its_end_alone():
    assert screen(make_message(1, "start"), lines="end") == [""]
    assert len(screen(make_message(1, "start"), make_message(2, "end"), lines="end")) == 2


def test_a_line_of_a_sound_fits_and_ends_with_what_it_may_be_as_well():
    smoke = Label("Smoke detector, smoke alarm and more", "/m/01y3hg", "yamnet")
    rivals = tuple(Alternative(Label(name, name, "yamnet"), 0.5) for name in ("Beep, bleep", "Fire alarm"))
    line = sound_line(make_body("end", label=smoke, alternatives=rivals), zone=UTC)
    assert line == "14:03:22  Smoke detector, smoke alarm…  0.90    -24 dB     1.5 s  Beep, bleep,…"
    assert len(line) <= COLUMNS


def test_an_open_line_is_left_when_the_sink_closes():
    assert written(FakeTerminal(), phases=("start",))[-1].removeprefix("\x1b[K").startswith("\x1b[1;32m")
    stream = FakeTerminal()
    written(stream, phases=("start",))
    assert stream.getvalue().endswith("\n")
    assert [line.split()[1:2] for line in stream.lines] == [["Dog"], []]


def test_a_label_cannot_move_the_cursor():
    assert "\x1b" not in event_line(make_body(label=Label("\x1b[2J\nx", "", "")))


def test_a_terminal_tells_whose_a_label_is_where_another_has_its_name():
    shared = [frozenset({"dog"}), frozenset()]
    lines = written(FakeTerminal(), phases=("start", "end"), lines="all", shared=lambda: shared.pop(0))
    assert ["Dog (yamnet) " in line for line in lines] == [True, False]


def test_programs_get_the_bare_name_and_the_model_beside_it():
    (line,) = written(io.StringIO(), phases=("start",), shared=lambda: {"dog"})
    assert (json.loads(line)["label"], json.loads(line)["model"]) == ("Dog", "yamnet")


def test_a_terminal_gets_a_start_and_an_end_in_colour():
    lines = written(FakeTerminal(), lines="all")
    assert [("start" in line, "end" in line) for line in lines] == [(True, False), (False, True)]
    assert all(line.startswith("\x1b[") and line.endswith("\x1b[0m") for line in lines)


def test_no_color_and_a_pipe_get_none():
    plain = written(FakeTerminal(), environ={"NO_COLOR": "1"}, lines="all") + written(
        io.StringIO(), format="text"
    )
    assert len(plain) == 4
    assert "\x1b" not in "".join(plain)


def test_updates_are_shown_when_asked_for():
    assert len(written(FakeTerminal(), updates=True, lines="all")) == 3


@pytest.mark.parametrize(("stream", "format"), [(io.StringIO(), "auto"), (FakeTerminal(), "json")])
def test_programs_get_every_event_as_json_and_nothing_else(stream, format):
    types = [json.loads(line)["type"] for line in written(stream, format=format)]
    assert types == ["start", "update", "end"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this platform")  # noqa: PTH110
def test_a_full_disk_is_one_lost_line_and_not_the_end():
    with open("/dev/full", "w") as stream:  # noqa: PTH123
        sink = StdoutSink(stream, environ={})
        sink.open()
        with pytest.raises(SinkError, match="No space left") as caught:
            sink.write(make_message())
        assert not isinstance(caught.value, SinkClosed)


@pytest.mark.skipif(os.name != "posix", reason="writes to a file descriptor")
def test_a_closed_pipe_is_told_apart():
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:  # noqa: PTH123
        sink = StdoutSink(stream, environ={})
        sink.open()
        with pytest.raises(SinkClosed):
            sink.write(make_message())


PROGRAM = """
import sys, threading
from detector.delivery.dispatcher import Dispatcher
from detector.sinks.stdout import StdoutSink
from detector.records import Alternative, Label
from tests.support.wire_messages import make_body

event = make_body(label=Label("x" * 1000, "", ""))

closed = threading.Event()
dispatcher = Dispatcher([StdoutSink(sys.stdout)], on_closed=lambda name: closed.set())
dispatcher.start()
while not closed.wait(0.0001):
    dispatcher.publish(event)
dispatcher.close()
"""


@pytest.mark.skipif(os.name != "posix", reason="writes to a file descriptor")
def test_head_ends_a_program_quietly():
    """`... | head -1`: exit code 0, no traceback, nothing "ignored" at the interpreter's end."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert json.loads(program.stdout.readline())["seq"] == 1
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait(30) == 0


STUCK = """
import sys
from detector.delivery.dispatcher import Dispatcher
from detector.records import Alternative, Label
from detector.sinks.stdout import StdoutSink
from tests.support.wire_messages import make_body

event = make_body(label=Label("x" * 1000, "", ""))

dispatcher = Dispatcher([StdoutSink(sys.stdout)])
dispatcher.start()
for _ in range(300):
    dispatcher.publish(event)
dispatcher.close(deadline_seconds=0.1)
"""


def test_a_reader_that_has_stopped_does_not_keep_the_program_from_ending():
    """`... | less` left alone: the pipe is full, the write hangs, the program ends nevertheless."""
    with subprocess.Popen(
        [sys.executable, "-c", STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert b"Fatal" not in program.stderr.read()
        assert program.wait(30) == 0
