"""Annotations from and to files: Audacity labels, CSV, JAMS, RTTM; read strictly, faults named by line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from detector.datasets.annotation_table import (
    COLUMNS,
    annotation_of,
    fault,
    read_text,
    seconds_of,
    table_rows,
)
from detector.datasets.annotations import Annotation, check
from detector.errors import AnnotationError

JAMS_NAMESPACES = ("segment_open", "sound_event", "scaper", "tag_open")
"""JAMS namespaces whose annotations are sounds with their times."""


RTTM_OTHERS = frozenset({"SPKR-INFO", "NOSCORE", "NO_RT_METADATA", "SEGMENT"})
"""Types of RTTM lines that are no sounds."""

RAVEN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "onset": ("begin time (s)",),
    "offset": ("end time (s)",),
    "label": ("annotation", "label", "species", "common name"),
}
"""Columns of Raven's selection tables."""


def read_annotations(path: Path) -> list[Annotation]:
    """Read one recording's truth by the file's suffix; raises AnnotationError."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise AnnotationError(
            f"{path}: expected one of {', '.join(READERS)}, got {path.suffix or 'no suffix'}"
        )
    return sorted(reader(read_text(path), path))


def find_annotations(folder: Path, stem: str) -> Path:
    """The one file that annotates the recording of this name; AnnotationError for none and for several."""
    found = [path for suffix in READERS if (path := folder / f"{stem}{suffix}").is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(path.name for path in found)
        raise AnnotationError(f"{folder}: {names} annotate the same recording; keep one of them")
    expected = ", ".join(f"{stem}{suffix}" for suffix in READERS)
    raise AnnotationError(
        f"{folder}: expected one of {expected}; an empty {stem}.txt means that it holds no sound"
    )


def audacity_text(annotations: Iterable[Annotation]) -> str:
    """As Audacity's label track: onset, offset [s] and label between tabs."""
    return "".join(f"{a.onset:.6f}\t{a.offset:.6f}\t{a.label}\n" for a in annotations)


def csv_text(annotations: Iterable[Annotation]) -> str:
    """A table with the headings onset, offset [s] and label."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("onset", "offset", "label"))
    writer.writerows((f"{a.onset:.6f}", f"{a.offset:.6f}", a.label) for a in annotations)
    return out.getvalue()


def jams_text(annotations: Iterable[Annotation], *, seconds: float, sandbox: Mapping[str, object]) -> str:
    """A JAMS file with one `segment_open` annotation; `sandbox` holds further facts."""
    data = [
        {"time": a.onset, "duration": round(a.offset - a.onset, 6), "value": a.label, "confidence": 1.0}
        for a in annotations
    ]
    annotation = {
        "namespace": "segment_open",
        "data": data,
        "time": 0.0,
        "duration": seconds,
        "annotation_metadata": {
            "data_source": "program",
            "annotator": {},
            "curator": {"name": "", "email": ""},
        },
        "sandbox": {},
    }
    metadata = {"duration": seconds, "jams_version": "0.3.4", "identifiers": {}}
    fields = {"annotations": [annotation], "file_metadata": metadata, "sandbox": dict(sandbox)}
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def _audacity(text: str, path: Path) -> list[Annotation]:
    """Audacity's label track, or Raven's selection table, which has the same suffix."""
    if text.startswith("Selection\t"):
        return [annotation_of(row, location) for location, row in table_rows(text, path, "\t", RAVEN_COLUMNS)]
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("\\"):  # a line of frequencies belongs to the label above it
            continue
        location = f"{path}, line {number}"
        parts = line.split("\t", 2)
        if len(parts) < 3:
            fault(location, f"expected onset, offset [s] and label between tabs, got {line[:60]!r}")
        found.append(annotation_of({"onset": parts[0], "offset": parts[1], "label": parts[2]}, location))
    return found


def _comma(text: str, path: Path) -> list[Annotation]:
    return _table(text, path, ",")


def _tab(text: str, path: Path) -> list[Annotation]:
    return _table(text, path, "\t")


def _table(text: str, path: Path, delimiter: str) -> list[Annotation]:
    return [annotation_of(row, location) for location, row in table_rows(text, path, delimiter, COLUMNS)]


def _rttm(text: str, path: Path) -> list[Annotation]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts or parts[0].startswith(";") or parts[0] in RTTM_OTHERS:
            continue
        location = f"{path}, line {number}"
        if len(parts) < 9:
            fault(
                location, f"expected TYPE FILE CHANNEL ONSET DURATION <NA> <NA> LABEL <NA>, got {line[:60]!r}"
            )
        onset, duration = seconds_of(parts[3], location), seconds_of(parts[4], location)
        if duration < 0:
            fault(location, f"expected a duration from 0 s, got {duration:g}")
        found.append(check(Annotation(onset, onset + duration, parts[7]), location))
    return found


def _jams(text: str, path: Path) -> list[Annotation]:
    if not text.strip():
        return []
    try:
        annotations = [a for a in json.loads(text)["annotations"] if a["namespace"] in JAMS_NAMESPACES]
    except (ValueError, KeyError, TypeError, RecursionError):
        fault(str(path), "expected a JAMS file: JSON with `annotations`, each with a `namespace`")
    if not annotations:
        fault(
            str(path), f"expected an annotation whose namespace is {' or '.join(JAMS_NAMESPACES)}, got none"
        )
    found = []
    for annotation in annotations:
        for number, row in enumerate(_jams_rows(annotation.get("data"), path), 1):
            location = f"{path}, {annotation['namespace']} row {number}"
            try:
                value, onset, duration = row["value"], row["time"], row["duration"]
                if isinstance(value, Mapping):
                    if value.get("role") == "background":
                        continue
                    value = value["label"]
            except (KeyError, TypeError):
                fault(location, f"expected time, duration and value, got {str(row)[:80]}")
            onset = seconds_of(str(onset), location)
            found.append(
                check(Annotation(onset, onset + seconds_of(str(duration), location), str(value)), location)
            )
    return found


def _jams_rows(data: object, path: Path) -> Sequence[Mapping[str, object]]:
    """Rows, also of the older form: one list for each column."""
    if isinstance(data, Mapping):
        columns = list(data.values())
        if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
            fault(str(path), "expected `data` to be a list of rows, or columns that are lists of one length")
        return [dict(zip(data, row, strict=True)) for row in zip(*columns, strict=True)]
    return data if isinstance(data, list) else []


READERS: Mapping[str, Callable[[str, Path], list[Annotation]]] = {
    ".txt": _audacity,
    ".csv": _comma,
    ".tsv": _tab,
    ".jams": _jams,
    ".rttm": _rttm,
}
"""Suffix -> reader."""
