"""Roles, and the wrappers by which each route says which role it needs.

Route("/api/v1/events", guest(events))
Route("/api/v1/pause", owner(pause), methods=["POST"])
Route("/api/v1/settings/preview", owner(preview, changes=False), methods=["POST"])
WebSocketRoute("/api/v1/live", guest_websocket(live))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
SocketEndpoint: TypeAlias = Callable[[WebSocket], Awaitable[None]]

SCOPE_KEY = "sound_detector.visitor"
"""Where `VisitorMiddleware` leaves the visitor in the scope of a request."""
NO_ENTRY = 4401
"""The code with which a WebSocket is closed on whoever may not open it, before it is accepted: HTTP 403."""
_READING = frozenset({"GET", "HEAD"})


class Role(IntEnum):
    """Who somebody is; a higher role may do all that a lower one may."""

    NOBODY = 0
    """Has not logged in."""
    GUEST = 1
    """Sees events, counts and the live spectrogram; hears nothing and changes nothing."""
    OWNER = 2
    """Sees, hears and changes everything that the page offers."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request."""

    role: Role = Role.NOBODY
    csrf: str = ""
    """What an `X-CSRF-Token` must be; empty for whoever may change nothing."""
    may_change: bool = False
    """Whether anything may be changed: false for all where `web.read_only` is true."""


def visitor_of(connection: HTTPConnection) -> Visitor:
    """The visitor; nobody where no middleware has looked."""
    visitor = connection.scope.get(SCOPE_KEY)
    return visitor if isinstance(visitor, Visitor) else Visitor()


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer that says in one line what is wrong."""
    return JSONResponse({"error": message}, status_code=status, headers=headers)


def anybody(endpoint: Endpoint) -> Endpoint:
    """A route that needs no log-in."""
    return _with_role(endpoint, Role.NOBODY, changes=False)


def guest(endpoint: Endpoint) -> Endpoint:
    """A route for guests and owners, which only reads."""
    return _with_role(endpoint, Role.GUEST, changes=False)


def owner(endpoint: Endpoint, *, changes: bool = True) -> Endpoint:
    """A route for owners; with `changes`, a read-only page refuses all methods but GET and HEAD."""
    return _with_role(endpoint, Role.OWNER, changes=changes)


def guest_websocket(endpoint: SocketEndpoint) -> SocketEndpoint:
    """A WebSocket for guests and owners."""
    return _socket_with_role(endpoint, Role.GUEST)


def owner_websocket(endpoint: SocketEndpoint) -> SocketEndpoint:
    """A WebSocket for owners."""
    return _socket_with_role(endpoint, Role.OWNER)


def role_needed(endpoint: object) -> Role | None:
    """The role that a wrapped endpoint needs; None where no wrapper said one."""
    return getattr(endpoint, "role_needed", None)


def _with_role(endpoint: Endpoint, needed: Role, *, changes: bool) -> Endpoint:
    async def checked(request: Request) -> Response:
        visitor = visitor_of(request)
        if visitor.role < needed:
            if visitor.role is Role.NOBODY:
                return refusal(401, "log in first")
            return refusal(403, "guests may not do this: log in")
        if changes and request.method not in _READING and not visitor.may_change:
            return refusal(403, "the page is read-only: web.read_only is true in the settings")
        return await endpoint(request)

    checked.role_needed = needed  # type: ignore[attr-defined]
    return checked


def _socket_with_role(endpoint: SocketEndpoint, needed: Role) -> SocketEndpoint:
    async def checked(socket: WebSocket) -> None:
        if visitor_of(socket).role < needed:
            await socket.close(NO_ENTRY)
            return
        with suppress(WebSocketDisconnect):  # whoever has gone is no fault
            await endpoint(socket)

    checked.role_needed = needed  # type: ignore[attr-defined]
    return checked
