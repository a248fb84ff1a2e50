"""A file on a web server, with all that servers do wrong."""

import contextlib
import socket

import pytest

from detector.errors import UnsupportedFormat
from detector.remote.http_ranges import HttpRanges
from detector.remote.range_reader import PlaceUnreachable, Retryable, Stamp
from detector.remote.remote_address import RemoteAddress
from tests.support.elsewhere import ETAG, range_server
from tests.support.fakes import LONG

CONTENT = bytes(range(256)) * 40
STAMP = Stamp(len(CONTENT), 1_795_185_000_000_000_000, ETAG)


@pytest.fixture(scope="module")
def running():
    with range_server() as server:
        server.files["/a.wav"] = CONTENT
        server.files["/empty.wav"] = b""
        yield server


@pytest.fixture
def server(running):
    running.etag = ETAG
    running.asked.clear()
    running.headers.clear()
    running.answers.clear()
    return running


def ranges(server, path="/a.wav", **limits):
    return HttpRanges(RemoteAddress.parse(server.url + path), **limits)


def test_the_version_is_asked_for_with_one_byte(server):
    assert ranges(server).stamp() == STAMP
    assert server.asked == [("/a.wav", "bytes=0-0")]


def test_a_range_is_read(server):
    assert ranges(server).read(100, 300, STAMP) == CONTENT[100:300]
    assert server.headers[0]["Accept-Encoding"] == "identity"


def test_another_version_is_an_error(server):
    server.etag = '"2"'
    with pytest.raises(UnsupportedFormat, match="changed since it was listed"):
        ranges(server).read(0, 10, STAMP)


def test_a_server_without_ranges_is_left_at_its_header(server):
    server.answers = [refusing(200)]
    with pytest.raises(UnsupportedFormat, match="does not send parts of a file"):
        ranges(server).stamp()


def test_a_range_that_is_all_of_the_file_may_come_as_the_whole(server):
    def whole(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.send_header("ETag", ETAG)
        handler.send_header("Last-Modified", "Fri, 20 Nov 2026 14:30:00 GMT")
        handler.end_headers()
        handler.wfile.write(CONTENT)
        return False

    server.answers = [whole]
    assert ranges(server).read(0, len(CONTENT), STAMP) == CONTENT


def refusing(status, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return False

    return answer


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, PlaceUnreachable),
        (403, PlaceUnreachable),
        (404, UnsupportedFormat),
        (410, UnsupportedFormat),
        (429, Retryable),
        (500, Retryable),
        (503, Retryable),
    ],
)
def test_what_a_server_refuses_is_said(server, status, error):
    server.answers = [refusing(status)]
    with pytest.raises(error, match=f"the server answered {status}"):
        ranges(server).stamp()


@pytest.mark.parametrize(("asked", "wait"), [("7", 7.0), ("9999", 60.0), ("soon", 0.0)])
def test_a_server_may_ask_to_be_left_for_a_while(server, asked, wait):
    server.answers = [refusing(429, Retry_After=asked)]
    with pytest.raises(Retryable) as refused:
        ranges(server).stamp()
    assert refused.value.wait_seconds == wait


def test_an_empty_file_is_said_to_be_empty(server):
    with pytest.raises(UnsupportedFormat, match=r"is empty \(0 bytes\)"):
        ranges(server, "/empty.wav").stamp()


def test_a_connection_that_ends_early_is_tried_again(server):
    def half(handler):
        handler.send_response(206)
        handler.send_header("Content-Length", "100")
        handler.send_header("Content-Range", f"bytes 0-99/{len(CONTENT)}")
        handler.end_headers()
        handler.wfile.write(CONTENT[:40])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        return False

    server.answers = [half]
    with pytest.raises(Retryable, match="40 of 100 bytes"):
        ranges(server).read(0, 100, STAMP)


def test_another_range_than_asked_for_is_not_taken(server):
    server.answers = [refusing(206, Content_Range=f"bytes 5-14/{len(CONTENT)}")]
    with pytest.raises(Retryable, match="another part"):
        ranges(server).read(0, 10, STAMP)


def test_a_server_that_hangs_is_left(server):
    def hang(handler):
        handler.connection.settimeout(LONG)
        handler.connection.recv(1)  # until the other side leaves
        return False

    server.answers = [hang]
    with pytest.raises(Retryable, match=r"no answer within 0\.1 s"):
        ranges(server, answer_seconds=0.1).stamp()


def test_a_server_that_drips_is_left(server):
    def drip(handler):
        """A byte of the header, again and again, until the other side leaves."""
        handler.connection.settimeout(0.02)
        while True:
            handler.connection.send(b"x")
            with contextlib.suppress(TimeoutError):
                if not handler.connection.recv(1):
                    return False

    server.answers = [drip]
    with pytest.raises(Retryable, match="too slow"):
        ranges(server, deadline_seconds=0.2).stamp()


def test_nobody_there_is_tried_again():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = RemoteAddress.parse(f"http://127.0.0.1:{closed.getsockname()[1]}/a.wav")
        with pytest.raises(Retryable, match="refused"):
            HttpRanges(address).stamp()


def test_redirects_are_followed_and_a_login_is_told_to_its_host_alone(server):
    other = server.url.replace("127.0.0.1", "localhost")
    address = RemoteAddress.parse(server.url.replace("://", "://me:pw@") + "/there")
    server.answers = [refusing(302, Location="/a.wav"), lambda _: True]
    assert HttpRanges(address).stamp() == STAMP
    assert [sent.get("Authorization") for sent in server.headers] == ["Basic bWU6cHc="] * 2
    server.headers.clear()
    server.answers = [refusing(302, Location=f"{other}/a.wav"), lambda _: True]
    assert HttpRanges(address).stamp() == STAMP
    assert [sent.get("Authorization") for sent in server.headers] == ["Basic bWU6cHc=", None]
    assert [sent["Range"] for sent in server.headers] == ["bytes=0-0"] * 2


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://host/a.wav"])
def test_a_redirect_leads_to_no_other_protocol(server, target):
    server.answers = [refusing(302, Location=target)]
    with pytest.raises((UnsupportedFormat, Retryable, PlaceUnreachable)):
        ranges(server).stamp()
    assert len(server.asked) == 1
