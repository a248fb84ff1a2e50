"""`listen`: a subscriber of the event socket, for people and for pipes."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TextIO

from detector.errors import SinkClosed, SinkError
from detector.interfaces import Message
from detector.sinks.stdout import StdoutSink
from detector.subscriber.client import NOTHING, Credentials, connect, messages, send
from detector.wire.address import parse_address
from detector.wire.message import EVENT_TYPES
from detector.wire.request import parse_request
from detector.wire.text import printable, shared_in

MISSED_BEATS = 3
"""After this many heartbeat intervals of silence the daemon counts as gone."""

LONGEST_BEAT_SECONDS = 86400.0
"""A daemon that claims to beat more rarely is not waited for any longer."""


@dataclass(slots=True)
class _Place:
    """How far one subscriber has come, across connections."""

    run_id: object = None
    seq: int | None = None
    shared: frozenset[str] = frozenset()
    """Names that several of the daemon's labels have."""


def listen(
    uris: Sequence[str],
    *,
    labels: Sequence[str] = (),
    min_score: float = 0.0,
    since: int | None = None,
    format: str = "auto",
    reconnect: bool = False,
    credentials: Credentials = NOTHING,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Print events from the first of `uris` that answers until it ends; the exit code is 0.

    Events go to `stdout` (`format` as of StdoutSink), all else to `stderr`. With `reconnect` it waits
    for a daemon that is not there and goes on after the last event. Raises SinkError when no daemon
    is there, refuses, or falls silent; ConfigError for an address of another form.
    """
    addresses = [parse_address(uri) for uri in uris]
    wish = {"labels": list(labels), "min_score": min_score}
    parse_request(json.dumps(wish | {"since": since}).encode())  # a daemon would refuse what this refuses
    say = _Sayer(sys.stderr if stderr is None else stderr)
    place = _Place(seq=since)
    out = StdoutSink(
        sys.stdout if stdout is None else stdout, format=format, updates=True, shared=lambda: place.shared
    )
    attempt = 0
    try:
        out.open()
        while True:
            try:
                with closing(connect(addresses, credentials)) as connection:
                    for fields, line in messages(connection):
                        attempt = 0
                        if fields["type"] == "hello":
                            place.shared = shared_in(fields)
                            _ask(connection, fields, place, wish)
                        _take(fields, line, place, out, say)
                say("the daemon has ended")
                if not reconnect:
                    return 0
            except SinkClosed:
                return 0
            except SinkError as error:
                if not reconnect:
                    raise
                say(str(error))
            wait(backoff_seconds(attempt))
            attempt += 1
    except KeyboardInterrupt:
        return 0


def backoff_seconds(attempt: int) -> float:
    """Wait before reconnecting: 0.5, 1, 2, ... at most 30 s."""
    return min(30.0, 0.5 * 2.0 ** min(attempt, 10))


class _Sayer:
    """One line for people at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, text: str) -> None:
        print(printable(text), file=self._stream, flush=True)


def _ask(connection: socket.socket, hello: dict[str, object], place: _Place, wish: dict[str, object]) -> None:
    run_id, newest, beat = (hello.get(key) for key in ("run_id", "seq", "heartbeat_seconds"))
    if place.seq is None:
        place.seq = newest if isinstance(newest, int) else None
    elif place.run_id not in (None, run_id):
        goes_on = hello.get("history") is True and isinstance(newest, int) and newest >= place.seq
        place.seq = place.seq if goes_on else 0  # counted anew, all that was said is new to us
    place.run_id = run_id
    send(connection, wish | {"since": place.seq})
    if isinstance(beat, int | float) and beat > 0:
        connection.settimeout(MISSED_BEATS * min(beat, LONGEST_BEAT_SECONDS))


def _take(fields: dict[str, object], line: bytes, place: _Place, out: StdoutSink, say: _Sayer) -> None:
    kind = fields["type"]
    if kind in EVENT_TYPES:
        out.write(Message(fields=fields, line=line))
        seq = fields.get("seq")
        place.seq = seq if isinstance(seq, int) else place.seq
    elif kind == "hello":
        say(f"{fields.get('state')}: {fields.get('source')} with {fields.get('model')}")
    elif kind == "status":
        say(": ".join(str(part) for part in (fields.get("state"), fields.get("detail")) if part))
    elif kind == "dropped":
        say(f"{fields.get('count')} messages were lost: this subscriber reads too slowly")
    elif kind == "error":
        raise SinkError(f"the daemon refused: {fields.get('message')}")
