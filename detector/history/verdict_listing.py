"""Verdicts as rows for people and as JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo

from detector.files.terminal import cells, escape, padded
from detector.history.verdict_effects import LabelReport
from detector.verdicts.event_verdict import EventVerdict
from detector.wire.message import utc_text

_REPORT_COLUMNS = ("label", "heard", "told", "vetoed", "renamed", "right", "wrong", "other")


def verdict_rows(verdicts: Sequence[EventVerdict], *, zone: tzinfo | None = None) -> list[str]:
    """A line for each: when, the label, what was said, the event's id; `zone` None is the machine's own."""
    return _aligned([(_local(each.at, zone), each.label, each.said, each.event_id) for each in verdicts])


def report_rows(report: Sequence[LabelReport], *, as_json: bool) -> list[str]:
    """A line for each label, with a head; as JSON without."""
    if as_json:
        return [json.dumps(asdict(row) | {"told": row.told}, ensure_ascii=False) for row in report]
    rows = [tuple(str(getattr(row, column)) for column in _REPORT_COLUMNS) for row in report]
    return _aligned([_REPORT_COLUMNS, *rows], numbers=True) if rows else []


def export_lines(verdicts: Sequence[EventVerdict], *, embeddings: bool = False) -> list[str]:
    """A JSON object for each verdict; `embeddings` adds its numbers, rounded to six digits."""
    return [
        json.dumps(_fields(each) | (_numbers(each) if embeddings else {}), ensure_ascii=False)
        for each in verdicts
    ]


def _fields(verdict: EventVerdict) -> dict[str, object]:
    return {
        "id": verdict.event_id,
        "label": verdict.label,
        "said": verdict.said,
        "time": utc_text(verdict.at),
        "score": verdict.score,
        "network": verdict.base,
    }


def _numbers(verdict: EventVerdict) -> dict[str, object]:
    return {"embedding": [float(f"{value:.6g}") for value in verdict.embedding.tolist()]}


def _local(seconds: float, zone: tzinfo | None) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "-"


def _aligned(rows: Sequence[tuple[str, ...]], *, numbers: bool = False) -> list[str]:
    """Columns of one width; with `numbers` all but the first stand to the right."""
    shown = [tuple(map(escape, row)) for row in rows]
    widths = [max(map(cells, column)) for column in zip(*shown, strict=True)] if shown else []
    return [
        "  ".join(
            cell.rjust(width) if numbers and index else padded(cell, width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    ]
