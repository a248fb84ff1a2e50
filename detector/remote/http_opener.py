"""HTTP by the standard library: which protocols and redirects are followed, and why something failed."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from email.message import Message
from typing import IO
from urllib.parse import urlsplit


def make_opener() -> urllib.request.OpenerDirector:
    """Make an opener that follows redirects and the user's proxies, and knows http and https only."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        _CarefulRedirects,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


class Downgraded(OSError):
    """A server wants an answer that was asked for by https to come by http."""


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Never from https to http. Who logs in is told to the host alone that was asked first."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if before.scheme == "https" and after.scheme == "http":
            raise Downgraded("it redirects from https to http, which is not followed")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        login = req.unredirected_hdrs.get("Authorization")
        if following is not None and login and (before.scheme, before.netloc) == (after.scheme, after.netloc):
            following.add_unredirected_header("Authorization", login)
        return following


def failure_reason(error: Exception, timeout: float) -> str:
    """Why a request failed, in words."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(cause, socket.gaierror):
        return "the name of its host cannot be looked up"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return text or type(cause).__name__
