"""How many frames a device lost, estimated from a clock alone.

PortAudio reports an overflow only by closing the stream, so it is asked to stay silent and the
loss is seen here: after one, every read is late by the length of what is missing. A reader that
was held up is late as well, but catches up at once from the device's buffer; so only lateness that
lasts counts. The clocks of device and computer may differ by LEAK.
"""

from __future__ import annotations

LEAK = 0.001
"""Seconds by which the device may fall behind per second; cheap crystals stay below a tenth of it."""

TOLERANCE_SECONDS = 0.05
"""Lateness that is not worth a gap."""

PATIENCE_SECONDS = 0.5
"""How long reads must stay late: longer than catching up takes, at memory speed, from any buffer."""


class Lateness:
    """Compare what a device delivered with what it should have, read by read."""

    def __init__(self, *, rate: int) -> None:
        self._rate = rate
        self._frames = 0
        self._on_time: float | None = None
        self._seen = 0.0
        self._late_since: float | None = None
        self._least = 0.0

    def lost(self, now: float, frames: int) -> int:
        """Count the read that ended at `now` [s, monotonic]; return the frames missing before it."""
        self._frames += frames
        lateness = now - self._frames / self._rate
        if self._on_time is None:
            self._on_time = lateness
        else:
            self._on_time = min(lateness, self._on_time + LEAK * max(0.0, now - self._seen))
        self._seen = now
        excess = lateness - self._on_time
        if excess < TOLERANCE_SECONDS:
            self._late_since = None
            return 0
        if self._late_since is None:
            self._late_since, self._least = now, excess
        self._least = min(self._least, excess)
        if now - self._late_since < PATIENCE_SECONDS:
            return 0
        missing = int(self._least * self._rate)
        self._frames += missing
        self._late_since = None
        return missing
