"""What `sound-detector fleet` shows: who is alive, what was lost, versions and levels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from detector.files.terminal import escape
from detector.fleet.event_database import Database

DAY_SECONDS = 86_400
CLOCK_SECONDS = 60.0
"""A daemon's clock may be so far ahead; events of a later time are not counted as of today."""
_LARGEST = 1e15
"""Greater numbers are no levels and no times."""

_EVENTS = """
WITH RECURSIVE nodes (node) AS (
    SELECT MIN(node) FROM events
    UNION ALL SELECT (SELECT MIN(node) FROM events WHERE node > nodes.node) FROM nodes WHERE node IS NOT NULL
) SELECT node,
    (SELECT MAX(start_time) FROM events WHERE events.node = nodes.node),
    (SELECT COUNT(*) FROM (SELECT DISTINCT start_time, id FROM events
        WHERE events.node = nodes.node AND start_time > ? AND start_time <= ?) AS sounds)
FROM nodes WHERE node IS NOT NULL
"""
"""Each node, when its newest sound began, and how many began between two times.

A sound is several messages with one `id` and one beginning. It goes along the index `events_node`, from node
to node, so it neither reads what is older nor sorts.
"""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One daemon; what it never said is None."""

    node: str
    state: str
    """`online`, `offline`, or `?` where it never said; `paused`, `silent` or `lost` where it is online."""
    level_dbfs: float | None
    """The newest level of its (loudest) source [dBFS]; None where it is offline."""
    events_day: int
    """Sounds that began in the last 24 hours."""
    last_event: float | None
    """UTC [s since 1970]."""
    missing: int
    """Numbers of events that have not come."""
    lost_seconds: float | None
    """Sound that it lost since its start."""
    uptime_seconds: float | None
    version: str | None


def node_rows(database: Database, *, now: float) -> list[NodeRow]:
    """Read what is known of each daemon, by name. `now`: UTC [s since 1970]."""
    facts: dict[str, dict[str, list[str]]] = {}
    for node, kind, value in database.run("SELECT node, kind, value FROM facts ORDER BY node, kind, source"):
        facts.setdefault(node, {}).setdefault(kind, []).append(value)
    last: dict[str, float] = {}
    day: dict[str, int] = {}
    for node, newest, sounds in database.run(_EVENTS, now - DAY_SECONDS, now + CLOCK_SECONDS):
        last[node], day[node] = newest, sounds
    missing: dict[str, int] = dict(database.run("SELECT node, COUNT(*) FROM missing GROUP BY node"))
    rows = []
    for node in sorted({*facts, *last}):
        known = facts.get(node, {})
        stats = [json.loads(text) for text in known.get("stats", ())]
        state = _state(known)
        rows.append(
            NodeRow(
                node=node,
                state=state,
                level_dbfs=None if state == "offline" else max(_numbers(stats, "level_dbfs"), default=None),
                events_day=day.get(node, 0),
                last_event=last.get(node),
                missing=missing.get(node, 0),
                lost_seconds=max(_numbers(stats, "lost_seconds"), default=None),
                uptime_seconds=max(_numbers(stats, "uptime_seconds"), default=None),
                version=next((str(s["version"])[:40] for s in stats if "version" in s), None),
            )
        )
    return rows


def as_json(rows: Sequence[NodeRow]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(asdict(row)) + "\n" for row in rows)


def as_table(rows: Sequence[NodeRow], *, now: float) -> str:
    """Columns for people, and a line with the sums."""
    head = ("node", "state", "level", "events 24 h", "last event", "missing", "lost", "up", "version")
    cells = [
        (
            *(escape(row.node), row.state),
            "" if row.level_dbfs is None else f"{row.level_dbfs:.0f} dBFS",
            *(str(row.events_day), "" if row.last_event is None else _ago(now - row.last_event)),
            str(row.missing),
            "" if row.lost_seconds is None else f"{row.lost_seconds:.1f} s",
            *("" if row.uptime_seconds is None else _span(row.uptime_seconds), escape(row.version or "")),
        )
        for row in rows
    ]
    widths = [max(len(line[n]) for line in (head, *cells)) for n in range(len(head))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *cells)
    ]
    alive = sum(row.state not in ("offline", "?") for row in rows)
    lines.append(f"{alive} of {len(rows)} online, {sum(row.missing for row in rows)} events missing")
    return "\n".join(lines) + "\n"


def _state(known: dict[str, list[str]]) -> str:
    (availability,) = known.get("availability", ["?"])[:1]
    if availability != "online":
        return availability
    sources = known.get("state", [])
    if "OFF" in known.get("listen", []):
        return "paused"
    return next((word for word in ("lost", "silent") if word in sources), "online")


def _numbers(stats: Sequence[dict[str, Any]], key: str) -> list[float]:
    values = [one.get(key) for one in stats]
    return [
        float(v)
        for v in values
        if isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < _LARGEST
    ]


def _ago(seconds: float) -> str:
    """A daemon whose clock is ahead may date its events in the future; a little is no matter."""
    return f"{_span(seconds)} ago" if seconds >= -CLOCK_SECONDS else f"in {_span(-seconds)}"


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
