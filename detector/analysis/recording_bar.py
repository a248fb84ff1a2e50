"""The progress of all recordings together, on standard error."""

from __future__ import annotations

from collections.abc import Sequence

from detector.workers.progress import ProgressBar


class RecordingBar:
    """Shows how much of all recordings is done, by their bytes, and the time left; silent where `quiet`.

    `sizes` [bytes] are those of the recordings, by index. Without a terminal nothing is shown.
    """

    def __init__(self, sizes: Sequence[int], *, quiet: bool = False) -> None:
        self._sizes = [max(1, size) for size in sizes]
        self._shares = [0.0] * len(sizes)
        self._seconds = [0.0] * len(sizes)
        self._bar = ProgressBar(
            sum(self._sizes),
            "{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left{postfix}",
            in_bytes=True,
            quiet=quiet,
        )

    def show(self, index: int, share: float, seconds: float | None = None) -> None:
        """A recording is done to this share; `seconds` of it were analyzed."""
        self._shares[index] = max(share, self._shares[index])
        if seconds is not None:
            self._seconds[index] = seconds
        done = sum(share * size for share, size in zip(self._shares, self._sizes, strict=True))
        elapsed = self._bar.elapsed_seconds
        self._bar.show(done, note=f"{sum(self._seconds) / elapsed:.0f} x real time" if elapsed else "")

    def say(self, line: str) -> None:
        """Write a line above the bar."""
        self._bar.say(line)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.close()
