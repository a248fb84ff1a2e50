"""What verdicts would do, as text, JSON and a table for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from detector.evaluation.report_tables import Cell, csv_text, json_text, table
from detector.evaluation.verdict_evaluation import VerdictReport
from detector.evaluation.verdict_simulation import COUNTS, NEAR_SECONDS, VerdictFigures


def verdict_text(report: VerdictReport) -> str:
    """What the terminal shows."""
    parts = [
        f"{report.recordings} recordings, {report.hours:.2f} h: verdicts on the first events of each first "
        "half, events of the second halves\n"
        f"wrong: no sound of the event's label is within {NEAR_SECONDS:g} s; kind: the label of an event and "
        "the class of the sound that it stands on\n"
    ]
    for named in (False, True):
        figures = [one for one in report.figures if one.named is named]
        said = "the right label" if named else "wrong"
        parts.append(f"of a wrong event they say {said}\n" + table(_rows(figures)))
    if report.unmapped:
        parts.append(f"left out, the model has no label for them: {', '.join(report.unmapped)}\n")
    if report.unreadable:
        parts.append("".join(f"not read: {reason}\n" for reason in report.unreadable.values()))
    return "\n".join(parts)


def verdict_json(report: VerdictReport) -> str:
    """All figures as one object: counts of verdicts and events."""
    return json_text(
        {
            "recordings": report.recordings,
            "hours": report.hours,
            "near_seconds": NEAR_SECONDS,
            "classes": list(report.classes),
            "unmapped": list(report.unmapped),
            "unreadable": dict(report.unreadable),
            "verdicts": [asdict(figures) for figures in report.figures],
        }
    )


def verdict_files(report: VerdictReport) -> dict[str, str | bytes]:
    """Name -> content of every file of the report."""
    rows: list[Sequence[Cell]] = [["verdicts", "named", *COUNTS]]
    for one in report.figures:
        fields = asdict(one)
        rows.append([one.asked, str(one.named).lower(), *(fields[name] for name in COUNTS)])
    return {
        "report.txt": verdict_text(report),
        "report.json": verdict_json(report),
        "verdicts.csv": csv_text(rows),
    }


def _rows(figures: Sequence[VerdictFigures]) -> list[list[Cell]]:
    return [
        ["verdicts in each recording, at most", *(one.asked for one in figures)],
        ["verdicts in all", *(one.given for one in figures)],
        ["wrong events", *(one.wrong for one in figures)],
        ["  with verdicts", *(one.still_wrong for one in figures)],
        ["  less [%]", *(_less(one.wrong, one.still_wrong) for one in figures)],
        ["of these, of a label that was called wrong", *(one.label_again for one in figures)],
        ["  with verdicts", *(one.label_still_wrong for one in figures)],
        ["  less [%]", *(_less(one.label_again, one.label_still_wrong) for one in figures)],
        ["of these, of a kind that was called wrong", *(one.kind_again for one in figures)],
        ["  with verdicts", *(one.kind_still_wrong for one in figures)],
        ["  less [%]", *(_less(one.kind_again, one.kind_still_wrong) for one in figures)],
        ["right events", *(one.right for one in figures)],
        ["  lost with verdicts", *(one.lost for one in figures)],
        ["  lost [%]", *(_less(one.right, one.right - one.lost) for one in figures)],
        ["renamed, and right", *(one.renamed_right for one in figures)],
        ["renamed, and wrong", *(one.renamed_wrong for one in figures)],
    ]


def _less(before: int, after: int) -> float | None:
    """By how many per cent; None where there was nothing."""
    return 100 * (before - after) / before if before else None
