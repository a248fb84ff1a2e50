"""The event socket with asyncio: the same addresses, token and trust as `listen`."""

import asyncio
import json
import socket
import threading
from contextlib import contextmanager

import pytest

from detector.errors import SinkError
from detector.subscriber.client import NOTHING, Credentials
from detector.subscriber.daemon_stream import open_stream
from detector.wire.access import Access, read_keys
from detector.wire.address import TcpAddress, UnixAddress
from tests.support.fakes import LONG

HELLO = b'{"type":"hello","version":"0","labels":[],"schema":1}\n'


@contextmanager
def daemon(answer, keys=None):
    """A server on a port of this machine that answers one connection; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            connection, _ = listener.accept()
            if keys is not None:
                connection = keys.tls.wrap_socket(connection, server_side=True)
            with connection:
                answer(connection)
        except OSError:
            pass  # the test has seen why

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(LONG)


def read(address, credentials=NOTHING, request=None):
    """The first message, or None at the end."""

    async def script():
        stream = await open_stream([address], credentials)
        try:
            if request is not None:
                stream.send(request)
            return await stream.read(LONG)
        finally:
            stream.close()

    return asyncio.run(script())


def say(*lines):
    def answer(connection):
        for line in lines:
            connection.sendall(line)

    return answer


def test_a_message_is_read_and_a_request_is_sent():
    got = []

    def answer(connection):
        got.append(connection.makefile("rb").readline())
        connection.sendall(HELLO)

    with daemon(answer) as port:
        assert read(TcpAddress("127.0.0.1", port), request={"since": 3}).kind == "hello"
    assert [json.loads(line) for line in got] == [{"since": 3}]


def test_the_end_of_the_connection_is_no_fault():
    with daemon(say(b'{"type":"hel')) as port:
        assert read(TcpAddress("127.0.0.1", port)) is None


@pytest.mark.parametrize("line", [b"HTTP/1.1 400 Bad Request\n", b"[]\n", b"\xff\n", b"x" * 5_000_000])
def test_what_is_no_daemon_is_said(line):
    with daemon(say(line)) as port, pytest.raises(SinkError, match="is it a sound-detector"):
        read(TcpAddress("127.0.0.1", port))


def test_silence_is_said():
    async def script(port):
        stream = await open_stream([TcpAddress("127.0.0.1", port)], NOTHING)
        try:
            await stream.read(0.02)
        finally:
            stream.close()

    with daemon(lambda connection: connection.recv(1)) as port, pytest.raises(SinkError, match="heartbeat"):
        asyncio.run(script(port))


def test_nobody_there_is_said_with_each_address(tmp_path):
    addresses = [UnixAddress(str(tmp_path / "a.sock")), UnixAddress(str(tmp_path / "b.sock"))]
    with pytest.raises(SinkError, match=r"a\.sock.* or .*b\.sock.*start one"):
        asyncio.run(open_stream(addresses, NOTHING))


def test_over_tls_the_token_is_sent_to_whom_the_certificate_names(keys):
    got = []

    def answer(connection):
        got.append(connection.makefile("rb").readline())
        connection.sendall(HELLO)

    access = Access(certificate=str(keys / "certificate.pem"), key=str(keys / "key.pem"))
    credentials = Credentials(token_file=str(keys / "token"), ca=str(keys / "certificate.pem"))
    with daemon(answer, read_keys(access)) as port:
        assert read(TcpAddress("127.0.0.1", port, tls=True), credentials).kind == "hello"
    assert json.loads(got[0])["token"] == (keys / "token").read_text().strip()


def test_a_strange_certificate_gets_no_token(keys):
    got = []
    access = Access(certificate=str(keys / "certificate.pem"), key=str(keys / "key.pem"))
    credentials = Credentials(token_file=str(keys / "token"), tls=True)
    with (
        daemon(lambda connection: got.append(connection.recv(100)), read_keys(access)) as port,
        pytest.raises(SinkError, match="cannot be verified"),
    ):
        read(TcpAddress("127.0.0.1", port), credentials)
    assert got == []


def test_a_token_does_not_cross_a_network_unencrypted(keys):
    with pytest.raises(SinkError, match="unencrypted"):
        read(TcpAddress("192.0.2.1", 1), Credentials(token_file=str(keys / "token")))
