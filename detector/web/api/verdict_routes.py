"""Verdicts: what the owner says of an event goes to the daemon, which keeps it and learns from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.errors import DetectorError, VerdictError
from detector.web.access.roles import owner
from detector.web.api.answers import JsonAnswer, read_object, refuse
from detector.web.parts import WebParts
from detector.wire.encoding import encode
from detector.wire.request import MAX_REQUEST_BYTES, VerdictLine

_EVENT_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}-\d{1,18}")
"""A whole id: the daemon also takes parts of it, `last`, labels and `all`, which no address should mean."""


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes of `/api/v1/events/{id}/verdict`."""

    async def give(request: Request) -> Response:
        said = (await read_object(request)).get("said")
        if not isinstance(said, str) or not said.strip():
            raise refuse(400, 'expected {"said": "right"}, "wrong" or the label that is right')
        return await _hand_in(parts, VerdictLine(id=_event_id(request.path_params), said=said.strip()))

    async def take_back(request: Request) -> Response:
        return await _hand_in(parts, VerdictLine(forget=_event_id(request.path_params)))

    path = "/api/v1/events/{id}/verdict"
    return [
        Route(path, owner(give), methods=["POST"]),
        Route(path, owner(take_back), methods=["DELETE"]),
    ]


def _event_id(path_params: Mapping[str, str]) -> str:
    if not _EVENT_ID.fullmatch(path_params["id"]):
        raise refuse(404, "there is no event of this id")
    return path_params["id"]


async def _hand_in(parts: WebParts, line: VerdictLine) -> Response:
    """The daemon's answer; HTTPException 409 where it refuses, 503 where it does not answer."""
    if len(json.dumps(line.said)) > MAX_REQUEST_BYTES - 200:
        raise refuse(409, "expected a shorter label")
    try:
        answer = await parts.daemon.give_verdict(line)
    except VerdictError as error:
        raise refuse(409, str(error)) from error
    except DetectorError as error:
        raise refuse(503, "the daemon does not answer") from error
    return JsonAnswer(json.loads(encode(answer).line))
