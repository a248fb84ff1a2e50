"""The answer to "what if": the events of the last days, counted with other settings."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from detector.config.page_settings import page_faults, page_values
from detector.errors import HistoryError
from detector.history.archive import Query, sounds
from detector.web.desk.preview import PreviewCount, preview
from detector.web.desk.refusals import Refused
from detector.wire.message import EventBody

DAY_SECONDS = 86400.0


async def preview_answer(
    changes: Mapping[str, object],
    values: Mapping[str, Any],
    history: Sequence[Path],
    *,
    days: int,
    now: float,
    default_threshold: float | None = None,
) -> dict[str, object]:
    """What the page is told; faults of the changes are in it. Raises Refused where the history is damaged.

    The last whole days are counted; if it is one and had no events, the last 24 hours are.
    `values` are all settings in force, `now` UTC seconds since 1970.
    """
    faults = page_faults(changes)
    span, whose = _days(datetime.fromtimestamp(now), days), f"the last {days} days'"
    if days == 1:
        whose = "yesterday's"
    counted = PreviewCount({}, [])
    if not faults:
        counted = await asyncio.to_thread(_count, changes, values, history, span, default_threshold)
    if days == 1 and not faults and not counted.before:
        span, whose = (now - DAY_SECONDS, now), "the last 24 hours'"
        counted = await asyncio.to_thread(_count, changes, values, history, span, default_threshold)
    return {
        "faults": faults,
        "text": _sentence(changes, counted, whose) if not faults else "",
        "before": counted.before,
        "after": counted.after,
        "from": span[0],
        "to": span[1],
        "by_label": [
            {"label": label, "before": count.before, "after": count.after, "scores": count.scores}
            for label, count in counted.by_label.items()
        ],
        "note": " ".join(f"{note[0].upper()}{note[1:]}." for note in dict.fromkeys(counted.notes)) or None,
    }


def _count(
    changes: Mapping[str, object],
    values: Mapping[str, Any],
    history: Sequence[Path],
    span: tuple[float, float],
    default_threshold: float | None,
) -> PreviewCount:
    path = next((path for path in history if os.path.isfile(path)), None)  # noqa: PTH113
    found = () if path is None else sounds(path, Query(since=float(span[0]), until=float(span[1])))
    try:
        return preview(
            (message.body for message in found if isinstance(message.body, EventBody)),
            changes,
            labels=values["events"]["labels"],
            sources=values["sources"],
            now_in_force=page_values(values),
            default_threshold=default_threshold,
        )
    except HistoryError as error:
        raise Refused(409, str(error)) from error


def _days(now: datetime, days: int) -> tuple[float, float]:
    """UTC seconds at which the last whole days begin and end, in local time."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=days)).timestamp(), today.timestamp()


def _sentence(changes: Mapping[str, object], counted: PreviewCount, whose: str) -> str:
    numbers = [value for value in changes.values() if isinstance(value, float)]
    head = f"with {numbers[0]:g}, " if len(changes) == len(numbers) == 1 else ""
    if not counted.before:
        return "there were no events lately that could be counted"
    return f"{head}{counted.after} of {whose} {counted.before} events would remain"
