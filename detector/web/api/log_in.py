"""Log in and out."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.web.access.password import MAX_BYTES
from detector.web.access.roles import anybody, refusal
from detector.web.access.visitors import COOKIE, session_token
from detector.web.parts import WebParts


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes of `/api/v1/session`."""
    door = parts.doorkeeper

    async def log_in(request: Request) -> Response:
        password = _password_in(request.headers.get("Content-Type", ""), await request.body())
        if password is None:
            return refusal(400, 'expected JSON: {"password": "..."}')
        if not door.password_set:
            return refusal(409, "no password is set: sound-detector web --set-password sets one")
        result = await door.log_in(password, request.client.host if request.client else "")
        if result.wait:
            headers = {"Retry-After": str(result.wait)}
            return refusal(429, f"too many log-ins: try again in {result.wait} s", headers)
        if not result.token:
            return refusal(401, "this is not the password")
        door.log_out(session_token(request))  # the browser's earlier session, if it had one
        answer = Response(status_code=204)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE,
            result.token,
            max_age=door.session_seconds,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return answer

    async def log_out(request: Request) -> Response:
        door.log_out(session_token(request))
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return [
        Route("/api/v1/session", anybody(log_in), methods=["POST"]),
        Route("/api/v1/session", anybody(log_out), methods=["DELETE"]),
    ]


def _password_in(content_type: str, body: bytes) -> str | None:
    """The password that a request brings; None where it brings none, or something else beside."""
    if content_type.partition(";")[0].strip().lower() != "application/json" or len(body) > 8 * MAX_BYTES:
        return None
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.keys() != {"password"}:
        return None
    password = fields["password"]
    return password if isinstance(password, str) else None
