"""Events for programs: a Unix or TCP socket that any number of subscribers read (docs/protocol.md)."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from detector.errors import SinkError
from detector.events.labels import AskedLabels
from detector.interfaces import Archive, Message
from detector.sinks.live_taps import LiveTaps
from detector.sinks.socket.control_desk import NO_CONTROL, ControlDesk
from detector.sinks.socket.limits import DEFAULT_LIMITS, ServerLimits, SubscriberCounts
from detector.sinks.socket.listening_socket import ListeningSocket
from detector.sinks.socket.verdict_desk import NO_DESK, VerdictDesk
from detector.wire.access import EVERYBODY, Access, Keys, read_keys
from detector.wire.address import TcpAddress, parse_address
from detector.wire.message import HelloBody, ReportBody

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from detector.sinks.socket.hub import Hub

log = logging.getLogger(__name__)

_END_SECONDS = 1.5
"""How long the server's thread may take to send the last lines."""

_HANDOVER_SECONDS = 1.0
"""How long a message may wait for the server's thread."""


class SocketSink:
    """Owns the listening socket and the thread that serves it; `write` only hands over."""

    def __init__(
        self,
        uri: str,
        *,
        hello: Callable[[], HelloBody],
        report: Callable[[], ReportBody] | None = None,
        access: Access = EVERYBODY,
        is_default: bool = False,
        limits: ServerLimits = DEFAULT_LIMITS,
        counts: SubscriberCounts | None = None,
        archive: Archive | None = None,
        asked_labels: Callable[[Collection[str]], AskedLabels] = lambda names: AskedLabels(),
        verdict_desk: VerdictDesk = NO_DESK,
        live: LiveTaps | None = None,
        sound: bool = False,
        control_desk: ControlDesk = NO_CONTROL,
        utc: Callable[[], float] = time.time,
    ) -> None:
        """`hello` introduces the daemon, `report` is what `status` shows: called on the server's thread.

        `counts` is kept up to date; `archive` is what `since` replays from beyond memory; `asked_labels`
        tells what a subscriber gets for the names that it asks for; `verdict_desk` takes verdicts;
        `live` has the sources that can be watched, and, with `sound`, heard; `control_desk` takes what is
        wanted of the daemon.
        `is_default` means that nobody chose the URI: its folder must be closed to other users.
        Raises ConfigError for a URI of another form.
        """
        wanted = parse_address(uri)
        if isinstance(wanted, TcpAddress) and access.certificate is not None:
            wanted = replace(wanted, tls=True)
        self._wanted = wanted
        self._access = access
        self._is_default = is_default
        self._keys = Keys()
        self._counts = SubscriberCounts() if counts is None else counts
        self._report = report
        self._archive = archive
        self._asked_labels = asked_labels
        self._verdict_desk = verdict_desk
        self._live = live
        self._sound = sound
        self._control_desk = control_desk
        self._hello = hello
        self._limits = limits
        self._utc = utc
        self._listening: ListeningSocket | None = None
        self._thread: threading.Thread | None = None
        self._inbox: list[Message] = []
        self._handover = threading.Condition()
        self._loop: AbstractEventLoop | None = None
        self._hub: Hub | None = None
        self._ending = False

    @property
    def name(self) -> str:
        """How logs name it."""
        return f"socket:{self._wanted}"

    @property
    def uri(self) -> str:
        """Where it listens; with the real port once it is open."""
        return str(self._wanted if self._listening is None else self._listening.address)

    def open(self) -> None:
        """Take the address, so that subscribers can connect from now on, and start the thread."""
        self._access.check(self._wanted)
        self._keys = read_keys(self._access)
        self._listening = self._bind()
        self._check_bound(self._listening)
        # asyncio is imported on the thread: the daemon gets on with loading its model meanwhile.
        self._thread = threading.Thread(
            target=self._serve, args=(self._listening.socket,), name=self.name, daemon=True
        )
        self._thread.start()
        log.info("socket.listening uri=%s", self.uri)

    def takes(self, message: Message) -> bool:
        """Everything."""
        return True

    def write(self, message: Message) -> None:
        """Hand a message to the server's thread; raises SinkError where that has ended or hangs."""
        with self._handover:
            # While this waits, the dispatcher's queue fills, and counts the messages it has no room for.
            if not self._handover.wait_for(self._has_room, _HANDOVER_SECONDS) or self._ending:
                raise SinkError(f"{self.name}: the server's thread does not take messages")
            self._inbox.append(message)
            if len(self._inbox) == 1:
                self._call(self._collect)

    def reopen(self) -> None:
        """Read token and certificate again, for new connections; raises SinkError, and the old ones stay."""
        self._keys = read_keys(self._access)

    def close(self) -> None:
        """Remove the socket's file, send what is left and disconnect everybody."""
        if self._listening is not None:
            self._listening.withdraw()
        with self._handover:
            self._ending = True
            if self._hub is not None:
                self._call(self._hub.stop)
        if self._thread is not None:
            self._thread.join(_END_SECONDS)
        if self._listening is not None:
            self._listening.close()

    def _bind(self) -> ListeningSocket:
        return ListeningSocket(self._wanted, group=self._access.group, is_default=self._is_default)

    def _check_bound(self, listening: ListeningSocket) -> None:
        """Check the address that was bound: the system decides what a name such as `localhost` means."""
        if isinstance(self._wanted, TcpAddress):
            bound = replace(self._wanted, host=listening.socket.getsockname()[0])
            try:
                self._access.check(bound)
            except SinkError:
                listening.close()
                raise

    def _serve(self, listening: socket.socket) -> None:
        import asyncio

        from detector.sinks.socket.feed import Feed
        from detector.sinks.socket.hub import Hub

        async def serve() -> None:
            feed = Feed(
                self._limits,
                hello=self._hello,
                report=self._report,
                utc=self._utc,
                counts=self._counts,
                archive=self._archive,
                asked_labels=self._asked_labels,
                verdict_desk=self._verdict_desk,
                live=self._live,
                sound=self._sound,
                control_desk=self._control_desk,
            )
            hub = Hub(feed, lambda: self._keys, self._renewed)
            await hub.serve(listening, started=lambda: self._started(asyncio.get_running_loop(), hub))

        try:
            asyncio.run(serve())
        except Exception:
            log.exception("socket.failed uri=%s", self.uri)
        finally:
            with self._handover:
                self._loop = None
                self._ending = True
                self._handover.notify()

    def _renewed(self) -> socket.socket | None:
        """Another listening socket, where the file of the old one was deleted; None where all is well.

        The caller closes the old one.
        """
        with self._handover:
            old = self._listening
            if old is None or self._ending or not old.is_gone:
                return None
            try:
                self._listening = self._bind()
            except SinkError as error:
                log.warning('socket.not_renewed error="%s"', error)
                return None
        log.warning("socket.renewed uri=%s: its file was deleted", self.uri)
        return self._listening.socket

    def _started(self, loop: AbstractEventLoop, hub: Hub) -> None:
        """The loop takes calls from now on; make the calls that came too early."""
        with self._handover:
            self._loop, self._hub = loop, hub
            if self._inbox:
                self._call(self._collect)
            if self._ending:
                self._call(hub.stop)

    def _collect(self) -> None:
        with self._handover:
            messages, self._inbox = self._inbox, []
            self._handover.notify()
        if self._hub is not None:
            self._hub.publish(messages)

    def _has_room(self) -> bool:
        return len(self._inbox) < self._limits.backlog_length or self._ending

    def _call(self, action: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(action)
