"""How late the worker is with a source's sound, and how many windows it leaves out to catch up.

Nothing here reads a clock: times are seconds on a steady one.
"""

from __future__ import annotations

DRAIN = 0.9
"""How fast sound that came in a burst falls due: below 1, so that a burst is forgotten after some minutes."""

LATE_SECONDS = 1.0
"""Sound that waits so long for the worker is late."""
PATIENCE_SECONDS = 2.0
"""So long it must stay late before windows are left out: a hiccup of the machine is over by then."""
ON_TIME_SECONDS = 0.3
"""Sound that waits no longer is on time."""
CALM_SECONDS = 30.0
"""After so long on time, fewer windows are left out."""
RELAPSE_SECONDS = 60.0
"""Who is late again so soon afterwards must be on time for twice as long the next time ..."""
LONGEST_CALM_SECONDS = 480.0
"""... up to this."""
LOST_SECONDS = 5.0
"""Sound that is so late although windows are left out is given up, so that what comes now is heard soon."""

FACTORS = (1, 2, 4)
"""Every window, every second, every fourth."""


class Pacing:
    """How long blocks wait for the worker, those that came in a burst from when they would have sounded.

    A stream may send half a minute at once, as HLS does. That the end of it waits is no fault of the
    worker's: it is due only when the sound before it has passed.
    """

    def __init__(self) -> None:
        self._due = self._excused_at = float("-inf")

    def late(self, arrived: float, seconds: float, now: float) -> float:
        """How late a block of so many seconds is [s], which arrived at `arrived` and is taken at `now`."""
        self._due = max(arrived, self._due + DRAIN * seconds)
        return max(0.0, now - max(self._due, self._excused_at))

    def excuse(self, now: float) -> None:
        """The program itself stood still until `now`: what waits is late from here on."""
        self._excused_at = now


class Thinning:
    """Which share of its windows a source may have, by how late it is."""

    def __init__(self) -> None:
        self.gives_up = False
        """Whether sound is given up, until it is on time again."""
        self._step = 0
        self._late_since: float | None = None
        self._calm_since = float("-inf")
        self._relaxed_at = float("-inf")
        self._calm_seconds = CALM_SECONDS

    @property
    def factor(self) -> int:
        """Of so many windows one is classified."""
        return FACTORS[self._step]

    def follow(self, late: float, now: float) -> None:
        """The newest block was so late [s] when it was taken at `now` [s]."""
        if late > ON_TIME_SECONDS:
            self._calm_since = now
        if late <= LATE_SECONDS:
            self._late_since, self.gives_up = None, False
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since >= PATIENCE_SECONDS:
            if self._step < len(FACTORS) - 1:
                self._thin_more(now)
            elif late > LOST_SECONDS:
                self.gives_up = True
        if self._step and now - self._calm_since >= self._calm_seconds:
            self._step -= 1
            self._calm_since = self._relaxed_at = now

    def _thin_more(self, now: float) -> None:
        self._step += 1
        self._late_since = now
        is_relapse = now - self._relaxed_at < RELAPSE_SECONDS
        self._calm_seconds = min(2 * self._calm_seconds, LONGEST_CALM_SECONDS) if is_relapse else CALM_SECONDS
