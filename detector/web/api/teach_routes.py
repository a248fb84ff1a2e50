"""Own sounds: takes, training, trying, using."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route

from detector.web.access.body_limit import Upload
from detector.web.access.roles import owner
from detector.web.api.answers import read_object
from detector.web.api.request_bodies import answering, member, read_bytes, within
from detector.web.desk.refusals import Refused
from detector.web.desk.take_sound import MOST_BYTES
from detector.web.parts import WebParts

UPLOADS = {"/api/v1/teach/takes": Upload(MOST_BYTES, 120.0)}
"""The only files that the page takes."""
LEAST_SECONDS, MOST_SECONDS = 1.0, 60.0
TAKE_SECONDS, BACKGROUND_SECONDS = 3.0, 30.0
LIVE_SECONDS = 5.0
_TYPES = {".wav": "audio/wav", ".flac": "audio/flac"}


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes; none where the page has no desk."""
    if parts.desk is None:
        return []
    teaching = parts.desk.teaching
    takes, training = teaching.takes, teaching.training

    async def state(_: Request) -> object:
        return await teaching.state()

    async def record(request: Request) -> object:
        body = await read_object(request)
        name = takes.name_of(member(body, "name", str, ""))
        default = BACKGROUND_SECONDS if name == "background" else TAKE_SECONDS
        seconds = within(body, "seconds", LEAST_SECONDS, MOST_SECONDS, default)
        return teaching.recorder.start(name, seconds, _source(body))

    async def stop_recording(_: Request) -> object:
        await teaching.recorder.stop()
        return None

    async def add_take(request: Request) -> object:
        name = request.query_params.get("name", "")
        return await teaching.add(name, await read_bytes(request, MOST_BYTES))

    async def kept(request: Request) -> object:
        name = takes.name_of(request.query_params.get("name", ""))
        return {"takes": [takes.facts(take) for take in takes.kept(name)]}

    async def sound(request: Request) -> object:
        path = takes.find(request.path_params["id"]).path
        kind = _TYPES.get(path.suffix.lower())
        if kind is None or not path.is_file() or path.is_symlink():
            raise Refused(404, "this take cannot be played here")
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(path, media_type=kind, headers=headers)

    async def keep(request: Request) -> object:
        return await teaching.keep(request.path_params["id"])

    async def discard(request: Request) -> object:
        await teaching.discard(request.path_params["id"])
        return None

    async def forget(request: Request) -> object:
        await teaching.forget(request.path_params["name"])
        return None

    async def train(_: Request) -> object:
        return training.start()

    async def stop_training(_: Request) -> object:
        return await training.cancel()

    async def attempt(request: Request) -> object:
        body = await read_object(request)
        if member(body, "live", bool, False):
            seconds = within(body, "seconds", LEAST_SECONDS, MOST_SECONDS, LIVE_SECONDS)
            return await teaching.try_live(seconds, _source(body))
        return await teaching.try_take(member(body, "take", str, ""))

    async def use(_: Request) -> object:
        return await teaching.use()

    async def forget_model(_: Request) -> object:
        return await teaching.forget_model()

    base = "/api/v1/teach"
    return [
        Route(base, owner(answering(state)), methods=["GET"]),
        Route(f"{base}/record", owner(answering(record, 202)), methods=["POST"]),
        Route(f"{base}/record", owner(answering(stop_recording)), methods=["DELETE"]),
        Route(f"{base}/takes", owner(answering(kept)), methods=["GET"]),
        Route(f"{base}/takes", owner(answering(add_take, 201)), methods=["POST"]),
        Route(f"{base}/takes/{{id}}", owner(answering(discard)), methods=["DELETE"]),
        Route(f"{base}/takes/{{id}}/sound", owner(answering(sound)), methods=["GET"]),
        Route(f"{base}/takes/{{id}}/keep", owner(answering(keep)), methods=["POST"]),
        Route(f"{base}/sounds/{{name}}", owner(answering(forget)), methods=["DELETE"]),
        Route(f"{base}/train", owner(answering(train, 202)), methods=["POST"]),
        Route(f"{base}/train", owner(answering(stop_training)), methods=["DELETE"]),
        Route(f"{base}/try", owner(answering(attempt)), methods=["POST"]),
        Route(f"{base}/use", owner(answering(use)), methods=["POST"]),
        Route(f"{base}/use", owner(answering(forget_model)), methods=["DELETE"]),
    ]


def _source(body: dict[str, object]) -> str | None:
    return member(body, "source", str, "") or None if body.get("source") is not None else None
