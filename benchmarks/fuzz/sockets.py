"""Strangers at both ends of the event socket: a client that says anything, a server that is none of ours."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from benchmarks.fuzz.target import Finding, Run, Target
from detector.errors import SinkError
from detector.service.prometheus import HOST, MetricsServer
from detector.sinks.live_taps import LiveTaps
from detector.sinks.socket.control_desk import ControlDesk
from detector.sinks.socket.limits import ServerLimits
from detector.sinks.socket.server import SocketSink
from detector.subscriber.event_printer import listen
from detector.wire.access import Access
from detector.wire.encoding import encode
from detector.wire.live_bodies import ControlBody, SoundBody
from detector.wire.message import DroppedBody, EventBody, HeartbeatBody, HelloBody, ReportBody, StatusBody
from detector.wire.request import MAX_REQUEST_BYTES

_PATIENCE_SECONDS = 3.0
_CHECK_EVERY = 50

_HELLO = HelloBody(
    version="1",
    model="yamnet",
    labels=("Dog",),
    source="Mic",
    run_id="r",
    state="listening",
    heartbeat_seconds=30.0,
)
_DONE = ControlBody(done=True, message="listening", paused=(), time=None)
_SOUND = encode(SoundBody(source="Mic", sample_rate=16000, start=0, samples=1, data="AAA=", time=None))
_REPORT = ReportBody({"uptime_seconds": 1.0})
_EVENT = EventBody(
    kind="start",
    id="r-1",
    label="Dog",
    class_id="/m/0bt9lr",
    score=0.9,
    top_score=0.9,
    start_time="2026-08-01T14:03:22.500Z",
    end_time=None,
    time="2026-08-01T14:03:23.000Z",
    duration=0.5,
    source="Mic",
    model="yamnet",
    level_dbfs=-20.0,
)
_WORDS = (
    *(b'"type"', b'"hello"', b'"start"', b'"end"', b'"status"', b'"dropped"', b'"error"', b'"seq"'),
    *(b'"heartbeat_seconds"', b'"level_dbfs"', b'"score"', b'"duration"', b'"start_time"', b'"run_id"'),
    *(b"null", b"true", b"[", b"]", b"{", b"}", b":", b",", b"\n", b"1e308", b"-1", b'""', b"30.0", b"-20.0"),
)


_TOKEN = "a-token-that-nobody-guesses"  # noqa: S105


@contextmanager
def _clients(folder: Path) -> Iterator[Run]:
    """Each input is what one client sends; a well-behaved one must never notice."""
    with _served(folder, Access(), b"{}\n") as run:
        yield run


@contextmanager
def _strangers(folder: Path) -> Iterator[Run]:
    """The same where a token is wanted, which the clients do not know."""
    token = folder / "token"
    token.write_text(_TOKEN)
    token.chmod(0o600)
    shown = json.dumps({"token": _TOKEN}).encode() + b"\n{}\n"
    with _served(folder, Access(token_file=str(token)), shown, secret=True) as run:
        yield run


@contextmanager
def _served(folder: Path, access: Access, says: bytes, *, secret: bool = False) -> Iterator[Run]:
    path = folder / "events.sock"
    limits = ServerLimits(request_seconds=0.05, backlog_length=100, refusal_seconds=0.0)
    live = LiveTaps()
    tap = live.add(lambda: "Mic")
    sink = SocketSink(
        f"unix://{path}",
        hello=lambda: _HELLO,
        report=lambda: _REPORT,
        access=access,
        limits=limits,
        live=live,
        sound=True,
        control_desk=ControlDesk(lambda line, answer: answer(_DONE), is_open=True),
    )
    sink.open()
    friend = _connect(path)
    friend_lines = friend.makefile("rb")
    friend.sendall(says)
    count = 0

    def run(data: bytes) -> None:
        nonlocal count
        count += 1
        if count % _CHECK_EVERY == 0:
            _check_friend(sink, friend_lines, count)
        tap.give("sound", _SOUND)  # to those who just asked for it
        _say(path, data, secret=secret)

    with friend, friend_lines:
        try:
            yield run
        finally:
            sink.close()


def _connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(_PATIENCE_SECONDS)
    client.connect(str(path))
    return client


def _say(path: Path, data: bytes, *, secret: bool) -> None:
    """Send an input in pieces, read to the end; raises SinkError with the server's refusal."""
    random = Random(data)
    with _connect(path) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused while we spoke
            cut = random.randrange(len(data) + 1)
            client.sendall(data[:cut])
            client.sendall(data[cut:])
            client.shutdown(socket.SHUT_WR)
        said = bytearray()
        with contextlib.suppress(ConnectionResetError):
            # Who closes only his side is served on where his request was good: a heartbeat shows it.
            while b'"heartbeat"' not in said and (piece := client.recv(65536)):
                said += piece
    if secret and not said:
        raise SinkError("the connection was closed without a word")
    for line in said.splitlines():
        fields = json.loads(line)
        if secret and fields["type"] != "error":
            raise Finding(f"told to one without the token: {line[:100]!r}")
        if fields["type"] == "error":
            raise SinkError(fields["message"])


def _check_friend(sink: SocketSink, lines: io.BufferedReader, count: int) -> None:
    sink.write(encode(_EVENT, count))
    for line in lines:
        if json.loads(line).get("seq") == count and json.loads(line)["type"] == "start":
            return
    raise Finding("a well-behaved subscriber was cut off")


@contextmanager
def _servers(folder: Path) -> Iterator[Run]:
    """Each input is what a hostile server says to `listen`."""
    path = folder / "hostile.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def run(data: bytes) -> None:
            speaking = threading.Thread(target=_serve, args=(server, data), daemon=True)
            speaking.start()
            try:
                listen(
                    [f"unix://{path}"],
                    format=("text", "json")[len(data) % 2],
                    stdout=io.TextIOWrapper(io.BytesIO(), "utf-8"),
                    stderr=io.TextIOWrapper(io.BytesIO(), "utf-8"),
                )
            finally:
                speaking.join()

        yield run


@contextmanager
def _scrapers(folder: Path) -> Iterator[Run]:
    """Each input is what one client says to the metrics port; an honest one is answered all the while."""
    server = MetricsServer(0, lambda: "up 1\n", seconds=0.5)
    server.start()
    count = 0

    def run(data: bytes) -> None:
        nonlocal count
        count += 1
        if count % _CHECK_EVERY == 0 and not _scraped(server.port, _SCRAPE).endswith(b"up 1\n"):
            raise Finding("an honest client was not answered")
        status = _scraped(server.port, data).partition(b"\r\n")[0]
        if b" 200 " not in status:
            raise SinkError(f"the port answered {status[:60]!r}")

    try:
        yield run
    finally:
        server.close()


def _scraped(port: int, said: bytes) -> bytes:
    """What the metrics port answers, to the end."""
    answer = bytearray()
    with socket.create_connection((HOST, port), _PATIENCE_SECONDS) as client:
        with contextlib.suppress(OSError):  # refused while we spoke
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
    return bytes(answer)


def _serve(server: socket.socket, data: bytes) -> None:
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        client.settimeout(_PATIENCE_SECONDS)
        client.sendall(data)
        if len(data) % 3:  # else: gone before it could be asked anything
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass


def _requests() -> Sequence[bytes]:
    return (
        b"\n",
        b'{"labels": ["Dog"], "min_score": 0.5, "since": 0}\n',
        b'{"since": 3}\n{"since": 4}\n',
        b'{"report": true}\n',
        b'{"spectrogram": {}}\n',
        b'{"spectrogram": {"source": "Mic"}}\n{"spectrogram": {}}\n',
        b'{"sound": {"source": "Mic"}}\n',
        b'{"sound": {"source": "\\u001b[31m\\ud800"}}\n',
        b'{"control": {"pause": true, "source": "Mic"}}\n',
        b'{"control": {"reload": true}}\n',
        b'{"verdict": {"id": "last", "said": "wrong"}}\n',
        b'{"token": "x"}\n{}\n',
        b'{"token": "\\ud800"}\n',
        b'{"labels": ["' + b"x" * MAX_REQUEST_BYTES + b'"]}\n',
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"[" * 4000 + b"\n",
    )


def _sayings() -> Sequence[bytes]:
    said = [
        encode(_HELLO),
        encode(StatusBody(state="listening", source="Mic", time=None)),
        encode(_EVENT, 1),
        encode(replace(_EVENT, kind="end"), 2),
        encode(HeartbeatBody(state="listening", time=None, seq=2)),
        encode(DroppedBody(count=3, time=None)),
    ]
    lines = [message.line for message in said]
    return (
        b"".join(lines),
        *lines,
        lines[0] + b'{"type": "error", "message": "no"}\n',
        lines[0] + b"[" * 5000 + b"\n",
        lines[0].replace(b"30.0", b"1e308"),
        lines[0].replace(b"30.0", b"9" * 400) + lines[2].replace(b"-20.0", b"9" * 400),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    )


_SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_HTTP_WORDS = (
    *(
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"/metrics",
        b"?",
        b" HTTP/1.1",
        b" HTTP/0.9",
        b"HTTP/2.0",
        b"\r\n",
        b"\n",
    ),
    *(b"Host: ", b"Content-Length: ", b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"\r\n\r\n"),
)

_ASKED = (
    *(b'"labels"', b'"since"', b'"token"', b'"report"', b'"spectrogram"', b'"sound"', b'"control"'),
    *(b'"source"', b'"pause"', b'"reload"'),
    *(b"\n", b"{", b"}", b"true", b"null", b'"'),
)

TARGETS = (
    Target("client's connection", 30, _requests, _clients, _ASKED, guided=False),
    Target("client without a token", 20, _requests, _strangers, _ASKED, guided=False),
    Target(
        "metrics request",
        20,
        lambda: (_SCRAPE, b"GET /metrics\r\n", b"GET / HTTP/1.0\r\n\r\n", b"GET /" + b"x" * 70_000 + b"\r\n"),
        _scrapers,
        _HTTP_WORDS,
        guided=False,
    ),
    Target("subscriber's server", 30, _sayings, _servers, _WORDS, guided=False),
)
