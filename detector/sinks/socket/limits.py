"""What the event socket's subscribers may cost, how they are treated, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The defaults suit a Raspberry Pi: a backlog of 0.5 MB, and 64 KiB for each subscriber that lags."""

    backlog_length: int = 1000
    """Messages kept for replay and for subscribers that lag."""
    heartbeat_seconds: float = 30.0
    """How often every subscriber that keeps up gets a heartbeat, busy or not."""
    request_seconds: float = 0.5
    """Events wait this long after the hello for the subscriber's request."""
    client_buffer_bytes: int = 65536
    """Bytes that one connection holds beyond the kernel's; with more to send, the subscriber lags."""
    max_clients: int = 256
    """Subscribers served at once."""
    stall_seconds: float = 600.0
    """A subscriber that reads nothing for this long, although lines wait, is disconnected."""
    entry_seconds: float = 5.0
    """How long TLS may take, and after it the token."""
    refusal_seconds: float = 1.0
    """A wrong token is answered after this long, always the same."""
    max_pending: int = 64
    """Connections that may be pending at once, without TLS or token yet; beyond, the oldest is closed."""
    max_pending_per_host: int = 16
    """Pending connections from one address; beyond, its oldest is closed."""


@dataclass(slots=True)
class SubscriberCounts:
    """What became of one socket's subscribers; written by its own thread, read by others."""

    connected: int = 0
    """Subscribers now."""
    listening: int = 0
    """Subscribers that get the sound itself."""
    dropped: int = 0
    """Messages that slow subscribers lost."""
    refused: int = 0
    """Connections that were not let in: too many, no TLS, no or a wrong token."""


DEFAULT_LIMITS = ServerLimits()
