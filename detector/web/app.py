"""The page as one ASGI application: the API's routes, the files of the page, and who gets in before both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from detector.web.access.body_limit import BodyLimitMiddleware
from detector.web.access.page_headers import HeadersMiddleware
from detector.web.access.roles import refusal
from detector.web.access.visitors import VisitorMiddleware
from detector.web.api import (
    calibration_routes,
    clip_routes,
    description,
    event_routes,
    live_routes,
    log_in,
    overview_routes,
    settings_routes,
    status_routes,
    teach_routes,
    verdict_routes,
    visit,
)
from detector.web.parts import WebParts
from detector.web.static_files import static_routes

API: tuple[Callable[[WebParts], list[BaseRoute]], ...] = (
    visit.routes,
    log_in.routes,
    status_routes.routes,
    event_routes.routes,
    settings_routes.routes,
    live_routes.routes,
    clip_routes.routes,
    description.routes,
    verdict_routes.routes,
    calibration_routes.routes,
    overview_routes.routes,
    teach_routes.routes,
)
"""What makes the routes of each module of `api/`."""


def make_app(parts: WebParts) -> Starlette:
    """Build the application; the daemon is followed while it is served."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with parts.daemon.following():
                yield
        finally:
            if parts.desk is not None:
                await parts.desk.close()

    routes = [route for make_routes in API for route in make_routes(parts)]
    return Starlette(
        routes=[*routes, *static_routes()],
        middleware=[
            Middleware(HeadersMiddleware),
            Middleware(BodyLimitMiddleware, uploads=teach_routes.UPLOADS),
            Middleware(VisitorMiddleware, doorkeeper=parts.doorkeeper),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_error, Exception: _fault},
    )


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return refusal(error.status_code, error.detail, dict(error.headers or {}))


async def _fault(_: Request, __: Exception) -> Response:
    return refusal(500, "a fault in the page; its log says more")
