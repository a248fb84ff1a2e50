"""Why the page does not do what it was asked to."""

from __future__ import annotations

from collections.abc import Sequence

from detector.errors import DetectorError


class Refused(DetectorError):
    """A request that cannot be fulfilled, in one line; `status` is that of the HTTP answer."""

    def __init__(self, status: int, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.faults = tuple(faults)
