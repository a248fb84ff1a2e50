"""What the event socket's subscribers may cost, how they are treated, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The defaults suit a Raspberry Pi: about 0.5 MB of history, and 64 KiB for each that lags."""

    history_length: int = 1000
    """Messages kept for replay and for subscribers that lag."""
    heartbeat_seconds: float = 30.0
    """Every subscriber that keeps up gets one this often, busy or not."""
    request_seconds: float = 0.5
    """Events wait this long after the hello for the subscriber's request."""
    client_buffer_bytes: int = 65536
    """Bytes handed to one connection ahead of the kernel; beyond, the subscriber lags in the history."""
    max_clients: int = 256
    """Subscribers served at once."""
    stall_seconds: float = 600.0
    """One that has taken nothing for this long, although lines wait, is let go."""
    entry_seconds: float = 5.0
    """How long TLS may take, and after it the token."""
    refusal_seconds: float = 1.0
    """A wrong token is answered after this long, always the same."""
    max_strangers: int = 64
    """Connections that have not shown their token, or not agreed on TLS, at once; then the oldest goes."""
    max_strangers_per_host: int = 16
    """The same from one address; further ones are closed at once."""


@dataclass(slots=True)
class SubscriberCounts:
    """What became of one socket's subscribers; written by its own thread, read by others."""

    connected: int = 0
    """Subscribers now."""
    dropped: int = 0
    """Messages that slow subscribers lost."""
    refused: int = 0
    """Connections that were not let in: too many, no TLS, no or a wrong token."""


DEFAULT_LIMITS = ServerLimits()
