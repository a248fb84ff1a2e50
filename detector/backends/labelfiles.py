"""The tables of a model bundle: labels.csv (a row for each output), ontology.csv, prior.csv.

Facts of AudioSet: class ids are its mids (https://research.google.com/audioset/ontology/).
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from detector.errors import ModelError
from detector.files.guarded import read_file
from detector.records import Label

MAX_TABLE_BYTES = 4_000_000
"""The longest table that is read; AudioSet's has 20 000."""

MAX_ANCESTORS = 200
"""Classes above one class; AudioSet's deepest has some ten, and time and memory grow with the square."""

MAX_PRIOR = 30.0
"""Log-odds; beyond this a score is 0 or 1 whatever the network says."""


def read_labels(path: Path, model: str, ancestors: Mapping[str, frozenset[str]]) -> tuple[Label, ...]:
    """Read labels.csv: index, mid, display_name, background (0 or 1), in the order of the outputs.

    `ancestors` is `read_ontology`'s; of these a label keeps those that are labels of the same model.
    """
    rows = _read_csv(path, ("index", "mid", "display_name", "background"))
    names = {mid: name for _, mid, name, _ in rows}
    labels = []
    for position, (index, mid, name, background) in enumerate(rows):
        row = f"{path}:{position + 2}"
        if index != str(position):
            raise ModelError(
                f"{row}: index must count from 0 without a gap; expected {position}, got {index!r}"
            )
        if not mid.strip() or not name.strip():
            raise ModelError(f"{row}: mid and display_name must not be empty")
        if background not in {"0", "1"}:
            raise ModelError(f"{row}: background must be 0 or 1, got {background!r}")
        above = ancestors.get(mid, frozenset()).intersection(names)
        labels.append(
            Label(
                name,
                mid,
                model,
                ancestors=above,
                ancestor_names=tuple(names[a] for a in sorted(above, key=lambda a: (-len(ancestors[a]), a))),
                background=background == "1",
            )
        )
    if not labels:
        raise ModelError(f"{path}: has no labels; expected one row for each output of the model")
    for what, values in (("mid", [x.class_id for x in labels]), ("display_name", [x.name for x in labels])):
        twice = next((value for value, times in Counter(values).items() if times > 1), None)
        if twice is not None:
            raise ModelError(f"{path}: {what} {twice!r} is given twice; each label needs its own")
    return tuple(labels)


def read_ontology(path: Path) -> dict[str, frozenset[str]]:
    """Read ontology.csv (mid, its parents' mids separated by blanks) into mid -> every class above it."""
    parents = {mid: tuple(above.split()) for mid, above in _read_csv(path, ("mid", "parents"))}
    ancestors: dict[str, frozenset[str]] = {}
    for mid in parents:
        above: set[str] = set()
        waiting = list(parents[mid])
        while waiting:
            parent = waiting.pop()
            if parent not in parents:
                raise ModelError(f"{path}: parent {parent!r} has no row of its own")
            if parent not in above:
                above.add(parent)
                waiting.extend(parents[parent])
            if len(above) > MAX_ANCESTORS:
                raise ModelError(f"{path}: {mid!r} has more than {MAX_ANCESTORS} classes above it")
        if mid in above:
            raise ModelError(f"{path}: {mid!r} is its own ancestor; classes must not contain each other")
        ancestors[mid] = frozenset(above)
    return ancestors


def read_everyday(path: Path, labels: Sequence[Label]) -> tuple[Label, ...]:
    """Read everyday.csv: mid, reported_as; return the labels with what they are reported as.

    A row for each label that is not an everyday one: the `mid` of the one that reports it, or empty.
    """
    known = {label.class_id for label in labels}
    reported_as: dict[str, str] = {}
    rows = _read_csv(path, ("mid", "reported_as"))
    for line, (mid, everyday) in enumerate(rows, start=2):
        for class_id in filter(None, (mid, everyday)):
            if class_id not in known:
                raise ModelError(f"{path}:{line}: {class_id!r} is no mid of this model's labels")
        reported_as[mid] = everyday
    for line, (_, everyday) in enumerate(rows, start=2):
        if everyday in reported_as:
            raise ModelError(
                f"{path}:{line}: {everyday!r} has a row itself; expected an everyday label's mid"
            )
    return tuple(replace(label, reported_as=reported_as.get(label.class_id)) for label in labels)


def read_prior(path: Path, labels: Sequence[Label]) -> tuple[float, ...]:
    """Read prior.csv: mid, prior [log-odds], one row for each label, into the order of the labels."""
    rows = _read_csv(path, ("mid", "prior"))
    prior: dict[str, float] = {}
    for line, (mid, text) in enumerate(rows, start=2):
        try:
            prior[mid] = float(text)
        except ValueError:
            prior[mid] = math.nan
        if not abs(prior[mid]) <= MAX_PRIOR:
            raise ModelError(f"{path}:{line}: prior must be a number from -{MAX_PRIOR:g} to {MAX_PRIOR:g}")
    for label in labels:
        if label.class_id not in prior:
            raise ModelError(f"{path}: has no row for {label.class_id} ({label.name})")
    return tuple(prior[label.class_id] for label in labels)


def _read_csv(path: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    try:
        content = read_file(path, max_bytes=MAX_TABLE_BYTES)
        if len(content) > MAX_TABLE_BYTES:
            raise ModelError(f"{path}: expected at most {MAX_TABLE_BYTES} bytes: is this the right file?")
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        raise ModelError(f"{path}: cannot be read as UTF-8 CSV: {reason}") from error
    if not rows or tuple(rows[0]) != columns:
        raise ModelError(f"{path}:1: expected the header {','.join(columns)}")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(columns):
            raise ModelError(f"{path}:{line}: expected {len(columns)} columns, got {len(row)}")
    return [tuple(row) for row in rows[1:]]
