"""The settings of the event socket, what is wrong with them, and a socket made of them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

from detector.config.constraints import OnlyFor
from detector.config.sink_settings import SinkSettings
from detector.config.wording import show
from detector.errors import ConfigError, SinkError
from detector.interfaces import Sink
from detector.sinks.context import SinkContext
from detector.sinks.socket.limits import SubscriberCounts
from detector.wire.access import Access
from detector.wire.address import TcpAddress, default_socket_uri, parse_address, user_id

_TCP = re.compile(r"(?:tcp|tls)://(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_MAX_UNIX_PATH = 107
"""Bytes: Linux's `sun_path` less its final zero, unix(7)."""

_ONLY_UNIX = OnlyFor("a Unix socket")
_ONLY_TCP = OnlyFor("a socket with a tcp://HOST:PORT")


@dataclass(frozen=True, slots=True)
class SocketSettings(SinkSettings):
    """Events for programs; `target` is `unix://PATH` or `tcp://HOST:PORT`, empty for the default socket."""

    kind: ClassVar[str] = "socket"
    forms: ClassVar[tuple[str, ...]] = ("socket:unix://PATH", "socket:tcp://HOST:PORT")

    group: Annotated[str | None, _ONLY_UNIX] = None
    """The group that may connect; None is the daemon's own."""
    token_file: Annotated[str | None, _ONLY_TCP] = None
    """A file with the token that subscribers must show; not readable by others."""
    certificate: Annotated[str | None, _ONLY_TCP] = None
    """A PEM file with the certificate for TLS."""
    key: Annotated[str | None, _ONLY_TCP] = None
    """A PEM file with its private key; not readable by others."""
    insecure: Annotated[bool, _ONLY_TCP] = False
    """Serve other machines without TLS."""
    verdicts: bool | None = None
    """Whether whoever connects may give verdicts on events; None: at a Unix socket only."""
    control: bool | None = None
    """Whether whoever connects may pause the daemon and have it read its settings; None: as `verdicts`."""
    sound: bool = False
    """Whether whoever connects may listen to the microphone."""

    @property
    def access(self) -> Access:
        """Who gets in."""
        return Access(self.group, self.token_file, self.certificate, self.key, self.insecure)

    @property
    def takes_verdicts(self) -> bool:
        """Whether a subscriber may give verdicts."""
        return self._is_unix if self.verdicts is None else self.verdicts

    @property
    def takes_control(self) -> bool:
        """Whether a subscriber may pause the daemon and have it read its settings again."""
        return self._is_unix if self.control is None else self.control

    @property
    def place(self) -> str:
        """The address at which it listens."""
        return self.target or default_socket_uri(os.environ, sys.platform, user_id())

    @property
    def _is_unix(self) -> bool:
        return not isinstance(parse_address(self.place), TcpAddress)

    def fault(self) -> tuple[str, str] | None:
        """Find an address of another form, a key for the other kind of address, a socket too open."""
        if message := self._target_fault():
            return "target", message
        if not _TCP.fullmatch(self.target):
            given = (name for name in ("token_file", "certificate", "key", "insecure") if getattr(self, name))
            return next(((name, str(_ONLY_TCP)) for name in given), None)
        if self.group is not None:
            return "group", str(_ONLY_UNIX)
        if self.sound and (self.token_file is None or self.insecure):
            return "sound", (
                "expected a token_file, and no insecure: whoever connects here hears the microphone"
            )
        try:
            self.access.check(parse_address(self.target))
        except ConfigError as error:
            return "target", error.message
        except SinkError as error:
            return "target", str(error)
        return None

    def _target_fault(self) -> str:
        tcp = _TCP.fullmatch(self.target)
        if not self.target or (tcp and int(tcp[2]) <= 65535):
            return ""
        path = self.target.removeprefix("unix://")
        if path == self.target or not path:
            return f"expected unix://PATH or tcp://HOST:PORT (port 0..65535), got {show(self.target)}"
        size = len(os.fsencode(path))
        if size > _MAX_UNIX_PATH:
            return (
                f"expected a socket path of at most {_MAX_UNIX_PATH} bytes, got {size}: choose a shorter one"
            )
        return ""


def make_socket_sink(settings: SocketSettings, context: SinkContext) -> Sink:
    """Build the socket, not opened; its counts are added to the context's."""
    from detector.sinks.socket.control_desk import ControlDesk
    from detector.sinks.socket.server import SocketSink
    from detector.sinks.socket.verdict_desk import VerdictDesk

    counts = SubscriberCounts()
    context.subscribers.append(counts)
    return SocketSink(
        settings.place,
        hello=context.hello,
        report=context.report,
        access=settings.access,
        is_default=not settings.target,
        counts=counts,
        archive=context.archive,
        asked_labels=context.asked_labels,
        verdict_desk=VerdictDesk(context.give_verdict, is_open=settings.takes_verdicts),
        live=context.live,
        sound=settings.sound,
        control_desk=ControlDesk(context.take_control, is_open=settings.takes_control),
    )
