"""The client's end of the event socket: connect, show the token, read messages."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detector.errors import SinkError
from detector.interfaces import Message
from detector.wire.access import client_context, read_token
from detector.wire.address import Address, TcpAddress
from detector.wire.encoding import decode

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 5.0
"""How long the daemon may take to accept, and for each step of TLS."""

HELLO_SECONDS = 10.0
"""How long the first line may take; a daemon that waits for a token gives up after 5 s."""

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A hello with all labels of a model takes some 20 KB; a longer line than this is no daemon's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a subscriber shows at a TCP socket, and whom it trusts; a Unix socket asks for nothing."""

    token_file: str | None = None
    """File with the daemon's token."""
    ca: str | None = None
    """PEM file with the authority, or the very certificate, to trust; None is the system's authorities."""
    tls: bool = False
    """Whether to use TLS at a `tcp://` address too."""
    insecure: bool = False
    """Trust any certificate, and send the token to another machine without TLS."""


NOTHING = Credentials()


def connect(addresses: Sequence[Address], credentials: Credentials) -> socket.socket:
    """The first of them that answers, token sent; raises SinkError where none does or one is not trusted."""
    token = token_of(credentials)
    reasons: list[tuple[Address, OSError]] = []
    for address in (as_asked(each, credentials) for each in addresses):
        try:
            if isinstance(address, TcpAddress):
                connection = _connect_tcp(address, credentials, token)
            else:
                connection = _connect_unix(address.path)
            connection.settimeout(HELLO_SECONDS)
            return connection
        except OSError as error:
            reasons.append((address, error))
    raise nobody_answers(reasons)


def token_of(credentials: Credentials) -> bytes | None:
    """The token to show; raises AccessError where its file cannot be used."""
    return None if credentials.token_file is None else read_token(credentials.token_file)


def as_asked(address: Address, credentials: Credentials) -> Address:
    """The address, with TLS where the credentials ask for it."""
    return replace(address, tls=True) if credentials.tls and isinstance(address, TcpAddress) else address


def check_way(address: TcpAddress, credentials: Credentials, token: bytes | None) -> None:
    """Raise SinkError where the token would cross a network that everybody may read."""
    if token is not None and not (address.tls or address.is_loopback or credentials.insecure):
        raise SinkError(
            f"{address}: the token would cross the network unencrypted; "
            f"use tls://, or --insecure on a network that you trust"
        )


def nobody_answers(reasons: Sequence[tuple[Address, OSError]]) -> SinkError:
    """Why no daemon could be reached, and what to do."""
    advice = "start one with `sound-detector`"
    if any(isinstance(error, PermissionError) for _, error in reasons):
        advice = "only its owner and its group may connect, which for the service is audio"
    tried = " or ".join(
        f"{address} ({error.strerror or error or 'no answer in time'})" for address, error in reasons
    )
    return SinkError(f"no daemon answers at {tried}; {advice}")


def tls_fault(address: TcpAddress, error: ssl.SSLError) -> SinkError:
    """Why there is no TLS with the daemon at an address."""
    if (reason := getattr(error, "verify_message", None)) is not None:
        return SinkError(
            f"{address}: the daemon's certificate cannot be verified: {reason}; "
            "name its authority, or the certificate itself, with --ca FILE"
        )
    return SinkError(f"{address}: no TLS: {error.reason or error}; if the daemon uses none, write tcp://")


def messages(connection: socket.socket) -> Iterator[Message]:
    """Yield each message until the daemon closes the connection.

    Raises SinkError where no line comes within the socket's timeout, or one that is no message.
    """
    received = bytearray()
    silent = True
    while True:
        try:
            data = connection.recv(65536)
        except TimeoutError:
            raise SinkError("the daemon does not answer any more: no heartbeat came") from None
        except OSError:  # reset, or TLS that was cut off
            data = b""
        if not data:
            if silent:
                raise SinkError(
                    "the daemon closed the connection without an answer; if it uses TLS, write tls://HOST:PORT"
                )
            return
        silent = False
        received += data
        *lines, rest = received.split(b"\n")
        received = rest
        if len(received) > MAX_LINE_BYTES:
            raise SinkError("expected lines of JSON, got one without an end; is it a sound-detector?")
        for line in lines:
            yield read_line(bytes(line))


def send(connection: socket.socket, fields: dict[str, object]) -> None:
    """Send one line; raises SinkError where the daemon does not take it."""
    try:
        connection.sendall(json.dumps(fields).encode() + b"\n")
    except TimeoutError:
        raise SinkError("the daemon does not read the request") from None
    except OSError:
        pass  # the daemon has closed the connection; its last lines can still be read


def _connect_unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _connect_tcp(address: TcpAddress, credentials: Credentials, token: bytes | None) -> socket.socket:
    check_way(address, credentials, token)
    connection = socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS)
    if address.tls:
        connection = _wrap(connection, address, credentials)
    if token is not None:
        try:
            send(connection, {"token": token.decode("ascii")})
        except OSError:
            connection.close()
            raise
    return connection


def _wrap(connection: socket.socket, address: TcpAddress, credentials: Credentials) -> socket.socket:
    import ssl

    try:
        context = client_context(credentials.ca, verify=not credentials.insecure)
        return context.wrap_socket(connection, server_hostname=address.host)
    except ssl.SSLError as error:
        connection.close()
        raise tls_fault(address, error) from error
    except (OSError, SinkError):
        connection.close()
        raise


def read_line(line: bytes) -> Message:
    """The message of a line; raises SinkError where it is none."""
    try:
        return decode(line)
    except ValueError:
        raise SinkError(
            "expected lines of JSON with a type, got something else; is it a sound-detector?"
        ) from None
