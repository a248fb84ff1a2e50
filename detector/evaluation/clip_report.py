"""A dataset's figures as text, JSON, tables for spreadsheets and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, pstdev

from detector.evaluation.clip_evaluation import ClipReport
from detector.evaluation.clip_metrics import NOTHING, BackgroundFigures, ClipFigures
from detector.evaluation.confusion import confusion_png
from detector.evaluation.report_tables import Cell, csv_text, json_text, percent, table

WAYS = ("by score", "by events")


def clip_text(report: ClipReport) -> str:
    """What the terminal shows."""
    ways = (report.by_score, report.by_event)
    rows: list[list[Cell]] = [
        ["[%]", *WAYS],
        ["accuracy", *(percent(way.accuracy) for way in ways)],
        *(
            [f"{kind} {name}", *(percent(getattr(way, kind)[place]) for way in ways)]
            for kind in ("micro", "macro")
            for place, name in enumerate(("precision", "recall", "F1"))
        ),
        ["mean average precision", *(percent(way.mean_average_precision) for way in ways)],
        ["clips without an answer", *(percent(way.nothing) for way in ways)],
        ["own class among the events", None, percent(report.own_class_detected)],
    ]
    head = f"{report.clips} clips, {len(report.classes)} classes, layout {report.layout}\n\n"
    parts = [head + table(rows), table(_fold_rows(ways)), table(_class_rows(report))]
    if report.background is not None:
        quiet = report.background
        parts.append(
            f"background: {quiet.clips} clips, {100 * quiet.quiet:.1f} % without an event; "
            f"{quiet.false_alarms} false alarms, {quiet.per_hour:.1f} an hour\n"
        )
    if report.unmapped:
        parts.append(f"left out, the model has no label for them: {', '.join(report.unmapped)}\n")
    if report.unreadable:
        parts.append("".join(f"not read: {reason}\n" for reason in report.unreadable.values()))
    return "\n".join(part for part in parts if part)


def clip_json(report: ClipReport) -> str:
    """All figures as one object, shares 0..1."""
    return json_text(
        {
            "layout": report.layout,
            "clips": report.clips,
            "classes": list(report.classes),
            "unmapped": list(report.unmapped),
            "unreadable": dict(report.unreadable),
            "background": _background(report.background),
            "own_class_among_events": report.own_class_detected,
            "by_score": _figures(report.by_score),
            "by_events": _figures(report.by_event),
        }
    )


def clip_files(report: ClipReport) -> dict[str, str | bytes]:
    """Name -> content of every file of the report."""
    clips: list[list[Cell]] = [["path", "class", "fold", "by_score", "by_events", *report.classes]]
    clips += [
        [str(path), a.label, a.fold, a.by_score, a.by_event, *(float(score) for score in a.scores)]
        for path, a in report.answers
    ]
    return {
        "report.txt": clip_text(report),
        "report.json": clip_json(report),
        "classes.csv": csv_text(_class_rows(report)),
        "clips.csv": csv_text(clips),
        "confusion_by_score.csv": csv_text(_confusion_rows(report, report.by_score)),
        "confusion_by_events.csv": csv_text(_confusion_rows(report, report.by_event)),
        "confusion_by_score.png": confusion_png(report.classes, report.by_score.confusion, "by mean score"),
        "confusion_by_events.png": confusion_png(report.classes, report.by_event.confusion, "by events"),
    }


def _fold_rows(ways: Sequence[ClipFigures]) -> list[list[Cell]]:
    names = list(ways[0].folds)
    if not names:
        return [["folds", "none: every clip is tested once"]]
    rows: list[list[Cell]] = [["accuracy by fold [%]", *names, "mean", "deviation"]]
    for name, way in zip(WAYS, ways, strict=True):
        shares = [100 * share for share in way.folds.values()]
        rows.append([name, *shares, mean(shares), pstdev(shares)])
    return rows


def _class_rows(report: ClipReport) -> list[list[Cell]]:
    head: list[Cell] = ["class", "clips", "precision", "recall", "F1", "average precision"]
    rows = [[*head, *(f"{name} by events" for name in head[2:5])]]
    for name in report.classes:
        one, other = report.by_score.classes[name], report.by_event.classes[name]
        shares = (one.precision, one.recall, one.f1, one.average_precision)
        by_events = (other.precision, other.recall, other.f1)
        rows.append([name, one.clips, *map(percent, (*shares, *by_events))])
    return rows


def _confusion_rows(report: ClipReport, figures: ClipFigures) -> list[list[Cell]]:
    head: list[Cell] = ["true \\ answered", *report.classes, NOTHING]
    return [
        head,
        *([name, *row.tolist()] for name, row in zip(report.classes, figures.confusion, strict=True)),
    ]


def _background(quiet: BackgroundFigures | None) -> dict[str, object] | None:
    if quiet is None:
        return None
    return {
        "clips": quiet.clips,
        "without_event": quiet.quiet,
        "false_alarms": quiet.false_alarms,
        "false_alarms_per_hour": quiet.per_hour,
    }


def _figures(way: ClipFigures) -> dict[str, object]:
    three = ("precision", "recall", "f1")
    return {
        "accuracy": way.accuracy,
        "micro": dict(zip(three, way.micro, strict=True)),
        "macro": dict(zip(three, way.macro, strict=True)),
        "mean_average_precision": way.mean_average_precision,
        "without_answer": way.nothing,
        "folds": dict(way.folds),
        "classes": {
            name: {"clips": c.clips, **dict(zip(three, (c.precision, c.recall, c.f1), strict=True))}
            | {"average_precision": c.average_precision}
            for name, c in way.classes.items()
        },
        "confusion": way.confusion.tolist(),
    }
