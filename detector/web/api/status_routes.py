"""How the daemon is, which sources it hears, and which labels its events may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.events.groups import GROUPS
from detector.web.access.roles import guest
from detector.web.api.answers import JsonAnswer
from detector.web.daemon_link import LinkState
from detector.web.parts import WebParts


def routes(parts: WebParts) -> list[BaseRoute]:
    """The routes of `/api/v1/status`, `/sources` and `/labels`."""

    async def status(_: Request) -> Response:
        report = await parts.daemon.report()
        now = parts.daemon.now
        gone_since = None if report is not None else now.gone_since
        return JsonAnswer({**(report or {}), "connected": report is not None, "gone_since": gone_since})

    async def sources(_: Request) -> Response:
        return JsonAnswer({"sources": _sources(await parts.daemon.report(), parts.daemon.now)})

    async def labels(_: Request) -> Response:
        hello = parts.daemon.now.hello
        names = [] if hello is None else sorted(set(hello.labels))
        return JsonAnswer({"labels": names, "groups": _groups(names)})

    return [
        Route("/api/v1/status", guest(status), methods=["GET"]),
        Route("/api/v1/sources", guest(sources), methods=["GET"]),
        Route("/api/v1/labels", guest(labels), methods=["GET"]),
    ]


def _sources(report: Mapping[str, object] | None, now: LinkState) -> list[dict[str, object]]:
    """Each source with its state and level; of a daemon that is gone, their names alone."""
    if report is None:
        hello = now.hello
        names: Sequence[str] = () if hello is None else (hello.sources or (hello.source,))
        return [{"name": name, "state": "unknown", "detail": "", "level_dbfs": None} for name in names]
    several = report.get("sources")
    rows = [row for row in several if isinstance(row, dict)] if isinstance(several, list) else None
    if rows is None:
        rows = [{**report, "name": report.get("source"), "detail": ""}]
    return [{key: row.get(key) for key in ("name", "state", "detail", "level_dbfs")} for row in rows]


def _groups(labels: Sequence[str]) -> dict[str, list[str]]:
    """The groups that a filter may name, each with those labels that it names itself."""
    own = {label.casefold(): label for label in labels}
    found = {
        group.name: [own[name.casefold()] for name in (*group.labels, *group.alone) if name.casefold() in own]
        for group in GROUPS
    }
    return {name: members for name, members in found.items() if members}
