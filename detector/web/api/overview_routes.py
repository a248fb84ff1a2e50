"""The overview: what was heard when, and how loud each minute was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.errors import HistoryError
from detector.history.history_paths import existing_history
from detector.history.level_series import LevelSeries, level_series, level_sources
from detector.history.sound_overview import HistoryOverview, SoundOverview
from detector.web.access.roles import guest
from detector.web.api.answers import JsonAnswer
from detector.web.api.event_routes import reading
from detector.web.api.query_values import check_keys, moment, texts, time_zone, whole
from detector.web.parts import WebParts
from detector.wire.message import finite, utc_text

T = TypeVar("T")

USUAL_DAYS, MOST_DAYS = 7, 366
USUAL_LEVEL_SECONDS = 86400.0


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes `/api/v1/overview` and `/api/v1/levels`."""
    overviews, one_at_a_time = HistoryOverview(utc=parts.utc), Lock()

    async def overview(request: Request) -> Response:
        query = request.query_params
        check_keys(query, ("days", "source", "tz"))
        days = whole(query, "days", 1, MOST_DAYS) or USUAL_DAYS
        sources, zone = texts(query, "source"), time_zone(query)

        def read(path: Path) -> dict[str, object]:
            with one_at_a_time:
                found = overviews.read(path, days=days, sources=sources, zone=zone)
            return {**_fields(found), "tz": None if zone is None else str(zone)}

        found = await reading(lambda: _of_history(parts, read))
        return JsonAnswer(_NOTHING if found is None else found)

    async def levels(request: Request) -> Response:
        query = request.query_params
        check_keys(query, ("from", "to", "source"))
        until = moment(query, "to")
        end = parts.utc() if until is None else until
        since = moment(query, "from")
        begin = end - USUAL_LEVEL_SECONDS if since is None else since
        source = next(iter(texts(query, "source")), None)

        def read(path: Path) -> dict[str, object]:
            series = level_series(path, since=begin, until=end, source=source)
            return _columns(series) | {"sources": level_sources(path)}

        found = await reading(lambda: _of_history(parts, read))
        columns = _columns(LevelSeries(source=source)) | {"sources": []} if found is None else found
        return JsonAnswer({"offset_db": parts.level_offset_db, **columns})

    return [
        Route("/api/v1/overview", guest(overview), methods=["GET"]),
        Route("/api/v1/levels", guest(levels), methods=["GET"]),
    ]


def _of_history(parts: WebParts, read: Callable[[Path], T]) -> T | None:
    """What is read from the history; None where there is none yet."""
    try:
        path = existing_history(parts.history)
    except HistoryError:
        return None
    return read(path)


_NOTHING: dict[str, object] = {
    "labels": [],
    "hours": {},
    "days": [],
    "first_this_week": [],
    "longest_silence": None,
    "heard": None,
    "events": 0,
    "tz": None,
}


def _fields(overview: SoundOverview) -> dict[str, object]:
    silence, heard = overview.longest_silence, overview.heard
    return {
        "labels": [*overview.hours],
        "hours": overview.hours,
        "days": [
            {"date": day.date.isoformat(), "counts": day.counts, "total": sum(day.counts.values())}
            for day in overview.days
        ],
        "first_this_week": [
            {"label": first.label, "time": utc_text(first.time), "id": first.id}
            for first in overview.first_this_week
        ],
        "longest_silence": silence
        and {
            "start": utc_text(silence[0]),
            "end": utc_text(silence[1]),
            "seconds": finite(silence[1] - silence[0], 1),
        },
        "heard": heard
        and {
            "seconds": finite(heard.seconds, 1),
            "share": finite(heard.share, 4),
            "lost_seconds": finite(heard.lost_seconds, 1),
        },
        "events": overview.events,
    }


def _columns(series: LevelSeries) -> dict[str, object]:
    return {
        "step": series.step_seconds,
        "source": series.source,
        "minutes": series.minutes,
        "leq": series.leq,
        "max": series.max,
        "l10": series.l10,
        "l90": series.l90,
        "heard": series.heard,
        "lost": series.lost,
    }
