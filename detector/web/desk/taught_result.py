"""What `train` says of the model it made, in plain words; kept beside the model as `taught.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.files.guarded import read_file, replace_file

NAME = "taught.json"
MOST_BYTES = 200_000
FEW_FOUND = 0.5
"""A sound of which less is found needs more takes."""


def result_of(facts: Mapping[str, Any], when: float) -> dict[str, Any]:
    """The page's result from `train --json`; `when` it was made [UTC seconds]."""
    scenes = facts.get("scenes") or {}
    return {
        "time": when,
        "classes": list(facts["classes"]),
        "thresholds": {name: one["threshold"] for name, one in facts["classes"].items()},
        "sentences": list(_sentences(facts, scenes)),
        "notes": [note[:1].upper() + note[1:] for note in facts.get("notes", ())],
        "found": scenes.get("found"),
        "wrong_per_hour": scenes.get("wrong_per_hour"),
        "latency": scenes.get("latency"),
        "unknown_as_known": facts.get("unknown_as_known"),
    }


def save_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Keep a result beside its model; raises OSError."""
    replace_file(folder / NAME, json.dumps(result).encode())


def read_result(folder: Path) -> dict[str, Any] | None:
    """The result that is kept in a model's folder; None where there is none."""
    try:
        found = json.loads(read_file(folder / NAME, max_bytes=MOST_BYTES))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("classes"), list) else None


def _sentences(facts: Mapping[str, Any], scenes: Mapping[str, Any]) -> list[str]:
    """Figures as sentences."""
    found: list[str] = []
    if scenes.get("found") is not None:
        count = scenes["sounds"]
        heard = round(scenes["found"] * count)
        found.append(
            f"Played {count} times among other noise, from takes that it had not learned from, "
            f"a sound was found {heard} times."
        )
    if scenes.get("wrong_per_hour") is not None:
        wrong = scenes["wrong_per_hour"]
        found.append(
            f"There it was wrong {wrong:.0f} times an hour, with a sound every few seconds; "
            "at home it is less."
        )
    if scenes.get("latency") is not None:
        seconds = scenes["latency"]
        found.append(f"It tells of half of them within {seconds:.1f} seconds after they begin.")
    if facts.get("unknown_as_known") is not None:
        share = round(100 * facts["unknown_as_known"])
        found.append(f"Of 100 other sounds that it did not know, it took {share} for yours.")
    weak = [
        name
        for name, one in facts["classes"].items()
        if one.get("recall") is not None and one["recall"] < FEW_FOUND
    ]
    if weak:
        names = " and ".join(weak)
        found.append(f"Of the takes alone it found less than half of {names}: record more, near and far.")
    return found
