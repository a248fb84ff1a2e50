"""The settings: read, previewed, changed, undone; the daemon paused and reloaded; notifications tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from detector.web.access.roles import owner
from detector.web.api.answers import read_object
from detector.web.api.request_bodies import answering, member, within
from detector.web.desk.refusals import Refused
from detector.web.parts import WebParts

JSON_BYTES = 65_536
"""The longest JSON body; a list of all labels of a model has 20 000."""
MOST_CHANGES = 1000
"""Settings in one request."""


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes; none where the page has no desk."""
    desk = parts.desk
    if desk is None:
        return []

    async def settings(_: Request) -> object:
        return await desk.settings.state()

    async def preview(request: Request) -> object:
        body = await read_object(request, JSON_BYTES)
        days = within(body, "days", 1, 30, 1)
        return await desk.settings.preview(_changes(body), round(days))

    async def change(request: Request) -> object:
        body = await read_object(request, JSON_BYTES)
        seen = member(body, "version", str, "") if "version" in body else None
        what = member(body, "what", str, "")[:200]
        return await desk.settings.change(_changes(body), seen=seen, what=what)

    async def undo(_: Request) -> object:
        return await desk.settings.undo()

    async def pause(request: Request) -> object:
        body = await read_object(request, JSON_BYTES)
        if "paused" not in body:
            raise Refused(400, "paused: expected true or false")
        paused = member(body, "paused", bool, False)
        return {"paused": paused, "message": await desk.orders.pause(paused)}

    async def reload(_: Request) -> object:
        return {"reloaded": True, "message": await desk.orders.reload()}

    async def models(_: Request) -> object:
        return await desk.models()

    async def notifications(_: Request) -> object:
        return await desk.notifications()

    async def try_notifications(request: Request) -> object:
        targets = member(await read_object(request, JSON_BYTES), "targets", list, [])
        return await desk.try_notifications([str(target) for target in targets])

    return [
        Route("/api/v1/settings", owner(answering(settings)), methods=["GET"]),
        Route("/api/v1/settings", owner(answering(change)), methods=["PUT"]),
        Route("/api/v1/settings/preview", owner(answering(preview), changes=False), methods=["POST"]),
        Route("/api/v1/settings/undo", owner(answering(undo)), methods=["POST"]),
        Route("/api/v1/pause", owner(answering(pause)), methods=["POST"]),
        Route("/api/v1/reload", owner(answering(reload)), methods=["POST"]),
        Route("/api/v1/models", owner(answering(models)), methods=["GET"]),
        Route("/api/v1/notify", owner(answering(notifications)), methods=["GET"]),
        Route("/api/v1/notify/test", owner(answering(try_notifications)), methods=["POST"]),
    ]


def _changes(body: Mapping[str, Any]) -> Mapping[str, object]:
    changes = member(body, "changes", dict, {})
    if len(changes) > MOST_CHANGES:
        raise Refused(422, f"expected at most {MOST_CHANGES} changes")
    return changes
