"""Says in the log that a machine cannot keep up with the sound, but not with every block."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

BEHIND_SECONDS = 60.0
"""How often the log may say that blocks are lost."""


class BehindWarning:
    """Logs, at most once a minute, that blocks of a source were lost because the worker was behind."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._dropped_before = 0
        self._behind_at = float("-inf")

    def look(self, dropped: int, now: float) -> None:
        """So many blocks were lost since the start, at `now` on a steady clock [s]."""
        if dropped > self._dropped_before and now - self._behind_at >= BEHIND_SECONDS:
            log.warning(
                "daemon.behind source=%r blocks_dropped=%d: this machine cannot keep up with the sound; "
                "a smaller model, or fewer sources, would help",
                self._source,
                dropped,
            )
            self._dropped_before, self._behind_at = dropped, now
