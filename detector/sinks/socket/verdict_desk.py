"""Where the event socket hands verdicts in, and whose verdicts it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detector.errors import VerdictError
from detector.wire.message import VerdictBody
from detector.wire.request import VerdictLine


@dataclass(frozen=True, slots=True)
class VerdictDesk:
    """What one socket does with a verdict."""

    give: Callable[[VerdictLine], VerdictBody] | None
    """Stores it, or raises DetectorError; None where there is no history to store it in."""
    is_open: bool
    """Whether whoever connects to this socket may give verdicts."""

    def take(self, request: VerdictLine) -> VerdictBody:
        """Store a verdict; waits for the disk. Raises DetectorError."""
        if not self.is_open:
            raise VerdictError(
                "this socket takes none; `verdicts: true` would take those of whoever connects"
            )
        if self.give is None:
            raise VerdictError("this daemon keeps no history, in which they are stored")
        return self.give(request)


NO_DESK = VerdictDesk(None, is_open=False)
"""Takes no verdicts."""
