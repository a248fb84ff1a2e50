"""Clips: a list, one, its sound, deleting and locking it; for owners alone, since people may be heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.clips.clip_folder import ClipStore, StoredClip, clips_of, open_clip
from detector.clips.clip_record import ClipFacts
from detector.errors import ClipError
from detector.web.access.roles import owner
from detector.web.api.answers import JsonAnswer, read_object, refuse
from detector.web.api.query_values import check_keys, texts, whole, yes_or_no
from detector.web.parts import WebParts
from detector.web.sound_answer import SoundAnswer

log = logging.getLogger(__name__)
T = TypeVar("T")

LIST_KEYS = ("label", "source", "locked", "before", "limit")
USUAL_LIMIT, MOST_CLIPS = 50, 500
MEDIA_TYPES = {".flac": "audio/flac", ".wav": "audio/wav", ".opus": "audio/ogg"}


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes below `/api/v1/clips`."""
    store = None if parts.clips is None else ClipStore(parts.clips)

    async def clips(request: Request) -> Response:
        check_keys(request.query_params, LIST_KEYS)
        wanted = _Wanted(
            labels=frozenset(label.casefold() for label in texts(request.query_params, "label")),
            sources=frozenset(texts(request.query_params, "source")),
            locked=yes_or_no(request.query_params, "locked"),
            before=request.query_params.get("before", ""),
        )
        limit = whole(request.query_params, "limit", 1, MOST_CLIPS) or USUAL_LIMIT
        return JsonAnswer(await _in_thread(lambda: _page(store, wanted, limit)))

    async def clip(request: Request) -> Response:
        return JsonAnswer(await _in_thread(lambda: _values(_found(store, request))))

    async def sound(request: Request) -> Response:
        check_keys(request.query_params, ("download",))
        found = await _in_thread(lambda: _found(store, request))
        try:
            descriptor = await asyncio.to_thread(open_clip, found.path)
        except OSError as error:  # it went meanwhile, or it is a link
            raise _not_there() from error
        return SoundAnswer(
            descriptor,
            media_type=MEDIA_TYPES[found.path.suffix],
            request_headers=request.headers,
            download=found.path.name if yes_or_no(request.query_params, "download") else None,
        )

    async def delete(request: Request) -> Response:
        def deleted() -> None:
            found = _found(store, request)
            if found.entry.locked:
                raise refuse(409, "the clip is locked: unlock it first")
            _store(store).delete(found)

        await _in_thread(deleted)
        return Response(status_code=204)

    async def lock(request: Request) -> Response:
        locked = (await read_object(request)).get("locked")
        if not isinstance(locked, bool):
            raise refuse(400, 'expected {"locked": true} or {"locked": false}')

        def done() -> dict[str, object]:
            found = _found(store, request)
            (_store(store).lock if locked else _store(store).unlock)(found)
            return _values(_found(store, request))

        return JsonAnswer(await _in_thread(done))

    return [
        Route("/api/v1/clips", owner(clips), methods=["GET"]),
        Route("/api/v1/clips/{id}", owner(clip), methods=["GET"]),
        Route("/api/v1/clips/{id}", owner(delete), methods=["DELETE"]),
        Route("/api/v1/clips/{id}/sound", owner(sound), methods=["GET"]),
        Route("/api/v1/clips/{id}/lock", owner(lock), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which clips a list shows."""

    labels: frozenset[str]
    """Casefolded; empty is all."""
    sources: frozenset[str]
    locked: bool | None
    before: str
    """The id of the last clip of the page before; empty is the first page."""

    def holds(self, clip: StoredClip, facts: ClipFacts) -> bool:
        names = {facts.label.casefold(), *(sound.label.casefold() for sound in facts.sounds)}
        return (not self.labels or bool(self.labels & names)) and (
            not self.sources or facts.source in self.sources
        )


async def _in_thread(work: Callable[[], T]) -> T:
    """Look at the folder in a thread; HTTPException 503 where that cannot be."""
    try:
        return await asyncio.to_thread(work)
    except ClipError as error:
        log.warning('web.clips_failed error="%s"', error)
        raise refuse(503, "the folder of clips cannot be used; the log of the page says why") from error


def _page(store: ClipStore | None, wanted: _Wanted, limit: int) -> dict[str, object]:
    """At most `limit` clips, the newest first; only of these, and of those left out, the JSON is read."""
    found: list[dict[str, object]] = []
    following = None
    for clip in () if store is None else _newest_first(store, wanted):
        facts = clip.facts()
        if not wanted.holds(clip, facts):
            continue
        if len(found) == limit:
            following = found[-1]["id"]
            break
        found.append(_values(clip, facts))
    return {"clips": found, "next": following}


def _newest_first(store: ClipStore, wanted: _Wanted) -> Iterator[StoredClip]:
    latest = wanted.before[:8]  # what begins later is on pages before
    for day in reversed([*store.days()]):
        if latest and day.name.replace("-", "") > latest:
            continue
        for clip in sorted(clips_of(day), key=lambda clip: clip.entry.id, reverse=True):
            is_earlier = not wanted.before or clip.entry.id < wanted.before
            if is_earlier and wanted.locked in (None, clip.entry.locked):
                yield clip


def _found(store: ClipStore | None, request: Request) -> StoredClip:
    """The clip that the address names; HTTPException 404 where there is none."""
    found = None if store is None else store.exact(request.path_params["id"])
    if found is None:
        raise _not_there()
    return found


def _store(store: ClipStore | None) -> ClipStore:
    if store is None:
        raise _not_there()
    return store


def _not_there() -> Exception:
    return refuse(404, "there is no clip of this id")


def _values(clip: StoredClip, facts: ClipFacts | None = None) -> dict[str, object]:
    facts = clip.facts() if facts is None else facts
    return {
        "id": clip.entry.id,
        "state": "saved",
        "label": facts.label,
        "labels": list(dict.fromkeys(sound.label for sound in facts.sounds)),
        "start_time": facts.start_time,
        "duration": facts.duration,
        "source": facts.source,
        "locked": clip.entry.locked,
        "bytes": clip.entry.size,
        "events": [sound.id for sound in facts.sounds],
    }
