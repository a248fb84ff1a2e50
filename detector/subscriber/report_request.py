"""Ask a running daemon how it is, over its event socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing

from detector.errors import SinkError
from detector.interfaces import Message
from detector.subscriber.client import CONNECT_SECONDS, NOTHING, Credentials, connect, messages, send
from detector.wire.address import parse_address
from detector.wire.message import ErrorBody, ReportBody


def request_report(
    uris: Sequence[str],
    *,
    credentials: Credentials = NOTHING,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Message, ReportBody]:
    """The report of the first of `uris` that answers, as it came and read.

    Raises SinkError when no daemon is there, refuses, or does not answer in time.
    """
    deadline = clock() + CONNECT_SECONDS
    with closing(connect([parse_address(uri) for uri in uris], credentials)) as connection:
        send(connection, {"report": True})
        for message in messages(connection):
            if isinstance(message.body, ErrorBody):
                raise SinkError(f"the daemon refused: {message.body.message}")
            if isinstance(message.body, ReportBody):
                return message, message.body
            if clock() > deadline:
                break
    raise SinkError("the daemon sent no report; is it an older one?")
