"""What a connection to a broker can do, and how it can fail."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from detector.sinks.mqtt.broker_counts import LOST


class NoConnection(Exception):
    """There is no connection, or no longer; `state` is LOST or REFUSED."""

    def __init__(self, reason: str, *, state: str = LOST) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state


OTHER_VERSION = "the broker speaks another version of MQTT"


class UnknownVersion(NoConnection):
    """The broker may not speak this version of MQTT."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the connection breaks."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker."""

    topic: str
    payload: bytes
    number: int = 0
    """The broker's for this message; 0 for those of QoS 0."""
    qos: int = 0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker's answer to a message of QoS 1."""

    number: int
    """What `publish` returned."""
    refusal: str = ""
    """Why the broker did not take it; empty where it did."""


class Link(Protocol):
    """One connection, from its beginning to its end; used by one thread."""

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expires: int | None = None
    ) -> int:
        """Send a message; returns its number. `expires` [s] is for MQTT 5 and else has no effect."""

    def subscribe(self, topics: list[str]) -> None:
        """Have the broker send what comes to these topics."""

    def unsubscribe(self, topics: list[str]) -> None:
        """Have it send nothing more of them."""


class OpenLink(Link, Protocol):
    """A connection as the thread drives it."""

    def dial(self, stopped: Callable[[], bool]) -> None:
        """Connect, unless `stopped` meanwhile; raises NoConnection, UnknownVersion."""

    def wait(self, wake: socket.socket | None, seconds: float) -> None:
        """Read and write until something comes; raises NoConnection."""

    def take_received(self) -> list[Received]:
        """What has come."""

    def take_acknowledged(self) -> list[Acknowledged]:
        """What the broker has answered."""

    @property
    def is_flushed(self) -> bool:
        """Whether the broker has all that was published."""

    def close(self) -> None:
        """End it."""
