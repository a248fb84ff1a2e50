"""A connection to the event socket for programs that wait for many things at once, with asyncio.

It reaches the daemon by the same rules as `client`: the same addresses, token and trust.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence

from detector.errors import SinkError
from detector.interfaces import Message
from detector.subscriber.client import (
    CONNECT_SECONDS,
    MAX_LINE_BYTES,
    Credentials,
    as_asked,
    check_way,
    nobody_answers,
    read_line,
    tls_fault,
    token_of,
)
from detector.wire.access import client_context
from detector.wire.address import Address, TcpAddress


class DaemonStream:
    """An open connection; whoever opened it closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, fields: Mapping[str, object]) -> None:
        """Send one line; if the daemon has closed the connection, its last lines can still be read."""
        self._writer.write(json.dumps(fields).encode() + b"\n")

    async def read(self, seconds: float) -> Message | None:
        """The next message, None when the daemon has closed the connection.

        Raises SinkError where none comes within `seconds`, or something that is no message.
        """
        try:
            async with asyncio.timeout(seconds):
                line = await self._reader.readuntil(b"\n")
        except TimeoutError:
            raise SinkError("the daemon does not answer any more: no heartbeat came") from None
        except asyncio.LimitOverrunError:
            raise SinkError(
                "expected lines of JSON, got one without an end; is it a sound-detector?"
            ) from None
        except (asyncio.IncompleteReadError, OSError):
            return None
        return read_line(line)

    def close(self) -> None:
        """Close the connection without waiting for the other end."""
        self._writer.transport.abort()


async def open_stream(addresses: Sequence[Address], credentials: Credentials) -> DaemonStream:
    """Connect to the first daemon that answers, token sent; raises SinkError where none can be used."""
    token = token_of(credentials)
    reasons: list[tuple[Address, OSError]] = []
    for address in (as_asked(each, credentials) for each in addresses):
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await _open(address, credentials, token)
        except ssl.SSLError as error:
            if isinstance(address, TcpAddress):
                raise tls_fault(address, error) from error
            raise
        except OSError as error:  # a TimeoutError is one
            reasons.append((address, error))
            continue
        if token is not None and isinstance(address, TcpAddress):
            writer.write(json.dumps({"token": token.decode("ascii")}).encode() + b"\n")
        return DaemonStream(reader, writer)
    raise nobody_answers(reasons)


async def _open(
    address: Address, credentials: Credentials, token: bytes | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not isinstance(address, TcpAddress):
        return await asyncio.open_unix_connection(address.path, limit=MAX_LINE_BYTES)
    check_way(address, credentials, token)
    context = client_context(credentials.ca, verify=not credentials.insecure) if address.tls else None
    return await asyncio.open_connection(
        address.host,
        address.port,
        ssl=context,
        server_hostname=address.host if context is not None else None,
        limit=MAX_LINE_BYTES,
    )
