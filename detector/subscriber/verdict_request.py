"""Hand a verdict to a running daemon over its event socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing

from detector.errors import SinkError, VerdictError
from detector.subscriber.client import Credentials, connect, messages, send
from detector.wire.address import parse_address
from detector.wire.message import ErrorBody, VerdictBody
from detector.wire.request import VerdictLine

ANSWER_SECONDS = 15.0
"""How long the daemon may take; its disk has 10 s."""


class NoDaemon(SinkError):
    """No daemon answers at any of the addresses."""


def hand_in(
    uris: Sequence[str],
    request: VerdictLine,
    *,
    credentials: Credentials,
    clock: Callable[[], float] = time.monotonic,
) -> VerdictBody:
    """Send the request to the first of `uris` that answers; returns the daemon's answer.

    Raises NoDaemon, VerdictError where the daemon refuses, SinkError where it does not answer.
    """
    if request.forget:
        fields: dict[str, object] = {"verdict": {"forget": request.forget}}
    else:
        fields = {"verdict": {"id": request.id, "said": request.said}}
    deadline = clock() + ANSWER_SECONDS
    try:
        connection = connect([parse_address(uri) for uri in uris], credentials)
    except SinkError as error:
        raise NoDaemon(str(error)) from error
    with closing(connection):
        connection.settimeout(ANSWER_SECONDS)
        send(connection, fields)
        for message in messages(connection):
            if isinstance(message.body, ErrorBody):
                raise VerdictError(message.body.message.removeprefix("verdict: "))
            if isinstance(message.body, VerdictBody):
                return message.body
            if clock() > deadline:
                break
    raise SinkError("the daemon did not answer the verdict; is it an older one?")
