"""`status`: how a running daemon is, asked over its event socket."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TextIO

from detector.errors import SinkError
from detector.files.terminal import data_for
from detector.subscriber.client import CONNECT_SECONDS, NOTHING, Credentials, connect, messages, send
from detector.wire.address import parse_address
from detector.wire.message import ErrorBody, ReportBody
from detector.wire.plain_text import report_text


def status_command(
    uris: Sequence[str],
    *,
    credentials: Credentials = NOTHING,
    as_json: bool = False,
    stdout: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Print the report of the first of `uris` that answers; the exit code is 0.

    Raises SinkError when no daemon is there, refuses, or does not answer in time.
    """
    stdout = sys.stdout if stdout is None else stdout
    deadline = clock() + CONNECT_SECONDS
    with closing(connect([parse_address(uri) for uri in uris], credentials)) as connection:
        send(connection, {"report": True})
        for message in messages(connection):
            body = message.body
            if isinstance(body, ErrorBody):
                raise SinkError(f"the daemon refused: {body.message}")
            if isinstance(body, ReportBody):
                line = message.line.decode().rstrip()
                print(data_for(stdout, line) if as_json else report_text(body.values), file=stdout)
                return 0
            if clock() > deadline:
                break
    raise SinkError("the daemon sent no report; is it an older one?")
