"""How listening goes, on standard error: time left, a level meter, and lines above them."""

from __future__ import annotations

from typing import Any, TextIO

METER_LOW_DBFS, METER_HIGH_DBFS, METER_WIDTH = -80.0, 0.0, 16


def clock(seconds: float) -> str:
    """`2:05`, `1:02:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def meter(dbfs: float) -> str:
    """A bar as long as it is loud, and the level."""
    share = (dbfs - METER_LOW_DBFS) / (METER_HIGH_DBFS - METER_LOW_DBFS)
    filled = round(min(1.0, max(0.0, share)) * METER_WIDTH)
    return f"[{'=' * filled}{' ' * (METER_WIDTH - filled)}] {dbfs:4.0f} dBFS"


class Bar:
    """Time done and left, and how loud it is; on a terminal only, but lines are told anywhere."""

    def __init__(self, seconds: float | None, *, quiet: bool, out: TextIO) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own
        form = "{desc}"
        if seconds is not None:
            form = "{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left  {desc}"
        self._quiet = quiet
        self._out = out
        self._done = 0.0
        self._bar: Any = tqdm(
            total=seconds, file=out, disable=True if quiet else None, dynamic_ncols=True, bar_format=form
        )

    def show(self, seconds: float, dbfs: float) -> None:
        """So much was heard, and it is that loud now."""
        if self._bar.disable:
            return
        heard = "" if self._bar.total is not None else f"{clock(seconds)} heard  "
        self._bar.set_description_str(heard + meter(dbfs), refresh=False)
        self._bar.update(min(seconds, self._bar.total or seconds) - self._done)
        self._done = min(seconds, self._bar.total or seconds)

    def say(self, line: str) -> None:
        """A line above the bar."""
        if self._quiet:
            return
        if self._bar.disable:
            print(line, file=self._out, flush=True)
        else:
            self._bar.write(line, file=self._out)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.close()
