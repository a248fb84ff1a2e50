"""Values of the bodies of requests, each of its type, and answers that say what cannot be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from detector.files.terminal import escape
from detector.web.api.answers import JsonAnswer
from detector.web.desk.refusals import Refused

T = TypeVar("T")


async def read_bytes(request: Request, most: int) -> bytes:
    """The body; raises Refused where it is longer than `most` bytes."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > most:
            raise Refused(413, f"expected at most {most} bytes")
    return bytes(received)


def member(body: Mapping[str, Any], name: str, kind: type[T], default: T) -> T:
    """A value of an object, of this type; raises Refused for another type."""
    value = body.get(name, default)
    if kind is float and type(value) is int:
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise Refused(400, f"{name}: expected {_NAMES.get(kind, kind.__name__)}")
    return value


def within(body: Mapping[str, Any], name: str, low: float, high: float, default: float) -> float:
    """A number of an object, within its limits; raises Refused."""
    value = member(body, name, float, default)
    if not low <= value <= high:
        raise Refused(422, f"{name}: expected {low:g} to {high:g}")
    return value


def answering(endpoint: Callable[[Request], Awaitable[object]], status: int = 200) -> Callable[..., Any]:
    """An endpoint whose plain data becomes JSON (None: no content), and whose `Refused` an error."""

    async def answered(request: Request) -> Response:
        try:
            found = await endpoint(request)
        except Refused as error:
            faults = {"faults": [*map(escape, error.faults)]} if error.faults else {}
            return JsonAnswer({"error": escape(error.message), **faults}, error.status)
        if found is None:
            return Response(status_code=204)
        return found if isinstance(found, Response) else JsonAnswer(found, status)

    return answered


_NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
