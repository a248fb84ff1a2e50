"""Calibration from the page: start, watch, end early, apply."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from detector.web.access.roles import owner
from detector.web.api.answers import read_object
from detector.web.api.request_bodies import answering, member, within
from detector.web.desk.calibration_job import LEAST_SECONDS, MOST_SECONDS
from detector.web.parts import WebParts

DEFAULT_SECONDS = 300.0


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes; none where the page has no desk."""
    if parts.desk is None:
        return []
    calibration = parts.desk.calibration

    async def state(_: Request) -> object:
        return calibration.state()

    async def start(request: Request) -> object:
        body = await read_object(request)
        seconds = within(body, "seconds", LEAST_SECONDS, MOST_SECONDS, DEFAULT_SECONDS)
        source = member(body, "source", str, "") if body.get("source") is not None else ""
        return await calibration.start(seconds, source or None)

    async def finish(_: Request) -> object:
        return calibration.finish()

    async def cancel(_: Request) -> object:
        return await calibration.cancel()

    async def apply(_: Request) -> object:
        return await calibration.apply()

    return [
        Route("/api/v1/calibrate", owner(answering(state)), methods=["GET"]),
        Route("/api/v1/calibrate", owner(answering(start, 202)), methods=["POST"]),
        Route("/api/v1/calibrate", owner(answering(cancel)), methods=["DELETE"]),
        Route("/api/v1/calibrate/finish", owner(answering(finish, 202)), methods=["POST"]),
        Route("/api/v1/calibrate/apply", owner(answering(apply)), methods=["POST"]),
    ]
