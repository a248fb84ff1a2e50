"""How the API answers and reads: JSON in ASCII, refusals in one line, bodies of a small size."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from detector.files.terminal import escape

MOST_BODY_BYTES = 16_384
"""A request's JSON is small."""


class JsonAnswer(JSONResponse):
    """An object as JSON in ASCII, whatever text others put into it; it is kept nowhere on its way."""

    def __init__(self, content: object, status_code: int = 200) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store"})

    def render(self, content: object) -> bytes:
        """Write it; what is no number becomes null."""
        return json_line(content)


def json_line(content: object) -> bytes:
    """An object as one line of JSON in ASCII; what is no number becomes null."""
    try:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
    except ValueError:
        return json.dumps(_finite(content), allow_nan=False, separators=(",", ":")).encode("ascii")


def refuse(status: int, message: str) -> HTTPException:
    """The exception to raise: an answer that says in one printable line what is wrong."""
    return HTTPException(status, escape(message)[:500])


async def read_object(request: Request, most: int = MOST_BODY_BYTES) -> dict[str, Any]:
    """The JSON object that a request brings; raises HTTPException 400, 413 or 415."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise refuse(415, "expected Content-Type: application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise refuse(413, f"expected at most {most} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise refuse(400, "expected a JSON object")
    return found


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
