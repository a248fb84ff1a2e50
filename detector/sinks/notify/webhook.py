"""A web address that notices are posted to.

The standard library's http.client does it: a daemon that runs for months gets no package more for one POST,
and what others do by themselves (redirects, proxies, cookies, sessions) is not wanted here.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

from detector import __version__
from detector.config.notify_settings import WebhookSettings, crosses_unencrypted, header_of, url_fault
from detector.errors import AccessError
from detector.files.terminal import escape
from detector.sinks.notify.notices import Notice
from detector.sinks.notify.retry_queue import Attempt
from detector.sinks.notify.target import Stopping
from detector.wire.access import client_context, read_secret

log = logging.getLogger(__name__)

WEBHOOK_SECONDS = 5.0
"""Time limit for one attempt, from the connection to the answer's headers; a name is looked up before."""
MOST_ADDRESSES = 4
"""Addresses of a host that are tried."""
LONGEST_PAUSE_SECONDS = 3600.0
"""A server that asks for a longer pause gets this one."""
MAX_FILE_BYTES = 8192


@dataclass(frozen=True, slots=True)
class _Secrets:
    url: str
    headers: Mapping[str, str]
    key: bytes | None


class WebhookTarget:
    """Posts each notice on a connection of its own; redirects are not followed."""

    def __init__(self, settings: WebhookSettings, *, seconds: float = WEBHOOK_SECONDS) -> None:
        """`seconds` bound one attempt; `open` comes before the first."""
        self._settings = settings
        self._seconds = seconds
        self._secrets: _Secrets | None = None

    @property
    def name(self) -> str:
        """What the settings call it."""
        return self._settings.name

    def open(self) -> None:
        """Read address, headers and secret; AccessError names the file at fault."""
        settings = self._settings
        url = settings.url or _text("url file", settings.url_file or "")
        if message := url_fault(url):
            raise AccessError(f"url file {settings.url_file}: {message}")
        if crosses_unencrypted(url):
            log.warning("notify.unencrypted target=%s: http:// leaves this network, use https://", self.name)
        headers = _headers("headers", settings.headers)
        if settings.headers_file is not None:
            lines = _text("headers file", settings.headers_file).splitlines()
            what = f"headers file {settings.headers_file}"
            headers |= _headers(what, [line for line in lines if line.strip()])
        file = settings.secret_file
        key = None if file is None else read_secret("secret file", file, max_bytes=MAX_FILE_BYTES)
        if key == b"":
            raise AccessError(f"secret file {file}: expected a secret, got an empty file")
        self._secrets = _Secrets(url, headers, key)

    def deliver(self, notice: Notice, stopping: Stopping) -> Attempt:
        """Post it once."""
        secrets = self._secrets
        if secrets is None:
            return Attempt(False, "it was not opened")
        is_text = self._settings.format == "text"
        body = notice.text.encode() if is_text else notice.line.rstrip(b"\n")
        headers = {
            "User-Agent": f"sound-detector/{__version__}",
            "Content-Type": "text/plain; charset=utf-8" if is_text else "application/json",
            "Idempotency-Key": quote(notice.key, safe="/:-_."),
            "X-Sound-Detector-Kind": notice.kind,
            "X-Sound-Detector-Rule": quote(notice.rule, safe=" /:-_."),
        }
        if notice.more:
            headers["X-Sound-Detector-More"] = str(notice.more)
        if secrets.key is not None:
            signature = hmac.new(secrets.key, body, hashlib.sha256).hexdigest()
            headers["X-Sound-Detector-Signature"] = f"sha256={signature}"
        try:
            return self._post(secrets.url, headers | dict(secrets.headers), body)
        except ssl.SSLCertVerificationError as error:
            return Attempt(
                False, f"its certificate is not trusted: {escape(error.verify_message)}", again=True
            )
        except TimeoutError:
            return Attempt(False, f"no answer within {self._seconds:g} s", again=True)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return Attempt(False, f"no answer: {escape(str(reason))}", again=True)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        parts = urlsplit(url)
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        found = socket.getaddrinfo(host, parts.port or (443 if is_tls else 80), type=socket.SOCK_STREAM)
        end = time.monotonic() + self._seconds
        connection = http.client.HTTPConnection(host, parts.port or (443 if is_tls else 80))
        if is_tls:  # for the Host header
            connection.default_port = 443
        late = threading.Event()
        stream = _connect(found[:MOST_ADDRESSES], end)
        stream.settimeout(max(0.01, end - time.monotonic()))
        if is_tls:
            stream = client_context(None).wrap_socket(
                stream, server_hostname=host, do_handshake_on_connect=False
            )

        def cut_off() -> None:
            late.set()
            with suppress(OSError):
                # Each byte may come in time, and the whole never. The plain socket's shutdown: that of TLS
                # takes away from the other thread what it is about to use.
                socket.socket.shutdown(stream, socket.SHUT_RDWR)

        timer = threading.Timer(max(0.0, end - time.monotonic()), cut_off)
        timer.daemon = True
        timer.start()
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            connection.sock = stream
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, dict(headers))
            answer = connection.getresponse()
            if late.is_set():  # what was cut off looks like an answer with few headers
                raise TimeoutError
            return _outcome(answer.status, answer.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
            connection.close()
            stream.close()


def _connect(addresses: Sequence[tuple[Any, ...]], end: float) -> socket.socket:
    """Connect to the first address that answers; OSError, TimeoutError."""
    failed: OSError = OSError("it has no address")
    for family, kind, protocol, _, address in addresses:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left)
            connection.connect(address)
        except OSError as error:
            connection.close()
            failed = error
        else:
            return connection
    raise failed


def _outcome(status: int, retry_after: str | None) -> Attempt:
    """What an answer means."""
    if 200 <= status < 300:
        return Attempt(True, str(status))
    if status == http.client.TOO_MANY_REQUESTS or status >= 500:
        pause = retry_after_seconds(retry_after, datetime.now(UTC))
        return Attempt(False, f"the server answered {status}", again=True, pause_seconds=pause)
    if 300 <= status < 400:
        return Attempt(False, f"the server answered {status}, a redirect, which is not followed")
    return Attempt(False, f"the server answered {status}")


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """How long a server asks to be left alone, RFC 9110 section 10.2.3; None where it does not ask."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(LONGEST_PAUSE_SECONDS, float(text[:9]))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(LONGEST_PAUSE_SECONDS, max(0.0, (moment - now).total_seconds()))


def _text(what: str, path: str) -> str:
    content = read_secret(what, path, max_bytes=MAX_FILE_BYTES)
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        raise AccessError(f"{what} {path}: expected ASCII, got something else") from None


def _headers(what: str, lines: list[str] | tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for line in lines:
        header = header_of(line)
        if isinstance(header, str):
            raise AccessError(f"{what}: {header}")
        headers[header[0]] = header[1]
    return headers
