"""How far a long step is: bars on standard error, with lines of text among them, or lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from detector.files.terminal import escape, escape_lines, print_escaped

LINE_SECONDS = 0.25
"""Between two lines about one step."""


class Progress(Protocol):
    """Shows how far a long step is; it costs nothing to call often."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`what`: embedding, training, ...; `done` of `total` parts of it; `note`: the loss, for instance."""


class ProgressBar:
    """One bar of tqdm. Nothing is drawn where `quiet`, or where `out` is no terminal; lines always are.

    `bar_format` is tqdm's, `total` in any unit; None has no end.
    """

    def __init__(
        self,
        total: float | None,
        bar_format: str,
        *,
        what: str = "",
        in_bytes: bool = False,
        leave: bool = True,
        quiet: bool = False,
        out: TextIO | None = None,
    ) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own
        self._out = out or sys.stderr
        self._bar: Any = tqdm(
            total=total,
            desc=escape(what) or None,
            unit="B" if in_bytes else "it",
            unit_scale=in_bytes,
            file=self._out,
            disable=True if quiet else None,
            dynamic_ncols=True,
            leave=leave,
            bar_format=bar_format,
        )

    @property
    def is_shown(self) -> bool:
        """Whether anything is drawn."""
        return not self._bar.disable

    @property
    def elapsed_seconds(self) -> float:
        """Since the bar was opened; 0 where none is drawn."""
        return float(self._bar.format_dict["elapsed"]) if self.is_shown else 0.0

    def show(self, done: float, *, total: float | None = None, what: str = "", note: str = "") -> None:
        """So much of the total is done; a new total, name or note replaces the one before."""
        if not self.is_shown:
            return
        if total is not None:
            self._bar.total = total
        if what:
            self._bar.set_description_str(escape(what), refresh=False)
        if note:
            self._bar.set_postfix_str(escape(note), refresh=False)
        self._bar.update(done - self._bar.n)

    def say(self, line: str) -> None:
        """Write a line above the bar."""
        if self.is_shown:
            self._bar.write(escape_lines(line), file=self._out)
        else:
            print_escaped(line, self._out, flush=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.close()


class ProgressBars:
    """Fills `Progress`: one bar for each step at a time; nothing where `quiet` or without a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._what = ""
        self._bar: ProgressBar | None = None

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` parts of `what`; a step of another name closes the bar before."""
        if self._bar is None or what != self._what:
            self.close()
            self._what = what
            self._bar = ProgressBar(
                total,
                "{desc} |{bar}| {n_fmt} of {total_fmt}, {remaining} left{postfix}",
                what=what,
                leave=False,
                quiet=self._quiet,
            )
        self._bar.show(done, total=total, note=note)
        if done >= total:
            self.close()

    def close(self) -> None:
        """The step is over."""
        if self._bar is not None:
            self._bar.close()
        self._what, self._bar = "", None


class ProgressLines:
    """Fills `Progress` for a program that reads it: a JSON object a line, at most a few a second."""

    def __init__(self, out: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`out` is standard output by default."""
        self._out = out or sys.stdout
        self._clock = clock
        self._what = ""
        self._told = float("-inf")

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Tell of a new step at once, of its parts now and then, and of its end."""
        now = self._clock()
        if what == self._what and done < total and now - self._told < LINE_SECONDS:
            return
        self._what, self._told = what, now
        print(json.dumps({"step": what, "done": done, "total": total}), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left open."""
