"""The figures of annotated recordings as text, JSON and tables for spreadsheets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from detector.evaluation.event_metrics import COLLAR_SECONDS, DetectionCounts
from detector.evaluation.matching import Delay
from detector.evaluation.recording_evaluation import RecordingReport, VariantFigures
from detector.evaluation.report_tables import Cell, csv_text, json_text, percent, table

MOST_OTHERS = 8
"""Labels outside the truth that the text names."""


def recording_text(report: RecordingReport) -> str:
    """What the terminal shows."""
    head = (
        f"{report.recordings} recordings, {report.hours:.2f} h, {len(report.classes)} classes; an event "
        f"counts where its onset is within {COLLAR_SECONDS:g} s of the true one\n\n"
    )
    parts = [head + table(_overall_rows(report))]
    for name, variant in report.variants.items():
        parts.append(f"{name}\n" + table(_class_rows(report, variant)))
        if variant.unmapped_events:
            most = list(variant.unmapped_events.items())[:MOST_OTHERS]
            named = ", ".join(f"{label} {count}" for label, count in most)
            parts.append(f"events of labels that are no class of the truth: {named}\n")
    if report.unmapped:
        parts.append(f"left out, the model has no label for them: {', '.join(report.unmapped)}\n")
    if report.unreadable:
        parts.append("".join(f"not read: {reason}\n" for reason in report.unreadable.values()))
    return "\n".join(parts)


def recording_json(report: RecordingReport) -> str:
    """All figures as one object: shares 0..1, seconds, events per hour."""
    return json_text(
        {
            "recordings": report.recordings,
            "hours": report.hours,
            "collar_seconds": COLLAR_SECONDS,
            "classes": list(report.classes),
            "unmapped": list(report.unmapped),
            "unreadable": dict(report.unreadable),
            "variants": {name: _figures(variant, report.hours) for name, variant in report.variants.items()},
        }
    )


def recording_files(report: RecordingReport) -> dict[str, str | bytes]:
    """Name -> content of every file of the report."""
    rows: list[Sequence[Cell]] = []
    for name, variant in report.variants.items():
        head, *classes = _class_rows(report, variant)
        rows += [["variant", *head]] * (not rows) + [[name, *row] for row in classes]
    return {
        "report.txt": recording_text(report),
        "report.json": recording_json(report),
        "classes.csv": csv_text(rows),
    }


def _overall_rows(report: RecordingReport) -> list[list[Cell]]:
    variants = report.variants.values()
    overall = [variant.events.overall for variant in variants]
    scenarios = list(next(iter(variants)).scores.psds)
    return [
        ["", *report.variants],
        ["event F1 [%]", *(percent(found.f1) for found in overall)],
        ["event precision [%]", *(percent(found.precision) for found in overall)],
        ["event recall [%]", *(percent(found.recall) for found in overall)],
        ["event F1, mean of classes [%]", *(percent(variant.events.macro_f1) for variant in variants)],
        ["segment F1 [%]", *(percent(found.segment_f1) for found in overall)],
        [
            "segment F1, mean of classes [%]",
            *(percent(variant.events.macro_segment_f1) for variant in variants),
        ],
        *(
            [name + " [%]", *(percent(variant.scores.psds[name]) for variant in variants)]
            for name in scenarios
        ),
        ["false alarms per hour", *(found.false_alarms / report.hours for found in overall)],
        [
            "of these, far from any sound of the class",
            *(sum(v.class_false_alarms.values()) / report.hours for v in variants),
        ],
        [
            "of these, far from any sound at all",
            *(sum(v.background_false_alarms.values()) / report.hours for v in variants),
        ],
        [
            "events of other labels per hour",
            *(sum(v.unmapped_events.values()) / report.hours for v in variants),
        ],
        ["onset to decision, median [s]", *(_latency(variant.delays, 0.5) for variant in variants)],
        ["onset to decision, 95 % within [s]", *(_latency(variant.delays, 0.95) for variant in variants)],
        ["windows classified", *(variant.windows for variant in variants)],
    ]


def _class_rows(report: RecordingReport, variant: VariantFigures) -> list[list[Cell]]:
    scenarios = list(variant.scores.psds)
    head: list[Cell] = ["class", "true", "events", "hits", "precision [%]", "recall [%]", "F1 [%]"]
    rows = [
        [
            *head,
            "segment F1 [%]",
            *(f"{name} [%]" for name in scenarios),
            "false per hour",
            "far per hour",
            "latency [s]",
        ]
    ]
    for name, found in variant.events.classes.items():
        rows.append(
            [
                name,
                *(found.true, found.events, found.hits),
                *map(percent, (found.precision, found.recall, found.f1, found.segment_f1)),
                *(percent(variant.scores.classes[scenario].get(name, math.nan)) for scenario in scenarios),
                found.false_alarms / report.hours,
                variant.class_false_alarms.get(name, 0) / report.hours,
                _latency([delay for delay in variant.delays if delay.label == name], 0.5),
            ]
        )
    return rows


def _latency(delays: Sequence[Delay], share: float) -> str:
    """Seconds within which this share was decided."""
    if not delays:
        return "–"
    latencies = sorted(delay.latency for delay in delays)
    value = median(latencies) if share == 0.5 else latencies[math.ceil(share * len(latencies)) - 1]
    return f"{value:.2f}"


def _figures(variant: VariantFigures, hours: float) -> dict[str, object]:
    latencies = [delay.latency for delay in variant.delays]
    return {
        "overall": _found(variant.events.overall, hours),
        "macro_f1": variant.events.macro_f1,
        "macro_segment_f1": variant.events.macro_segment_f1,
        "psds": dict(variant.scores.psds),
        "psds_by_class": {name: dict(shares) for name, shares in variant.scores.classes.items()},
        "classes": {name: _found(found, hours) for name, found in variant.events.classes.items()},
        "latency_seconds": {
            "median": median(latencies) if latencies else None,
            "mean_onset_error": sum(d.onset_error for d in variant.delays) / len(latencies)
            if latencies
            else None,
            "found": len(latencies),
        },
        "strays": dict(variant.class_false_alarms),
        "unprompted": dict(variant.background_false_alarms),
        "other_labels": dict(variant.unmapped_events),
        "windows": variant.windows,
    }


def _found(found: DetectionCounts, hours: float) -> dict[str, object]:
    # `told` is the older name of `events`.
    return asdict(found) | {"told": found.events, "false_alarms_per_hour": found.false_alarms / hours}
