"""The result of a training for programs: what was learned, how well, and what is worth knowing."""

from __future__ import annotations

import json
import math

from detector.training.training_page import TrainingReport


def result_facts(report: TrainingReport) -> dict[str, object]:
    """Figures as shares 0..1; None where one was not measured."""
    figures, scenes = report.figures, report.figures.scenes
    return {
        "name": report.name,
        "classes": {
            name: {
                "clips": one.examples,
                "threshold": one.threshold,
                "recall": _number(one.recall),
                "precision": _number(one.precision),
            }
            for name, one in figures.classes.items()
        },
        "clips": len(report.dataset.example_set.examples),
        "notes": [finding.text for finding in report.findings],
        "scenes": None
        if scenes is None
        else {
            "sounds": scenes.sounds,
            "found": _number(scenes.found),
            "wrong_per_hour": _number(scenes.wrong_per_hour),
            "latency": _number(scenes.latency),
        },
        "unknown_as_known": _number(figures.unknown_detected),
        "accuracy": _number(figures.accuracy),
    }


def json_line(facts: dict[str, object]) -> str:
    """The last line that a program reads."""
    return json.dumps({"result": facts}, allow_nan=False)


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
