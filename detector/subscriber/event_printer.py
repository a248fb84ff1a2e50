"""`listen`: a subscriber of the event socket, for people and for pipes."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TextIO

from detector.errors import ConfigError, SinkClosed, SinkError
from detector.events.naming import shared_names
from detector.files.terminal import CLEAR, can_rewrite, print_escaped
from detector.interfaces import Message
from detector.sinks.stdout import StdoutSink
from detector.subscriber.client import NOTHING, Credentials, connect, messages, send
from detector.wire.address import parse_address
from detector.wire.message import (
    ClipBody,
    DroppedBody,
    ErrorBody,
    EventBody,
    HelloBody,
    NoticeBody,
    StatusBody,
)
from detector.wire.request import parse_request

MISSED_BEATS = 3
"""After this many heartbeat intervals of silence the daemon counts as gone."""

LONGEST_BEAT_SECONDS = 86400.0
"""A daemon that claims to beat more rarely is not waited for any longer."""


@dataclass(slots=True)
class _Position:
    """How far one subscriber has come, across connections."""

    run_id: str | None = None
    generation: str = ""
    seq: int | None = None
    shared: frozenset[str] = frozenset()
    """Names that several of the daemon's labels have."""
    tells_sources_apart: bool = False


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
    for a daemon that is not there and continues after the last event. Raises SinkError when no daemon
    is there, refuses, or falls silent; ConfigError for an address of another form, and where the daemon
    knows none of `labels`, unless it reconnects or asks for the past.
    """
    addresses = [parse_address(uri) for uri in uris]
    request = {"labels": list(labels), "min_score": min_score}
    parse_request(json.dumps(request | {"since": since}).encode())  # a daemon would refuse what this refuses
    say = _Sayer(sys.stderr if stderr is None else stderr)
    position = _Position(seq=since)
    out = StdoutSink(
        sys.stdout if stdout is None else stdout,
        format=format,
        updates=True,
        shared=lambda: position.shared,
        with_source=lambda: position.tells_sources_apart,
    )
    attempt = 0
    try:
        out.open()
        while True:
            try:
                with closing(connect(addresses, credentials)) as connection:
                    for message in messages(connection):
                        attempt = 0
                        if isinstance(message.body, HelloBody):
                            position.shared = shared_names(message.body.labels)
                            position.tells_sources_apart = message.body.sources is not None
                            _ask(connection, message.body, position, request)
                        if isinstance(message.body, NoticeBody):
                            _heed(message.body, labels, stays=reconnect or since is not None)
                        _take(message, position, out, say)
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
    finally:
        with suppress(SinkError):
            out.close()


def backoff_seconds(attempt: int) -> float:
    """Wait before reconnecting: 0.5, 1, 2, ... at most 30 s."""
    return min(30.0, 0.5 * 2.0 ** min(attempt, 10))


class _Sayer:
    """One line for people at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clear = CLEAR if can_rewrite(stream, os.environ) else ""

    def __call__(self, text: str) -> None:
        self._stream.write(self._clear)
        print_escaped(text, self._stream, flush=True)


def next_since(hello: HelloBody, *, since: int | None, run_id: str | None, generation: str) -> int:
    """The number to ask a daemon from, after `since` of this run and generation (empty where not known)."""
    if since is None:
        return hello.seq
    if generation and hello.generation and generation != hello.generation:
        return min(since, hello.generation_seq)  # whatever the numbers are above that, we have not had them
    if run_id not in (None, hello.run_id) and not (hello.history and hello.seq >= since):
        return 0  # the new run counts from 1 again, so that all its events are new to us
    return since


def _ask(
    connection: socket.socket, hello: HelloBody, position: _Position, request: dict[str, object]
) -> None:
    position.seq = next_since(
        hello, since=position.seq, run_id=position.run_id, generation=position.generation
    )
    position.run_id, position.generation = hello.run_id, hello.generation
    send(connection, request | {"since": position.seq})
    interval = hello.heartbeat_seconds
    if interval is not None and interval > 0:
        connection.settimeout(MISSED_BEATS * min(interval, LONGEST_BEAT_SECONDS))


def _heed(notice: NoticeBody, labels: Sequence[str], *, stays: bool) -> None:
    """End where nothing could ever come: every label that was asked for is unknown."""
    asked = {label.strip().casefold() for label in labels}
    if not stays and asked and asked <= {label.casefold() for label in notice.unknown_labels}:
        raise ConfigError(notice.message)


def _take(message: Message, position: _Position, out: StdoutSink, say: _Sayer) -> None:
    body = message.body
    if isinstance(body, EventBody):
        out.write(message)
        position.seq = position.seq if message.seq is None else message.seq
    elif isinstance(body, HelloBody):
        say(f"{body.state}: {body.source} with {body.model}")
    elif isinstance(body, ClipBody):
        say(f"clip {body.state}: {body.path or body.reason}")
    elif isinstance(body, StatusBody):
        who = (body.source,) if position.tells_sources_apart else ()
        say(": ".join(part for part in (*who, body.state, body.detail) if part))
    elif isinstance(body, DroppedBody):
        say(f"{body.count} messages were lost: {body.detail or 'this subscriber reads too slowly'}")
    elif isinstance(body, NoticeBody):
        say(body.message)
    elif isinstance(body, ErrorBody):
        raise SinkError(f"the daemon refused: {body.message}")
