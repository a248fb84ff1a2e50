"""How far training is, on standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class Bars:
    """Fills `Progress`: one bar for each step at a time; nothing where `quiet` or without a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._what = ""
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of `what`; a step of another name closes the bar before."""
        if what != self._what:
            self.close()
            self._what, self._bar = what, self._open(what, total)
        self._bar.total = total
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def close(self) -> None:
        """The step is over."""
        if self._bar is not None:
            self._bar.close()
        self._what, self._bar = "", None

    def _open(self, what: str, total: int) -> Any:  # noqa: ANN401 (a package without types)
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own
        return tqdm(
            total=total,
            desc=what,
            file=sys.stderr,
            disable=True if self._quiet else None,
            dynamic_ncols=True,
            leave=False,
            bar_format="{desc} |{bar}| {n_fmt} of {total_fmt}, {remaining} left{postfix}",
        )
