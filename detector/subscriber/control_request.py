"""Order a running daemon to pause, to go on, or to read its settings again, over its event socket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from detector.errors import SinkError
from detector.subscriber.client import NOTHING, Credentials, connect, messages, send
from detector.subscriber.verdict_request import NoDaemon
from detector.wire.address import parse_address
from detector.wire.message import ErrorBody

ANSWER_SECONDS = 30.0
"""How long the daemon may take: a reload loads heads."""


class OrderRefused(SinkError):
    """The daemon does not take this order."""


def request_control(
    uris: Sequence[str],
    order: Mapping[str, bool],
    *,
    credentials: Credentials = NOTHING,
    clock: Callable[[], float] = time.monotonic,
) -> Mapping[str, object]:
    """The fields of the daemon's answer to `{"pause": true}`, `{"pause": false}` or `{"reload": true}`.

    Raises NoDaemon, OrderRefused where the daemon refuses, SinkError where it does not answer.
    """
    deadline = clock() + ANSWER_SECONDS
    try:
        connection = connect([parse_address(uri) for uri in uris], credentials)
    except SinkError as error:
        raise NoDaemon(str(error)) from error
    with closing(connection):
        connection.settimeout(ANSWER_SECONDS)
        send(connection, {"control": dict(order)})
        for message in messages(connection):
            if isinstance(message.body, ErrorBody):
                raise OrderRefused(message.body.message)
            fields = json.loads(message.line)
            if fields["type"] == "control":
                return dict(fields)
            if clock() > deadline:
                break
    raise SinkError("the daemon did not answer the order; is it an older one?")
