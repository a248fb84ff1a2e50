"""Progress bars are for terminals; lines are for everybody."""

from __future__ import annotations

import io
import json
from contextlib import closing

from detector.workers.progress import LINE_SECONDS, ProgressBar, ProgressBars, ProgressLines


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def bar(out, **options):
    return ProgressBar(10, "{desc} {n_fmt} of {total_fmt}{postfix}", out=out, **options)


def test_a_terminal_shows_how_far_it_is():
    out = Terminal()
    with closing(bar(out, what="reading")) as shown:
        assert shown.is_shown
        shown.show(4, note="loss 0.5")
        shown.show(10)
    assert "reading" in out.getvalue()
    assert "10 of 10" in out.getvalue()


def test_elsewhere_only_lines_are_written():
    out = io.StringIO()
    with closing(bar(out)) as shown:
        assert not shown.is_shown
        assert shown.elapsed_seconds == 0
        shown.show(4)
        shown.say("a line")
    assert out.getvalue() == "a line\n"


def test_no_name_can_move_the_cursor():
    for out in (Terminal(), io.StringIO()):
        with closing(bar(out, what="a\x9b2J.wav")) as shown:
            shown.say("b\x1b]0;title\x07.wav\nnext line")
            shown.show(4, what="c\x9b2J.wav", note="d\x9b2J")
        assert "b\\x1b]0;title\\x07.wav\nnext line" in out.getvalue()
        assert "\x9b" not in out.getvalue()
        assert "\x1b]" not in out.getvalue()


def test_quiet_draws_nothing_on_a_terminal_either():
    out = Terminal()
    with closing(bar(out, quiet=True)) as shown:
        shown.show(4)
        shown.say("a line")
    assert out.getvalue() == "a line\n"


def test_bars_of_steps_are_silent_without_a_terminal(capsys):
    with closing(ProgressBars()) as progress:
        progress("reading", 1, 2)
        progress("training", 2, 2, "loss 0.1")
    assert capsys.readouterr().err == ""


def test_lines_for_programs_are_few_and_tell_of_each_steps_end():
    out, now = io.StringIO(), [0.0]
    progress = ProgressLines(out, clock=lambda: now[0])
    for done in range(101):
        progress("reading", done, 100)
        now[0] += LINE_SECONDS / 20
    progress("fitting", 1, 1)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert told[0] == {"step": "reading", "done": 0, "total": 100}
    assert told[-2:] == [
        {"step": "reading", "done": 100, "total": 100},
        {"step": "fitting", "done": 1, "total": 1},
    ]
    assert len(told) <= 8
