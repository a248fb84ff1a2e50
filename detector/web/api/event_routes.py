"""Events: a list with filters, page by page; one with all of its messages; those that come, as they come."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.errors import HistoryError
from detector.history.archive import Query
from detector.web.access.role_watch import role_lost
from detector.web.access.roles import Role, guest, visitor_of
from detector.web.api.answers import JsonAnswer, refuse
from detector.web.api.query_values import check_keys, moment, share, texts, time_zone, whole, yes_or_no
from detector.web.clip_index import ClipIndex
from detector.web.event_stream import EventStreams
from detector.web.event_views import EventViews
from detector.web.parts import WebParts

log = logging.getLogger(__name__)
T = TypeVar("T")

FILTERS = ("label", "group", "source", "min_score")
LIST_KEYS = (*FILTERS, "from", "to", "hour", "tz", "before", "limit", "vetoed")
USUAL_LIMIT, MOST_EVENTS = 50, 500
MOST_SEQ = 2**63 - 1


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes below `/api/v1/events` that read events."""
    views = EventViews(
        parts.history,
        ClipIndex(parts.clips),
        said_of_clips=parts.daemon.clips,
        recent=parts.daemon.recent,
        keeps_history=lambda: parts.daemon.keeps_history,
    )
    streams = EventStreams(parts.daemon, views)

    async def events(request: Request) -> Response:
        query, vetoed = _query(request.query_params)
        page = await reading(lambda: views.page(query, vetoed=vetoed, with_clips=hears(request)))
        said: dict[str, object] = {"events": page.events, "next": page.next}
        if page.damaged:
            log.warning("web.history_damaged events=%d: they are left out of the list", page.damaged)
            said["damaged"] = page.damaged
        return JsonAnswer(said)

    async def event(request: Request) -> Response:
        found = await reading(lambda: views.one(request.path_params["id"], with_clips=hears(request)))
        if found is None:
            raise refuse(404, "there is no event of this id")
        return JsonAnswer(found)

    async def picture(request: Request) -> Response:
        found = await reading(lambda: views.picture(request.path_params["id"]))
        if found is None:
            raise refuse(404, "there is no picture of this event")
        tag = f'"{zlib.crc32(found):08x}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(found, media_type="image/png", headers=headers)

    async def stream(request: Request) -> Response:
        check_keys(request.query_params, (*FILTERS, "since"))
        since = _last_seq(request)
        wanted = _wanted(request.query_params)
        return streams.answer(
            wanted,
            since=since,
            with_clips=hears(request),
            ending=lambda: role_lost(request, parts.doorkeeper),
        )

    return [
        Route("/api/v1/events", guest(events), methods=["GET"]),
        Route("/api/v1/events/stream", guest(stream), methods=["GET"]),
        Route("/api/v1/events/{id}", guest(event), methods=["GET"]),
        Route("/api/v1/events/{id}/picture", guest(picture), methods=["GET"]),
    ]


def hears(request: Request) -> bool:
    """Whether the visitor may know of clips and hear them."""
    return visitor_of(request).role >= Role.OWNER


async def reading(read: Callable[[], T]) -> T:
    """Read the history in a thread; HTTPException 503 where that cannot be."""
    try:
        return await asyncio.to_thread(read)
    except HistoryError as error:
        log.warning('web.history_unreadable error="%s"', error)
        raise refuse(503, "the history cannot be read; the log of the page says why") from error


def _query(query: QueryParams) -> tuple[Query, bool]:
    """What a list is asked for, and whether it is vetoed events; HTTPException 400."""
    check_keys(query, LIST_KEYS)
    wanted = _wanted(query)
    limit = whole(query, "limit", 1, MOST_EVENTS) or USUAL_LIMIT
    found = Query(
        since=moment(query, "from"),
        until=moment(query, "to"),
        labels=wanted.labels,
        min_score=wanted.min_score,
        sources=wanted.sources,
        hour=whole(query, "hour", 0, 23),
        zone=time_zone(query),
        before=whole(query, "before", 0, MOST_SEQ),
        limit=limit,
    )
    return found, bool(yes_or_no(query, "vetoed"))


def _wanted(query: QueryParams) -> Query:
    """The filter that lists and streams have in common."""
    return Query(
        labels=(*texts(query, "label"), *texts(query, "group")),
        sources=texts(query, "source"),
        min_score=share(query, "min_score"),
    )


def _last_seq(request: Request) -> int | None:
    """After which event a stream goes on: as the browser says when it comes again, else as it was asked."""
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdigit() and len(last) < 20:
        return min(int(last), MOST_SEQ)
    return whole(request.query_params, "since", 0, MOST_SEQ)
