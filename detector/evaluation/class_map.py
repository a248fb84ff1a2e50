"""A dataset's classes as a model's labels: the user's own table, or a shipped one and equal names.

A label's kinds count for its class too (`Bark` for a class that names `Dog`), unless another class
claims them by name.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.errors import DatasetError
from detector.files.guarded import read_named
from detector.records import Label

SHIPPED = Path(__file__).with_name("classes.csv")
"""The classes of ESC-10, ESC-50 and UrbanSound8K as AudioSet names; without labels where it has no name."""

MAX_TABLE_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Which of a model's outputs belong to which class."""

    classes: tuple[str, ...]
    """Those that have a label, in the order of `columns`."""
    columns: tuple[tuple[int, ...], ...]
    """For each class, the indices of its labels among the model's outputs."""
    unmapped: tuple[str, ...]
    """Classes that the model has no label for."""
    of_label: Mapping[str, str]
    """Label name -> its class."""


def read_map(path: Path) -> dict[str, tuple[str, ...]]:
    """Read a table `class,labels`, the labels between semicolons: normalised class -> label names."""
    try:
        content = read_named(path, max_bytes=MAX_TABLE_BYTES)
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > MAX_TABLE_BYTES:
        raise DatasetError(f"{path}: expected at most {MAX_TABLE_BYTES} bytes: is this the right file?")
    if not rows or [cell.strip().lower() for cell in rows[0]] != ["class", "labels"]:
        raise DatasetError(f"{path}, line 1: expected the heading class,labels")
    found: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 2:
            raise DatasetError(
                f'{path}, line {number}: expected 2 columns, got {len(row)}; write CLASS,"One, or so; Two"'
            )
        found[normal(row[0])] = tuple(name.strip() for name in row[1].split(";") if name.strip())
    return found


def make_class_map(
    classes: Iterable[str],
    labels: Sequence[Label],
    table: Mapping[str, Sequence[str]],
    *,
    shipped: Mapping[str, Sequence[str]] | None = None,
    where: str,
) -> ClassMap:
    """Find the labels of each class; DatasetError names similar labels where one is missing.

    The model must have every label of `table`. A class that is not in it gets those labels of the `shipped`
    table that the model has, and a label with the name of the class: the model may have been trained on these
    very classes. `where` tells the user, in errors, how to give a class its labels.
    """
    indices: dict[str, list[int]] = {}
    for index, output in enumerate(labels):
        indices.setdefault(normal(output.name), []).append(index)
    chosen: dict[str, list[int]] = {}
    unmapped = []
    for name in sorted(set(classes)):
        wanted = table.get(normal(name))
        if wanted is None:
            usual = (shipped or {}).get(normal(name), (name,))
            wanted = [label for label in (*usual, name) if normal(label) in indices] or usual
        if not wanted:
            unmapped.append(name)
            continue
        for label in wanted:
            if normal(label) not in indices:
                raise DatasetError(
                    f"class {name!r}: the model has no label {label!r}{nearest(label, labels)} ({where})"
                )
        chosen[name] = sorted({index for label in wanted for index in indices[normal(label)]})
    claimed = _claims(chosen, labels)
    columns = {
        name: tuple(
            index for index in sorted({*own, *_kinds(own, labels)}) if claimed.get(index, name) == name
        )
        for name, own in chosen.items()
    }
    return ClassMap(
        classes=tuple(columns),
        columns=tuple(tuple(own) for own in columns.values()),
        unmapped=tuple(unmapped),
        of_label={labels[index].name: name for name, own in reversed(columns.items()) for index in own},
    )


def nearest(name: str, labels: Sequence[Label]) -> str:
    """`; did you mean ...?`, or nothing."""
    parts = {normal(part): label.name for label in labels for part in (*label.name.split(","), label.name)}
    close = [parts[key] for key in difflib.get_close_matches(normal(name), parts, n=3, cutoff=0.6)]
    close += [full for part, full in parts.items() if normal(name) in part]
    names = list(dict.fromkeys(close))[:3]
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""


def normal(name: str) -> str:
    """A name without regard to case, and with spaces for underscores."""
    return " ".join(name.replace("_", " ").casefold().split())


def _kinds(own: Sequence[int], labels: Sequence[Label]) -> list[int]:
    ids = {labels[index].class_id for index in own}
    return [index for index, label in enumerate(labels) if label.ancestors & ids]


def _claims(chosen: Mapping[str, Sequence[int]], labels: Sequence[Label]) -> dict[int, str]:
    """Label index -> the class that names it. Naming a label does not claim its kinds."""
    claimed: dict[int, str] = {}
    for name, own in chosen.items():
        for index in own:
            other = claimed.setdefault(index, name)
            if other != name:
                raise DatasetError(
                    f"label {labels[index].name!r} is given to two classes, {other!r} and {name!r}; "
                    "leave it to one of them"
                )
    return claimed
