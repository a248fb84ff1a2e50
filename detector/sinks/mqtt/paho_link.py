"""A connection to a broker through paho-mqtt, driven by one thread: dial, then `wait` again and again.

Each connection has a client of its own: paho would send again, after a reconnection, what it still has, and
what goes again is decided elsewhere (`event_sender`, `live_sounds`).
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from detector.sinks.mqtt.broker_address import BrokerAddress
from detector.sinks.mqtt.broker_counts import LOST, REFUSED
from detector.sinks.mqtt.broker_credentials import BrokerCredentials
from detector.sinks.mqtt.link import (
    OTHER_VERSION,
    Acknowledged,
    NoConnection,
    Received,
    UnknownVersion,
    Will,
)

CONNECT_SECONDS = 5.0
"""For the TCP connection, and for TLS."""

ANSWER_SECONDS = 10.0
"""Within this time, a broker answers to the first packet."""

KEEPALIVE_SECONDS = 30
"""A broker that is silent for longer is asked; after one and a half times this it is given up."""

LOOK_SECONDS = 0.25
"""How soon the end of the program is noticed while a broker does not answer."""

MISC_SECONDS = 5.0
"""How often paho may look whether the broker is still alive."""

MAX_PACKET_BYTES = 65_536
"""MQTT 5: the broker sends no greater ones; what comes are commands of a few letters."""

_NOT_A_BROKER = "no MQTT broker answers there: expected an answer to the first packet"


class PahoLink:
    """One connection; `close` ends it, and it is not opened again."""

    def __init__(
        self,
        address: BrokerAddress,
        credentials: BrokerCredentials,
        *,
        client_id: str,
        will: Will | None,
        is_version_5: bool,
        session_seconds: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """With `session_seconds` above 0 the broker keeps what comes for `client_id` while that is away.

        It does so for that time, with MQTT 3.1.1 for ever, and sends a message again until `acknowledge`.
        """
        paho: Any = import_module("paho.mqtt.client")
        self._address = address
        self._is_version_5 = is_version_5
        self._clock = clock
        self._answer: Any = None
        self._error = self._refusal = ""
        self._unanswered = 0
        self._session_seconds = session_seconds
        self._received: list[Received] = []
        self._acknowledged: list[Acknowledged] = []
        self._client: Any = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if is_version_5 else paho.MQTTv311,
            clean_session=None if is_version_5 else not session_seconds,
            reconnect_on_failure=False,
            manual_ack=session_seconds > 0,
        )
        self._client.connect_timeout = CONNECT_SECONDS
        if credentials.user is not None:
            self._client.username_pw_set(credentials.user, credentials.password)
        if credentials.tls is not None:
            self._client.tls_set_context(credentials.tls)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_log = self._on_log

    def dial(self, stopped: Callable[[], bool]) -> None:
        """Connect, and wait for the broker's answer unless `stopped`; raises NoConnection, UnknownVersion."""
        more: dict[str, Any] = {}
        if self._is_version_5:
            values = {"MaximumPacketSize": MAX_PACKET_BYTES, "SessionExpiryInterval": self._session_seconds}
            more = {"properties": _properties("CONNECT", **values), "clean_start": not self._session_seconds}
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_SECONDS, **more)
        except ssl.SSLCertVerificationError as error:
            reason = f"the broker's certificate is not accepted: {error.verify_message}"
            raise NoConnection(reason, state=REFUSED) from error
        except ssl.SSLError as error:
            raise NoConnection(f"no TLS: {error.reason or error}", state=REFUSED) from error
        except (OSError, UnicodeError) as error:
            raise NoConnection(_reason(error)) from error
        if (own := self._client.socket()) is not None:
            # Else a short message behind another one waits for the broker's machine, often for 40 ms.
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._await_answer(stopped)
        finally:
            if self._answer is None or self._answer.is_failure:
                self.close()

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expires: int | None = None
    ) -> int:
        """Send a message; see `Link`."""
        properties = None
        if expires is not None and self._is_version_5:
            properties = _properties("PUBLISH", MessageExpiryInterval=expires)
        self._unanswered += 1
        return int(self._client.publish(topic, payload, qos, retain, properties).mid)

    def subscribe(self, topics: list[str]) -> None:
        """Have the broker send what comes to these topics."""
        self._client.subscribe([(topic, 1) for topic in topics])

    def unsubscribe(self, topics: list[str]) -> None:
        """Have it send nothing more of them."""
        self._client.unsubscribe(topics)

    def wait(self, wake: socket.socket | None, seconds: float) -> None:
        """Read and write for at most so long, until something comes or `wake` can be read.

        Raises NoConnection where the connection is gone.
        """
        own = self._client.socket()
        if own is None:
            raise NoConnection(self._error or "the broker has closed the connection")
        has_more = isinstance(own, ssl.SSLSocket) and own.pending() > 0  # read, but not looked at yet
        longest = 0.0 if has_more else max(0.0, min(seconds, MISC_SECONDS))
        can_read, can_write = _await_socket(own, wake, longest, write=self._client.want_write())
        try:
            results = []
            if can_read or has_more:
                results.append(self._client.loop_read())
            if can_write:
                results.append(self._client.loop_write())
            results.append(self._client.loop_misc())
        except Exception as error:  # paho raises what it will on bytes that are no MQTT
            raise NoConnection(f"{_NOT_A_BROKER} ({type(error).__name__})", state=REFUSED) from error
        self._check_answer()
        if self._refusal and self._session_seconds:
            raise NoConnection(self._refusal, state=REFUSED)
        if any(results) or self._client.socket() is None:
            raise NoConnection(self._error or "the broker has closed the connection")

    def acknowledge(self, messages: Iterable[Received]) -> None:
        """Tell the broker that these are kept, so that it need not send them again; for sessions only."""
        for message in messages:
            if message.qos:
                self._client.ack(message.number, message.qos)

    def take_received(self) -> list[Received]:
        """What has come since this was last asked."""
        received, self._received = self._received, []
        return received

    def take_acknowledged(self) -> list[Acknowledged]:
        """What the broker has answered since this was last asked."""
        acknowledged, self._acknowledged = self._acknowledged, []
        return acknowledged

    @property
    def is_flushed(self) -> bool:
        """Whether the broker has all that was published."""
        return not (self._client.want_write() or self._unanswered)

    def close(self) -> None:
        """Say goodbye where that is possible: then the broker publishes no will."""
        self._client.disconnect()
        if self._client.socket() is not None:
            self._client.loop_write()
            self._client.loop_misc()
        if (left := self._client.socket()) is not None:
            left.close()

    def _await_answer(self, stopped: Callable[[], bool]) -> None:
        end = self._clock() + ANSWER_SECONDS
        while self._answer is None:
            if stopped():
                raise NoConnection("the program ends")
            if self._clock() > end:
                raise NoConnection(_NOT_A_BROKER, state=REFUSED)
            try:
                self.wait(None, LOOK_SECONDS)
            except NoConnection as error:
                if self._answer is not None:
                    raise
                # A broker that does not know this version may close the connection without a word.
                raise UnknownVersion(self._silence, state=REFUSED) from error

    @property
    def _silence(self) -> str:
        """Why a connection may have ended before the answer."""
        if self._address.tls:
            why = f" ({self._error})" if self._error else ""
            return f"the broker has ended TLS: perhaps it wants a client_certificate that it knows{why}"
        return self._error or _NOT_A_BROKER

    def _check_answer(self) -> None:
        if self._answer is None or not self._answer.is_failure:
            return
        text = str(self._answer)
        if text == "Unsupported protocol version":
            raise UnknownVersion(OTHER_VERSION, state=REFUSED)
        named = {
            "Bad user name or password": "wrong user name or password",
            "Not authorized": "this user is not let in, or a user name and password are missing",
        }
        is_temporary = text in ("Server unavailable", "Server busy", "Use another server", "Server moved")
        raise NoConnection(
            f"the broker says: {named.get(text, text)}", state=LOST if is_temporary else REFUSED
        )

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:  # noqa: ANN401
        self._answer = reason

    def _on_publish(self, client: Any, data: Any, number: int, reason: Any, properties: Any) -> None:  # noqa: ANN401
        self._unanswered -= 1  # paho tells of QoS 0 too, when it is written
        self._acknowledged.append(Acknowledged(number, str(reason) if reason.is_failure else ""))

    def _on_message(self, client: Any, data: Any, message: Any) -> None:  # noqa: ANN401
        self._received.append(
            Received(message.topic, bytes(message.payload), int(message.mid), int(message.qos))
        )

    def _on_subscribe(self, client: Any, data: Any, number: int, reasons: Any, properties: Any) -> None:  # noqa: ANN401
        if refusal := next((str(reason) for reason in reasons if reason.is_failure), ""):
            self._refusal = f"the broker lets this user not read the topics: {refusal}"

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:  # noqa: ANN401
        if str(reason) == "Session taken over":
            self._error = "another program has connected under the same name"

    def _on_log(self, client: Any, data: Any, level: int, text: str) -> None:  # noqa: ANN401
        if "failed to receive on socket" in text or "timeout on socket" in text:
            self._error = text.partition(": ")[2]


def _await_socket(
    own: socket.socket, wake: socket.socket | None, seconds: float, *, write: bool
) -> tuple[bool, bool]:
    """Wait until `own` can be read, or written to where `write` says so, or `wake` can be read."""
    if not hasattr(select, "poll"):
        readers = [own] if wake is None else [own, wake]
        readable, writable, _ = select.select(readers, [own] if write else [], [], seconds)
        return own in readable, bool(writable)
    poll = select.poll()  # select knows no descriptor above 1023
    poll.register(own, select.POLLIN | (select.POLLOUT if write else 0))
    if wake is not None:
        poll.register(wake, select.POLLIN)
    came = dict(poll.poll(seconds * 1000)).get(own.fileno(), 0)
    # An error or an end is read, too: reading tells what it is.
    return bool(came & ~select.POLLOUT), bool(came & select.POLLOUT)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:g} s"
    if isinstance(error, UnicodeError):
        return "no name server can be asked for such a name"
    return str(getattr(error, "strerror", None) or error)


def _properties(packet: str, **values: int) -> Any:  # noqa: ANN401 (a package that may be absent)
    """What MQTT 5 adds to a packet."""
    types: Any = import_module("paho.mqtt.packettypes")
    properties: Any = import_module("paho.mqtt.properties").Properties(getattr(types.PacketTypes, packet))
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
