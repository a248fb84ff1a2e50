"""The progress bar on standard error, and the lines that must not run into it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self


class Bar:
    """Shows how much of all recordings is done, by their bytes, and the time left; silent where `quiet`.

    Nothing is shown where standard error is no terminal. `sizes` [bytes] are those of the tasks, by index.
    """

    def __init__(self, sizes: Sequence[int], *, quiet: bool = False) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own
        self._sizes = [max(1, size) for size in sizes]
        self._shares = [0.0] * len(sizes)
        self._seconds = [0.0] * len(sizes)
        self._bar: Any = tqdm(
            total=sum(self._sizes),
            unit="B",
            unit_scale=True,
            file=sys.stderr,
            disable=True if quiet else None,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left{postfix}",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, index: int, share: float, seconds: float | None = None) -> None:
        """A task is done to this share; `seconds` of sound were heard in it."""
        share = max(share, self._shares[index])
        self._bar.update((share - self._shares[index]) * self._sizes[index])
        self._shares[index] = share
        if seconds is not None:
            self._seconds[index] = seconds
        if not self._bar.disable and (elapsed := self._bar.format_dict["elapsed"]) > 0:
            speed = sum(self._seconds) / elapsed
            self._bar.set_postfix_str(f"{speed:.0f} x real time", refresh=False)

    def say(self, line: str) -> None:
        """Write a line above the bar."""
        if self._bar.disable:
            print(line, file=sys.stderr, flush=True)
        else:
            self._bar.write(line, file=sys.stderr)
