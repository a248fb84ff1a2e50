"""Are the events of two machines the same? `python scripts/compare_events.py EXPECTED FOUND`

Both are folders that `sound-detector analyze --out` wrote, of the same recordings. For each recording: the
same messages in the same order (start, update, end, each with its label), scores that differ by 0.02 at most,
and times by one step of the windows at most. What differs is printed, and then the exit status is 1. How far
the scores of single windows lie apart (`--format scores`) is printed too, but has no limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

SCORE_LIMIT = 0.02
TIME_LIMIT = 0.24
"""Seconds: the step from one classified window to the next."""
SCORES = ("score", "top_score")
TIMES = ("start_time", "end_time")

Event = Mapping[str, Any]
"""A line of NAME.jsonl, as docs/protocol.md describes it."""


@dataclass(frozen=True)
class Comparison:
    """What was found of one recording; no `faults` where it is the same."""

    events: int
    score: float
    """The largest difference of two scores."""
    seconds: float
    """The largest difference of two times."""
    faults: tuple[str, ...]


def compare(expected: Sequence[Event], found: Sequence[Event]) -> Comparison:
    """Compare the messages of one recording, in their order."""
    names, others = [_name(event) for event in expected], [_name(event) for event in found]
    if names != others:
        return Comparison(len(expected), 0.0, 0.0, (f"expected {_listed(names)}; found {_listed(others)}",))
    score = seconds = 0.0
    faults = []
    for one, other in zip(expected, found, strict=True):
        for key in SCORES:
            difference = abs(float(one[key]) - float(other[key]))
            score = max(score, difference)
            # Scores are written with three digits.
            if round(difference, 3) > SCORE_LIMIT:
                faults.append(f"{_name(one)}: {key} {one[key]} and {other[key]}")
        for key in TIMES:
            difference = _seconds_apart(one[key], other[key])
            seconds = max(seconds, difference)
            if difference > TIME_LIMIT:
                faults.append(f"{_name(one)}: {key} {one[key]} and {other[key]}")
    return Comparison(len(expected), score, seconds, tuple(faults))


def largest_score_difference(expected: Path, found: Path) -> float:
    """Between two files NAME.scores.npz, over all windows and labels.

    Infinite where one is missing or of another shape.
    """
    if not found.exists():
        return float("inf")
    with np.load(expected) as one, np.load(found) as other:
        if one["scores"].shape != other["scores"].shape:
            return float("inf")
        return float(np.abs(one["scores"] - other["scores"]).max(initial=0.0))


def main(arguments: Sequence[str]) -> int:
    """Compare all recordings, print the result, and return the exit status."""
    parser = argparse.ArgumentParser(description="Compare the events of two machines.")
    parser.add_argument("expected", type=Path, metavar="EXPECTED")
    parser.add_argument("found", type=Path, metavar="FOUND")
    folders = parser.parse_args(arguments)
    names = sorted(
        str(path.relative_to(folders.expected)).removesuffix(".jsonl")
        for path in folders.expected.rglob("*.jsonl")
    )
    if not names:
        print(f"no events in {folders.expected}: it has no file NAME.jsonl")
        return 1
    score = windows = seconds = 0.0
    events = 0
    faults = []
    for name in names:
        other = folders.found / f"{name}.jsonl"
        if not other.exists():
            faults.append(f"{name}: not in {folders.found}")
            continue
        result = compare(_read(folders.expected / f"{name}.jsonl"), _read(other))
        events += result.events
        score, seconds = max(score, result.score), max(seconds, result.seconds)
        faults += [f"{name}: {fault}" for fault in result.faults]
        of_windows = folders.expected / f"{name}.scores.npz"
        if of_windows.exists():
            windows = max(windows, largest_score_difference(of_windows, folders.found / f"{name}.scores.npz"))
    print(
        f"{len(names)} recordings, {events} messages: scores of events differ by {score:.3f} at most, "
        f"times by {seconds:.2f} s, scores of single windows by {windows:.4f}"
    )
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _name(event: Event) -> str:
    return f"{event['type']} of {event['label']}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _seconds_apart(one: str | None, other: str | None) -> float:
    """Infinite where one of two ends is open."""
    if one is None or other is None:
        return 0.0 if one == other else float("inf")
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds())


def _read(path: Path) -> list[Event]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
