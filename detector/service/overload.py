"""Says that the sources together are more than this machine can do, and when that is over.

Each source catches up by itself (`source_load`). This is about people: one line in the log for an episode
and one at its end, however many sources take part, and a message for each that does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from detector.service.source_load import DETAIL, Burden

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""The line waits so long, to name all that are late; they are so one after the other."""
OVER_SECONDS = 60.0
"""An episode is over when no source was behind for so long: what comes and goes is one episode."""
LOSS_SECONDS = 60.0
"""How often the log may say that sound is lost."""
MOST_NAMES = 4


class OverloadWatch:
    """Watches all sources of one daemon; `advice` ends the line: what would help."""

    def __init__(self, advice: str) -> None:
        self._advice = advice
        self._since: float | None = None
        self._seen_at = 0.0
        self._is_told = False
        self._behind: dict[str, None] = {}
        self._told: set[str] = set()
        self._before: Sequence[Burden] = ()
        self._at_start: Sequence[Burden] = ()
        self._loss_told_at = float("-inf")
        self._dropped_told = 0

    @property
    def is_overloaded(self) -> bool:
        """Whether an episode was told and is not over."""
        return self._is_told

    def look(self, burdens: Sequence[Burden], now: float) -> dict[str, str]:
        """How all sources are at `now` on a steady clock [s].

        Returns the sources for which a message is due, with its words: none for one that was behind.
        """
        before = self._before or burdens
        self._before = burdens
        behind = [
            burden.source
            for burden, earlier in zip(burdens, before, strict=True)
            if burden.is_thinned or burden.dropped > earlier.dropped
        ]
        if behind:
            if self._since is None:
                self._since, self._at_start = now, before
            self._seen_at = now
            self._behind |= dict.fromkeys(behind)
        if self._since is None:
            return {}
        if now - self._seen_at >= OVER_SECONDS:
            return self._end(burdens, now)
        if not self._is_told and now - self._since >= SETTLE_SECONDS:
            self._is_told = True
            log.warning(
                "daemon.overloaded sources=%r: this machine cannot keep up with %s; "
                "windows are left out until it can; %s would help",
                self._names(),
                "the sound" if len(burdens) == 1 else f"what sounds in {len(self._behind)} of {len(burdens)}",
                self._advice,
            )
        if not self._is_told:
            return {}
        self._tell_losses(burdens, now)
        new = {source: DETAIL for source in self._behind if source not in self._told}
        self._told |= new.keys()
        return new

    def _tell_losses(self, burdens: Sequence[Burden], now: float) -> None:
        dropped = sum(burden.dropped for burden in burdens)
        lost = dropped - max(self._dropped_told, sum(burden.dropped for burden in self._at_start))
        if lost and now - self._loss_told_at >= LOSS_SECONDS:
            self._loss_told_at, self._dropped_told = now, dropped
            log.warning(
                "daemon.behind sources=%r blocks_dropped=%d: this machine cannot keep up, and sound is lost",
                self._names(),
                lost,
            )

    def _end(self, burdens: Sequence[Burden], now: float) -> dict[str, str]:
        if self._is_told and self._since is not None:
            skipped, dropped = (
                sum(getattr(burden, name) for burden in burdens)
                - sum(getattr(burden, name) for burden in self._at_start)
                for name in ("skipped", "dropped")
            )
            log.info(
                "daemon.keeps_up sources=%r seconds=%.0f windows_skipped=%d blocks_dropped=%d: "
                "this machine keeps up again",
                self._names(),
                self._seen_at - self._since,
                skipped,
                dropped,
            )
        over = dict.fromkeys(self._told, "")
        self._since, self._is_told = None, False
        self._behind, self._told = {}, set()
        return over

    def _names(self) -> str:
        names = list(self._behind)
        more = len(names) - MOST_NAMES
        if more <= 1:
            return ", ".join(names)
        return f"{', '.join(names[:MOST_NAMES])} and {more} others"
