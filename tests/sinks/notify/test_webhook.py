"""Webhooks against a server on loopback that is slow, fails, redirects, hangs or closes early."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import socket
import ssl
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.config.notify_settings import WebhookSettings
from detector.errors import AccessError
from detector.sinks.notify.notices import event_notice, trial_notice
from detector.sinks.notify.webhook import WebhookTarget, retry_after_seconds
from tests.support.fakes import LONG
from tests.support.keys import make_keys
from tests.support.web_server import babbling, closing, dripping, hanging, status, web_server
from tests.support.wire_messages import make_message

NOTICE = trial_notice(("phone",), "test-1/phone", datetime(2026, 11, 28, 12, 0))


def post(server, notice=NOTICE, seconds=LONG, **settings):
    target = WebhookTarget(WebhookSettings("phone", **({"url": server.url} | settings)), seconds=seconds)
    target.open()
    return target.deliver(notice, lambda: False)


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_the_event_is_posted_as_it_is():
    message = make_message(7)
    notice = event_notice(message, message.body, "dogs at night", ("phone",), more=3)
    with web_server(status(204)) as server:
        assert post(server, notice).delivered
    first, headers, body = server.requests[0]
    assert first == "POST /hook?x=1 HTTP/1.1"
    assert body + b"\n" == message.line
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "run-1/dogs%20at%20night"
    assert headers["x-sound-detector-more"] == "3"
    assert headers["user-agent"].startswith("sound-detector/")
    assert "x-sound-detector-signature" not in headers


def test_as_text_it_is_a_line_for_people():
    message = make_message(7)
    notice = event_notice(message, message.body, "dogs", ("phone",), more=0)
    with web_server(status(200)) as server:
        post(server, notice, format="text", headers=("Title: Dog", "Priority:high"))
    _, headers, body = server.requests[0]
    assert body.decode().startswith("Dog (0.90) at ")
    assert (headers["title"], headers["priority"]) == ("Dog", "high")


def test_secrets_come_from_files(tmp_path):
    with web_server(status(200)) as server:
        post(
            server,
            url=None,
            url_file=private(tmp_path / "url", f"{server.url}\n"),
            headers_file=private(tmp_path / "headers", "Authorization: Bearer abc\n\n"),
            secret_file=private(tmp_path / "secret", "a secret\n"),
        )
    _, headers, body = server.requests[0]
    expected = hmac.new(b"a secret", body, hashlib.sha256).hexdigest()
    assert headers["x-sound-detector-signature"] == f"sha256={expected}"
    assert headers["authorization"] == "Bearer abc"
    assert json.loads(body)["type"] == "test"


@pytest.mark.parametrize("key", ["url_file", "headers_file", "secret_file"])
def test_a_file_that_others_can_read_is_refused(tmp_path, key):
    path = tmp_path / "file"
    path.write_text("http://127.0.0.1")
    path.chmod(0o644)
    settings = {"url": "http://127.0.0.1", key: str(path)}
    if key == "url_file":
        del settings["url"]
    with pytest.raises(AccessError, match="everybody on this machine may read or write it"):
        WebhookTarget(WebhookSettings("phone", **settings)).open()


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("url_file", "ftp://x", "begins with http"),
        ("headers_file", "no header", "Name: value"),
        ("headers_file", "Host: x", "set by the program"),
        ("secret_file", "", "empty"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_and_not_quoted(tmp_path, key, text, message):
    settings = {"url": "http://127.0.0.1", key: private(tmp_path / "file", text)}
    if key == "url_file":
        del settings["url"]
    with pytest.raises(AccessError, match=message):
        WebhookTarget(WebhookSettings("phone", **settings)).open()


@pytest.mark.parametrize(
    ("answer", "again", "detail"),
    [
        (status(500), True, "500"),
        (status(503), True, "503"),
        (status(429), True, "429"),
        (status(404), False, "404"),
        (status(302, "Location: http://127.0.0.1:1/"), False, "302, a redirect, which is not followed"),
        (closing, True, "no answer"),
        (babbling, True, "no answer"),
    ],
)
def test_what_a_server_answers_decides_whether_it_is_tried_again(answer, again, detail):
    with web_server(answer) as server:
        attempt = post(server)
    assert not attempt.delivered and attempt.again is again and detail in attempt.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [hanging, dripping])
def test_one_that_hangs_or_drips_is_left_in_time(answer):
    with web_server(answer) as server:
        started = time.monotonic()
        attempt = post(server, seconds=0.2)
        assert time.monotonic() - started < LONG
    assert attempt.again and attempt.detail == "no answer within 0.2 s"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder with a certificate for localhost and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture
def secured(keys):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "certificate.pem", keys / "key.pem")
    return context


def test_a_certificate_that_is_trusted_is_needed(keys, secured, monkeypatch):
    with web_server(status(204), tls=secured) as server:
        url = f"https://localhost:{server.port}/"
        refused = post(server, url=url)
        monkeypatch.setenv("SSL_CERT_FILE", str(keys / "certificate.pem"))
        assert post(server, url=url).delivered
    assert refused.again and refused.detail.startswith("its certificate is not trusted: self")
    assert [headers["host"] for _, headers, _ in server.requests] == [f"localhost:{server.port}"]


@pytest.mark.parametrize("answer", [hanging, dripping])
def test_over_tls_too_one_that_hangs_is_left_in_time(answer, keys, secured, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(keys / "certificate.pem"))
    with web_server(answer, tls=secured) as server:
        attempt = post(server, url=f"https://localhost:{server.port}/", seconds=0.5)
    assert attempt.again and attempt.detail == "no answer within 0.5 s"


@pytest.mark.parametrize("seconds", [0.2, 0.001])
def test_a_handshake_that_hangs_is_left_in_time(seconds):
    """Also where the time is over before the handshake begins, as on a slow machine."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        target = WebhookTarget(WebhookSettings("phone", url=url), seconds=seconds)
        target.open()
        started = time.monotonic()
        assert target.deliver(NOTICE, lambda: False).detail == f"no answer within {seconds} s"
    assert time.monotonic() - started < LONG


def test_a_server_may_ask_for_a_pause():
    with web_server(status(429, "Retry-After: 7")) as server:
        assert post(server).pause_seconds == 7


def test_nobody_there_is_tried_again():
    with web_server(status(200)) as server:
        pass
    attempt = post(server)
    assert attempt.again and "refused" in attempt.detail


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120),
        ("99999999999999", 3600),
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value, seconds):
    assert retry_after_seconds(value, datetime(2026, 11, 28, 12, 0, tzinfo=UTC)) == seconds


@given(
    st.text(st.characters(max_codepoint=255), max_size=40) | st.from_regex(r"\w{3}, \d+ \w{3} \d+ [\d:]+ .*")
)
def test_whatever_a_server_asks_for_is_a_bounded_pause_or_none(value):
    seconds = retry_after_seconds(value, datetime(2026, 11, 28, 12, 0, tzinfo=UTC))
    assert seconds is None or 0 <= seconds <= 3600
