"""The MQTT sink: a thread of its own that keeps a connection to the broker, and says what became of it."""

from __future__ import annotations

import logging
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable

from detector.errors import SinkError
from detector.interfaces import Message
from detector.sinks.context import SinkContext
from detector.sinks.mqtt.broker_address import parse_broker
from detector.sinks.mqtt.broker_counts import CONNECTED, LOST, BrokerCounts
from detector.sinks.mqtt.broker_credentials import BrokerCredentials, read_credentials
from detector.sinks.mqtt.link import OTHER_VERSION, NoConnection, OpenLink, UnknownVersion, Will
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.mqtt.paho_link import PahoLink
from detector.sinks.mqtt.publisher import Publisher
from detector.sinks.mqtt.publisher_making import make_publisher
from detector.sinks.mqtt.topics import Topics, node_id
from detector.wire.message import EventBody, StatusBody

log = logging.getLogger(__name__)

RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS = 1.0, 60.0
"""A broker that is not there is tried again after these times, doubling, each longer by up to a half."""

STEADY_SECONDS = 30.0
"""A connection that lasted so long was a good one: the next attempt comes soon."""

END_SECONDS = 1.5
"""How long the last messages may take at the end."""


class MqttSink:
    """`write` only notes what is to be published; the thread does the rest, whatever the broker does."""

    def __init__(
        self,
        settings: MqttSettings,
        context: SinkContext,
        *,
        make_link: Callable[..., OpenLink] = PahoLink,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make_link` has the parameters of PahoLink."""
        self._settings = settings
        self._context = context
        self._make_link = make_link
        self._clock = clock
        self._address = parse_broker(settings.target)
        self._topics = Topics(settings.prefix, settings.node or node_id(socket.gethostname()))
        self._counts = BrokerCounts(self.name)
        self._lock = threading.Lock()
        self._publisher: Publisher | None = None
        self._credentials = BrokerCredentials()
        self._is_version_5 = settings.mqtt_version != "mqtt311"
        self._attempt = 0
        self._ending = threading.Event()
        self._hurry = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    @property
    def name(self) -> str:
        """How logs name it."""
        return str(self._address)

    def open(self) -> None:
        """Read password and certificates, and start to connect; AccessError where one cannot be used."""
        self._credentials = read_credentials(self._settings, self._address)
        self._tell_what_is_open()
        self._publisher = make_publisher(
            self._settings, self._context, self._address, self._topics, counts=self._counts, clock=self._clock
        )
        self._context.brokers.append(self._counts)
        self._thread.start()

    def takes(self, message: Message) -> bool:
        """Events and changes of state."""
        return isinstance(message.body, EventBody | StatusBody)

    def write(self, message: Message) -> None:
        """Note what is to be published."""
        with self._lock:
            if self._publisher is not None:
                self._publisher.take(message)
        self._wake_up()

    def reopen(self) -> None:
        """Look at the labels again, read password and certificates again, and try again at once."""
        with self._lock:
            if self._publisher is not None:
                self._publisher.refresh_classes()
        self._wake_up()
        self._credentials = read_credentials(self._settings, self._address)
        self._hurry.set()

    def close(self) -> None:
        """Publish what is left and that nobody listens any more, for at most END_SECONDS."""
        self._ending.set()
        self._hurry.set()
        self._wake_up()
        if self._thread.ident is not None:
            self._thread.join(END_SECONDS + 0.5)
        if self._counts in self._context.brokers:
            self._context.brokers.remove(self._counts)
        if not self._thread.is_alive():
            self._wake.close()
            self._woken.close()

    def _tell_what_is_open(self) -> None:
        if self._credentials.password and not (self._address.tls or self._address.tcp.is_loopback):
            log.warning(
                "mqtt.unencrypted broker=%s: the password and all events cross the network as they are; "
                "mqtts:// encrypts them",
                self.name,
            )

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                link = self._dial()
            except NoConnection as error:
                self._tell(error.state, error.reason)
                self._wait_to_retry()
                continue
            began = self._clock()
            try:
                self._serve(link)
            except NoConnection as error:
                self._tell(error.state, error.reason)
            except Exception as error:  # a bug must not silence the sink for good
                log.debug("mqtt.bug broker=%s", self.name, exc_info=True)
                self._tell(LOST, f"bug: {type(error).__name__}: {error}")
            finally:
                with self._lock:
                    self._publishing.disconnected()
                link.close()
            if self._clock() - began >= STEADY_SECONDS:
                self._attempt = 0
            self._wait_to_retry()
        with self._lock:
            self._publishing.close()
        if (waiting := self._counts.events_waiting) and self._context.archive is None:
            log.warning("mqtt.left_behind broker=%s events=%d", self.name, waiting)

    def _dial(self) -> OpenLink:
        """Connect with the newest version of MQTT that the broker speaks; raises NoConnection."""
        versions = [self._is_version_5]
        if self._settings.mqtt_version == "auto":
            versions.append(not self._is_version_5)
        refusal: NoConnection = NoConnection("")
        for is_version_5 in versions:
            link = self._make_link(
                self._address,
                self._credentials,
                client_id=f"sound-detector-{self._topics.node}-{secrets.token_hex(4)}",
                will=Will(self._topics.availability, b"offline"),
                is_version_5=is_version_5,
            )
            try:
                link.dial(self._ending.is_set)
            except UnknownVersion as error:
                if error.reason != OTHER_VERSION or not refusal.reason:
                    refusal = error  # of two, the one that is not about the version says more
                continue
            self._is_version_5 = is_version_5
            return link
        raise refusal

    def _serve(self, link: OpenLink) -> None:
        """Publish over a connection until it, or the program, ends; raises NoConnection."""
        with self._lock:
            self._publishing.connected(link)
        self._tell(CONNECTED, f"MQTT {'5' if self._is_version_5 else '3.1.1'}")
        while not self._ending.is_set():
            self._turn(link, seconds=60.0)
        with self._lock:
            self._publishing.farewell()
        end = self._clock() + END_SECONDS
        while (left := end - self._clock()) > 0 and not (self._publishing.is_idle and link.is_flushed):
            self._turn(link, seconds=left)

    def _turn(self, link: OpenLink, *, seconds: float) -> None:
        with self._lock:
            self._publishing.pump()
            seconds = min(seconds, self._publishing.seconds_to_next())
        link.wait(self._woken, seconds)
        self._drain()
        with self._lock:
            for answer in link.take_acknowledged():
                self._publishing.acknowledged(answer)
            for message in link.take_received():
                self._publishing.received(message)

    def _wait_to_retry(self) -> None:
        pause = min(RETRY_LONGEST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(self._attempt, 16))
        self._attempt += 1
        # Of different length for each daemon, so that a fleet does not come at once.
        self._hurry.wait(pause * (1 + random.random() / 2))  # noqa: S311
        if not self._ending.is_set():
            self._hurry.clear()

    def _tell(self, state: str, detail: str) -> None:
        """Log a change, and no more: what is still so is in `status`."""
        if (self._counts.state, self._counts.detail) == (state, detail) or self._ending.is_set():
            return
        self._counts.state, self._counts.detail = state, detail
        if state == CONNECTED:
            log.info("mqtt.connected broker=%s version=%r", self.name, detail)
        elif state == LOST:
            log.warning(
                "mqtt.lost broker=%s reason=%r: it is tried again until it is there", self.name, detail
            )
        else:
            log.warning("mqtt.refused broker=%s reason=%r: it is tried again all the same", self.name, detail)

    @property
    def _publishing(self) -> Publisher:
        if self._publisher is None:
            raise SinkError(f"{self.name}: it is not open")
        return self._publisher

    def _wake_up(self) -> None:
        try:
            self._wake.send(b"\0")
        except OSError:
            return  # it is full of earlier calls, or closed

    def _drain(self) -> None:
        try:
            while self._woken.recv(4096):
                continue
        except BlockingIOError:
            return
