"""What became of what was to go to one broker."""

from __future__ import annotations

from dataclasses import dataclass

CONNECTED, LOST, REFUSED, CONNECTING = "connected", "lost", "refused", "connecting"
"""States of a connection; `refused` is for what somebody must correct: a password, a certificate."""


@dataclass(slots=True)
class BrokerCounts:
    """Written by the sink's own thread, read by others; `report` is what `status` shows."""

    name: str
    """The sink's name."""
    state: str = CONNECTING
    detail: str = ""
    """Why there is no connection, for people."""
    published: int = 0
    """Messages of all topics handed to a connection."""
    acknowledged_seq: int = 0
    """The broker has every event up to this number."""
    events_waiting: int = 0
    """Events that the broker has not acknowledged; an upper limit after a crash, when numbers jump."""
    events_resent: int = 0
    """Events sent again, because it was not known whether the broker had them; they say so."""
    events_lost: int = 0
    """Events that the broker will never get: no room in memory, or damaged in the history."""
    detected_late: int = 0
    """Sounds not shown as live, because there was no connection in time."""

    @property
    def report(self) -> dict[str, object]:
        """All of it, with names for JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "detail": self.detail,
            "published": self.published,
            "acknowledged_seq": self.acknowledged_seq,
            "events_waiting": self.events_waiting,
            "events_resent": self.events_resent,
            "events_lost": self.events_lost,
            "detected_late": self.detected_late,
        }
