"""Who sends a request, and whether it comes from the page itself: looked at before any route."""

from __future__ import annotations

import hmac
import secrets

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from detector.web.access.roles import SCOPE_KEY, Role, Visitor, refusal

CSRF_HEADER = "X-CSRF-Token"
_READING = frozenset({"GET", "HEAD"})


class VisitorMiddleware:
    """On loopback, without a password: everybody who can connect is the owner."""

    def __init__(self, app: ASGIApp, *, read_only: bool) -> None:
        self._app = app
        self._visitor = Visitor(Role.OWNER, secrets.token_urlsafe(32), may_change=not read_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the visitor, refuse what another page sends, and go on."""
        if scope["type"] in ("http", "websocket"):
            scope[SCOPE_KEY] = self._visitor
            if scope["type"] == "http" and scope["method"] not in _READING:
                token = Headers(scope=scope).get(CSRF_HEADER, "")
                if not hmac.compare_digest(token.encode(), self._visitor.csrf.encode()):
                    answer = refusal(403, f"expected the header {CSRF_HEADER}, as /api/v1/me says it")
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)
