"""The server on a real socket: hostile clients within limits, and an end within a second."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from detector.errors import SinkError
from detector.web.access.body_limit import BodyLimitMiddleware
from detector.web.access.roles import SCOPE_KEY, Role, Visitor, guest_websocket
from detector.web.bounded_http import ConnectionLimits
from detector.web.command import page_address
from detector.web.page_server import make_server, open_socket
from tests.support.fakes import LONG

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIMITS = ConnectionLimits(connections=8, per_address=6, header_seconds=0.2, idle_seconds=0.3)


async def answer(_):
    return PlainTextResponse("hello")


async def large(_):
    return PlainTextResponse("x" * 20_000_000)


async def echo(request):
    return PlainTextResponse(str(len(await request.body())))


HANGING = threading.Event()


async def hang(_):
    HANGING.set()
    await asyncio.Event().wait()


async def stream(_):
    async def lines():
        while True:
            yield b": still here\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines(), media_type="text/event-stream")


async def talk(websocket):
    await websocket.accept()
    while True:
        await websocket.send_text("hello")
        await asyncio.sleep(0.01)


ROUTES = [
    Route("/", answer),
    Route("/large", large),
    Route("/stream", stream),
    Route("/hang", hang),
    Route("/echo", echo, methods=["POST"]),
    WebSocketRoute("/talk", guest_websocket(talk)),
]


PAGE = Starlette(routes=ROUTES)


async def with_guest(scope, receive, send):
    await PAGE({**scope, SCOPE_KEY: Visitor(Role.GUEST)}, receive, send)


@contextmanager
def serving(limits=LIMITS, is_proxy=lambda _: False):
    """A server in a thread of its own; gives a function that connects, and one that ends the server."""
    app = BodyLimitMiddleware(with_guest, seconds=0.3)
    listening, ready, sockets = open_socket("127.0.0.1", 0), threading.Event(), []
    server = make_server(app, ready=ready.set, is_proxy=is_proxy, limits=limits)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    address = listening.getsockname()
    thread.start()
    assert ready.wait(LONG)

    def connect(sent=b""):
        connection = socket.create_connection(address, timeout=LONG)
        sockets.append(connection)
        connection.sendall(sent)
        return connection

    def end():
        server.should_exit = True
        thread.join(LONG)
        assert not thread.is_alive()

    try:
        yield connect, end
    finally:
        end()
        for each in sockets:
            each.close()


def all_of(connection):
    """Everything until the server closes."""
    received = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(65536):
            received += data
    return received


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])  # noqa: S104
def test_the_address_that_it_prints_is_one_that_answers(host):
    try:
        listening = open_socket(host, 0)
    except SinkError as error:
        pytest.skip(str(error))
    with listening:
        scheme, _, rest = page_address(listening, tls=False).partition("://")
        shown, _, port = rest.rstrip("/").rpartition(":")
        assert scheme == "http"
        with socket.create_connection((shown.strip("[]"), int(port)), timeout=LONG):
            pass


def test_headers_that_do_not_come_end_the_connection():
    with serving() as (connect, _):
        silent, slow, second = connect(), connect(b"GET / HTTP/1.1\r\nHost: "), connect(GET + b"GET /")
        assert all_of(silent) == b""
        assert all_of(slow) == b""
        assert all_of(second).count(b"200 OK") == 1


def test_a_body_that_does_not_come_ends_the_request():
    with serving() as (connect, _):
        slow = connect(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab")
        assert b" 408 " in all_of(slow)


def test_who_reads_slowly_gets_everything():
    with serving(replace(LIMITS, idle_seconds=LONG)) as (connect, _):
        slow = connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        threading.Event().wait(2 * LIMITS.header_seconds)
        received = 0
        while received < 20_000_000:
            received += len(slow.recv(1_000_000)) or pytest.fail("it was cut off")


def test_who_reads_nothing_is_not_waited_for():
    with serving() as (connect, _):
        deaf = connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        threading.Event().wait(3 * LIMITS.idle_seconds)
        assert len(all_of(deaf)) < 20_000_000


def test_one_address_has_so_many_connections_and_a_proxy_as_many_as_there_are():
    with serving() as (connect, _):
        streams = [connect(GET.replace(b"/ ", b"/stream ", 1)) for _ in range(LIMITS.per_address)]
        assert all(each.recv(12) == b"HTTP/1.1 200" for each in streams)
        assert b" 503 " in all_of(connect(GET))
        streams.pop().close()
        wait_for_answer(connect)
    with serving(is_proxy=lambda _: True) as (connect, _):
        streams = [connect(GET.replace(b"/ ", b"/stream ", 1)) for _ in range(LIMITS.connections)]
        assert all(each.recv(12) == b"HTTP/1.1 200" for each in streams)
        assert b"too many connections" in all_of(connect(GET))


def wait_for_answer(connect):
    """Ask until there is room again."""
    end = time.monotonic() + LONG
    while True:
        connection = connect(GET)
        if connection.recv(12) == b"HTTP/1.1 200":
            return
        connection.close()
        assert time.monotonic() < end


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,  # TLS
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"GET /" + b"x" * 100_000,
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_garbage_is_refused_and_others_do_not_notice(garbage):
    with serving() as (connect, _):
        refused = all_of(connect(garbage))
        assert refused == b"" or refused.split(b" ")[1] in (b"400", b"413", b"408")
        assert connect(GET).recv(12) == b"HTTP/1.1 200"


def upgrade(path):
    """The request that opens a WebSocket."""
    headers = b"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    return (
        b"GET " + path + b" HTTP/1.1\r\n" + headers + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )


def test_it_ends_while_streams_are_open_and_nobody_has_to_wait_for_them(caplog):
    with serving(replace(LIMITS, idle_seconds=10 * LONG)) as (connect, end):
        streams = [connect(GET.replace(b"/ ", b"/stream ", 1)) for _ in range(3)]
        streams.append(connect(upgrade(b"/talk")))
        streams.append(connect())
        assert [each.recv(12) for each in streams[:4]] == [b"HTTP/1.1 200"] * 3 + [b"HTTP/1.1 101"]
        connect(GET.replace(b"/ ", b"/hang ", 1))
        assert HANGING.wait(LONG)
        started = time.monotonic()
        end()
        assert time.monotonic() - started < LONG
        assert caplog.records == []
