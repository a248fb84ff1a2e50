"""Who the visitor is, and whether the page and its daemon are well."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from detector.web.access.roles import Role, anybody, visitor_of
from detector.web.parts import WebParts


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes of `/healthz` and `/api/v1/me`."""

    async def health(_: Request) -> Response:
        listening = await parts.daemon.report() is not None
        words = ("ok", "listening") if listening else ("daemon gone", "gone")
        return JSONResponse(dict(zip(("status", "daemon"), words, strict=True)), 200 if listening else 503)

    async def me(request: Request) -> Response:
        visitor = visitor_of(request)
        return JSONResponse(
            {
                "role": None if visitor.role is Role.NOBODY else visitor.role.name.lower(),
                "csrf": visitor.csrf,
                "version": parts.version,
                "read_only": parts.doorkeeper.policy.read_only,
                "password_set": parts.doorkeeper.password_set,
            }
        )

    return [
        Route("/healthz", anybody(health), methods=["GET"]),
        Route("/api/v1/me", anybody(me), methods=["GET"]),
    ]
