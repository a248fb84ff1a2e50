"""Says that the sources together are more than this machine can do, and when that is over.

Each source catches up by itself, and says so at once (`source_load`). This is about the log: one line for an
episode and one at its end, however many sources take part.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from detector.service.source_load import TOO_SLOW, Burden
from detector.wire.source_table import some_names

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""The line waits so long, to name all that are late; they are so one after the other."""
OVER_SECONDS = 60.0
"""An episode is over when no source was behind for so long: what comes and goes is one episode."""
LOSS_SECONDS = 60.0
"""How often the log may say that sound is lost."""


class OverloadWatch:
    """Watches all sources of one daemon; `advice` ends the line: what would help."""

    def __init__(self, advice: str) -> None:
        self._advice = advice
        self._since: float | None = None
        self._seen_at = 0.0
        self._is_told = False
        self._behind: dict[str, None] = {}
        self._before: Sequence[Burden] = ()
        self._at_start: Sequence[Burden] = ()
        self._loss_told_at = float("-inf")
        self._dropped_told = 0

    def look(self, burdens: Sequence[Burden], now: float) -> None:
        """How all sources are at `now` on a steady clock [s]."""
        before = self._before or burdens
        self._before = burdens
        if behind := [burden.source for burden in burdens if burden.is_behind]:
            if self._since is None:
                self._since, self._at_start = now, before
            self._seen_at = now
            self._behind |= dict.fromkeys(behind)
        if self._since is None:
            return
        if now - self._seen_at >= OVER_SECONDS:
            self._end(burdens, self._since)
            return
        if not self._is_told and now - self._since >= SETTLE_SECONDS:
            self._is_told = True
            log.warning(
                f"daemon.overloaded sources=%r: {TOO_SLOW} with %s; "
                "windows are left out until it can; %s would help",
                some_names([*self._behind]),
                "the sound" if len(burdens) == 1 else f"what sounds in {len(self._behind)} of {len(burdens)}",
                self._advice,
            )
        if self._is_told:
            self._tell_losses(burdens, now)

    def _tell_losses(self, burdens: Sequence[Burden], now: float) -> None:
        dropped = sum(burden.dropped for burden in burdens)
        lost = dropped - max(self._dropped_told, sum(burden.dropped for burden in self._at_start))
        if lost and now - self._loss_told_at >= LOSS_SECONDS:
            self._loss_told_at, self._dropped_told = now, dropped
            log.warning(
                f"daemon.behind sources=%r blocks_dropped=%d: {TOO_SLOW}, and sound is lost",
                some_names([*self._behind]),
                lost,
            )

    def _end(self, burdens: Sequence[Burden], since: float) -> None:
        if self._is_told:
            skipped, dropped = (
                sum(getattr(burden, name) for burden in burdens)
                - sum(getattr(burden, name) for burden in self._at_start)
                for name in ("skipped", "dropped")
            )
            log.info(
                "daemon.keeps_up sources=%r seconds=%.0f windows_skipped=%d blocks_dropped=%d: "
                "this machine keeps up again",
                some_names([*self._behind]),
                self._seen_at - since,
                skipped,
                dropped,
            )
        self._since, self._is_told, self._behind = None, False, {}
