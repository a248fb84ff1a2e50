"""The line that shows, while nothing is reported, that the program listens; it leaves nothing behind."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.files.terminal import cells
from detector.records import Label
from detector.sinks.context import InputState, SinkContext
from detector.sinks.status_line import StatusLine, duration_text
from detector.sinks.stdout import StdoutSettings, StdoutSink, make_stdout_sink
from tests.support.fakes import HandClock
from tests.support.terminals import FakeTerminal
from tests.support.wire_messages import make_message

CAT = Label("Cat", "/m/01yrx", "yamnet")
LISTENING = InputState(state="listening", detail="", level_dbfs=-40.0, gate_is_open=False)
MUTED = InputState(
    state="silent",
    detail="digital silence only: is it muted? Unmute it",
    level_dbfs=-120.0,
    gate_is_open=False,
)


class Setting:
    """A sink on a terminal, with a status line whose source and clock are set by hand."""

    def __init__(self, *, environ=None, stream=None, **options):
        self.terminal = FakeTerminal() if stream is None else stream
        self.clock = HandClock(0.0)
        self.now = LISTENING
        self.sink = StdoutSink(
            self.terminal,
            environ={"NO_COLOR": "1"} if environ is None else environ,
            status=StatusLine(lambda: self.now, clock=self.clock),
            columns=lambda: self.terminal.columns,
            **options,
        )
        self.sink.open()

    def write(self, *phases, **changes):
        for phase in phases:
            self.sink.write(make_message(1, phase, **changes))

    def shown(self):
        """What the terminal shows after a refresh."""
        self.sink.refresh()
        return self.terminal.lines


def test_it_shows_the_level_and_the_gate():
    setting = Setting()
    assert setting.shown() == ["[========        ]  -40 dBFS  gate closed  no sound yet"]
    setting.now = InputState(state="listening", detail="", level_dbfs=-5.0, gate_is_open=True)
    assert setting.shown() == ["[=============== ]   -5 dBFS  gate open    no sound yet"]


def test_it_shows_the_last_sound_and_how_long_ago_that_was():
    setting = Setting()
    setting.write("start", "end")
    setting.clock.now += 12.0
    line, status = setting.shown()
    assert line.split()[1] == "Dog"
    assert status.endswith("gate closed  last: Dog, 12 s ago")


def test_while_a_sound_goes_on_its_line_is_shown_instead():
    setting = Setting()
    setting.write("start")
    (line,) = setting.shown()
    assert line.split()[1] == "Dog"


@pytest.mark.parametrize(("lines", "above"), [("end", 0), ("all", 1)])
def test_a_sound_that_goes_on_is_named_where_it_has_no_line_of_its_own(lines, above):
    setting = Setting(lines=lines)
    setting.write("start")
    setting.write("update", label=CAT)
    *before, status = setting.shown()
    assert (len(before), status.endswith("now: Cat")) == (above, True)


@pytest.mark.parametrize("lines", ["completed", "end", "all"])
def test_it_is_removed_before_a_line_and_at_the_end(lines):
    with_it, without = Setting(lines=lines), FakeTerminal()
    plain = StdoutSink(without, environ={"NO_COLOR": "1"}, lines=lines)
    plain.open()
    for phase in ("start", "update", "end"):
        with_it.shown()
        with_it.write(phase)
        plain.write(make_message(1, phase))
    with_it.shown()
    with_it.sink.close()
    plain.close()
    assert with_it.terminal.lines == without.lines
    assert len(without.lines) > 1


def test_it_is_removed_also_where_it_is_longer_than_the_line_that_follows():
    setting = Setting(lines="all")
    setting.now = InputState(state="silent", detail="m" * 90, level_dbfs=-120.0, gate_is_open=False)
    assert len(setting.shown()[-1]) == 79
    setting.write("start")
    assert "m" not in setting.terminal.lines[0]


def test_it_is_one_line_however_often_it_is_written():
    setting = Setting()
    for _ in range(100):
        setting.clock.now += 1.0
        assert len(setting.shown()) == 1


@pytest.mark.parametrize("columns", [20, 40, 79, 80, 200])
def test_it_follows_the_width_of_the_terminal_and_leaves_nothing_where_that_changed(columns):
    setting = Setting()
    setting.write("start", "end", label=Label("Smoke detector, smoke alarm", "/m/01y3hg", "yamnet"))
    setting.shown()
    setting.terminal.columns = columns
    before, status = setting.shown()
    assert before.split()[1] == "Smoke"
    assert 0 < len(status) < min(columns, 80)
    assert setting.terminal.rows[-1] == status
    setting.sink.close()
    assert setting.terminal.lines == [before, ""]


def test_the_rest_of_the_screen_is_never_erased_at_once():
    """tmux would keep what was on it, and show it again and again."""
    setting = Setting()
    setting.shown()
    setting.terminal.columns = 20
    setting.write("start")
    setting.shown()
    setting.write("end")
    setting.sink.close()
    assert "J" not in setting.terminal.getvalue()


def test_the_line_of_a_sound_that_goes_on_follows_the_width_too():
    setting = Setting()
    setting.write("start")
    setting.terminal.columns = 30
    (line,) = setting.shown()
    assert len(line) < 30
    setting.write("end")
    assert [line.split()[-2:] for line in setting.shown()[:1]] == [["1.5", "s"]]


@given(
    st.text(max_size=60),
    st.integers(0, 200),
    st.floats(0, 1e7),
    st.sampled_from([LISTENING, MUTED]),
    st.booleans(),
)
def test_it_never_has_more_columns_than_it_may(label, columns, seconds, now, ended):
    clock = HandClock(0.0)
    status = StatusLine(lambda: now, clock=clock)
    status.note(make_message(1, "end" if ended else "start", label=Label(label, "", "")).body)
    clock.now += seconds
    text = status.text(columns=columns)
    assert cells(text) <= columns
    assert text.isprintable()


def test_a_source_that_is_not_well_says_why():
    setting = Setting()
    setting.now = MUTED
    assert setting.shown() == ["digital silence only: is it muted? Unmute it"]
    setting.now = InputState(state="clipping", detail="too loud", level_dbfs=0.0, gate_is_open=True)
    assert setting.shown() == ["[================]    0 dBFS  too loud"]
    setting.now = InputState(
        state="waiting", detail="waiting for a microphone", level_dbfs=0, gate_is_open=True
    )
    assert setting.shown() == ["waiting for a microphone"]


@pytest.mark.parametrize(
    "options",
    [
        {"stream": io.StringIO(), "format": "text"},
        {"stream": io.StringIO()},
        {"format": "json"},
        {"environ": {"TERM": "dumb"}},
    ],
    ids=["a file", "a pipe", "JSON", "a dumb terminal"],
)
def test_where_no_line_can_be_written_again_there_is_none_and_no_colour(options):
    setting = Setting(**options)
    assert setting.sink.refresh_seconds is None
    setting.write("start", "update", "end")
    setting.sink.refresh()
    setting.sink.close()
    written = setting.terminal.getvalue()
    assert "gate" not in written
    assert "\x1b" not in written
    assert "\r" not in written
    assert written.count("\n") == (3 if written.startswith("{") else 2)


def test_without_a_status_nothing_is_written_between_events():
    terminal = FakeTerminal()
    sink = StdoutSink(terminal, environ={})
    sink.open()
    assert sink.refresh_seconds is None
    sink.refresh()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("wanted", "input_state", "shown"),
    [(True, lambda: LISTENING, True), (False, lambda: LISTENING, False), (True, None, False)],
)
def test_the_settings_turn_it_off_and_a_recording_at_full_speed_has_none(
    monkeypatch, wanted, input_state, shown
):
    monkeypatch.setattr("sys.stdout", FakeTerminal())
    monkeypatch.setenv("TERM", "xterm")
    context = SinkContext(lambda: None, lambda: None, input_state=input_state)
    sink = make_stdout_sink(StdoutSettings(status_line=wanted), context)
    assert (sink.refresh_seconds is not None) == shown


def test_it_is_dim_where_there_is_colour():
    setting = Setting(environ={"TERM": "xterm"})
    setting.shown()
    assert "\x1b[2m[====" in setting.terminal.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h")),
        *((47.9 * 3600, "47 h"), (48 * 3600, "2 days"), (1e7, "115 days")),
    ],
)
def test_times_are_short(seconds, text):
    assert duration_text(seconds) == text
