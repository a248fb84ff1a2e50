"""Who sends a request, from where, and whether it comes from the page itself: looked at before any route."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from detector.web.access.doorkeeper import Doorkeeper
from detector.web.access.policy import AccessPolicy
from detector.web.access.roles import NO_ENTRY, SCOPE_KEY, Visitor, refusal

CSRF_HEADER = "X-CSRF-Token"
LOG_IN = ("POST", "/api/v1/session")
"""The one changing request that needs no token: whoever sends it cannot have one."""
COOKIE = "sound_detector_session"
_READING = frozenset({"GET", "HEAD"})
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


def session_token(connection: HTTPConnection) -> str:
    """What the session's cookie holds; empty where there is none."""
    return connection.cookies.get(COOKIE, "")


class VisitorMiddleware:
    """Leaves the visitor in the scope, and refuses requests that cannot come from the page."""

    def __init__(self, app: ASGIApp, *, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at a request, and go on or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = session_token(HTTPConnection(scope))
        fault = self._look_at_sender(scope, headers) or _look_at_origin(scope, headers)
        if fault is None:
            scope[SCOPE_KEY] = visitor = self._doorkeeper.visitor(token)
            fault = _look_at_token(scope, headers, visitor)
        if fault is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close(NO_ENTRY)
        else:
            await refusal(*fault)(scope, receive, send)

    def _look_at_sender(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Note whom a trusted proxy speaks for; find a proxy that is not trusted, or a strange name."""
        policy = self._doorkeeper.policy
        client = scope.get("client")
        if client and policy.is_proxy(client[0]):
            if speaks_for := _speaks_for(headers, policy):
                scope["client"] = (speaks_for[:64], 0)
            if headers.get("X-Forwarded-Proto", "").strip().lower() == "https":
                scope["scheme"] = "https" if scope["type"] == "http" else "wss"
        elif policy.proxies and policy.certificate is None and not policy.insecure and not policy.is_local:
            return 403, "reach the page through its proxy"
        elif not self._doorkeeper.password_set and any(name in headers for name in _FORWARDED):
            return 403, "this came through a proxy: name it in web.proxy, and set a password"
        hosts = headers.getlist("Host")
        if len(hosts) != 1 or not policy.is_called(hosts[0]):
            return 421, f"this page is not known by the name {' '.join(hosts)[:80]}: add it to web.hosts"
        return None


def _speaks_for(headers: Headers, policy: AccessPolicy) -> str:
    """Whom trusted proxies speak for; empty where they do not say. A proxy adds to the end, maybe a line."""
    chain = [each.strip() for each in ",".join(headers.getlist("X-Forwarded-For")).split(",")]
    strangers = (each for each in reversed(chain) if not policy.is_proxy(each))
    return next(strangers, chain[0])


def _look_at_origin(scope: Scope, headers: Headers) -> tuple[int, str] | None:
    """Find a request that another site's page has sent: browsers say so."""
    origin = headers.get("Origin")
    if origin is not None and _site_of(origin) != headers["Host"].lower():
        return 403, "this came from another site's page"
    from_elsewhere = headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if from_elsewhere and (scope["type"] == "websocket" or scope["path"].startswith("/api/")):
        return 403, "this came from another site's page"
    return None


def _site_of(origin: str) -> str:
    """Name and port; empty for what is no origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _look_at_token(scope: Scope, headers: Headers, visitor: Visitor) -> tuple[int, str] | None:
    """Find a changing request without the token that only the page itself can read."""
    if scope["type"] != "http" or scope["method"] in _READING or (scope["method"], scope["path"]) == LOG_IN:
        return None
    token = headers.get(CSRF_HEADER, "")
    if not visitor.csrf:
        return 401, "log in first"
    if not hmac.compare_digest(token.encode(), visitor.csrf.encode()):
        return 403, f"expected the header {CSRF_HEADER}, as /api/v1/me says it"
    return None
