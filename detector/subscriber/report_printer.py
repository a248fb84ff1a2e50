"""`status`: how a running daemon is, asked over its event socket."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from detector.files.terminal import data_for
from detector.subscriber.client import NOTHING, Credentials
from detector.subscriber.report_request import request_report
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
    message, report = request_report(uris, credentials=credentials, clock=clock)
    line = message.line.decode().rstrip()
    print(data_for(stdout, line) if as_json else report_text(report.values), file=stdout)
    return 0
