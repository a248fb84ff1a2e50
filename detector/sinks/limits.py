"""What the event socket's subscribers may cost, and how they are treated."""

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


DEFAULT_LIMITS = ServerLimits()
