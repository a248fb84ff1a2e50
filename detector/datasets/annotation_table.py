"""Tables of annotations: one recording's, or those of many with their names beside, as DCASE has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from detector.datasets.annotations import Annotation, check
from detector.errors import AnnotationError
from detector.files.sound_files import SOUND_SUFFIXES
from detector.files.spreadsheet import unquoted
from detector.files.terminal import escape

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "onset": ("onset", "start", "begin", "start_time", "onset_s", "start_seconds"),
    "offset": ("offset", "end", "stop", "end_time", "offset_s", "stop_seconds"),
    "label": ("label", "event_label", "class", "event"),
}
"""Column of a table -> the headings it may have."""

RECORDING: Mapping[str, tuple[str, ...]] = {
    "recording": ("filename", "file", "file_name", "recording", "audio")
}
"""The column with the name of the recording."""

DELIMITERS: Mapping[str, str] = {".csv": ",", ".tsv": "\t"}


def is_table_of_many(path: Path) -> bool:
    """Whether a file is a table that names recordings; AnnotationError where it cannot be read."""
    delimiter = DELIMITERS.get(path.suffix.lower())
    if delimiter is None:
        return False
    head, _ = _head_and_rows(read_text(path), path, delimiter)
    return any(name in head for name in RECORDING["recording"])


def read_table(path: Path, recordings: Sequence[Path]) -> list[list[Annotation]]:
    """The annotations of each recording, which the table calls by its file's name, with or without suffix.

    A row with a name alone means that the recording holds no sound. Rows of other recordings are ignored.
    AnnotationError where a recording has no row, or where two have the same name.
    """
    found: dict[str, list[Annotation]] = {}
    delimiter = DELIMITERS[path.suffix.lower()]
    for location, row in table_rows(read_text(path), path, delimiter, {**RECORDING, **COLUMNS}):
        name = _plain(row["recording"])
        if not name:
            fault(location, "expected the name of a recording, got none")
        of_one = found.setdefault(name, [])
        if any(row[column].strip() for column in COLUMNS):
            of_one.append(annotation_of(row, location))
    called: dict[str, Path] = {}
    for recording in recordings:
        name = _plain(recording.name)
        if name in called:
            fault(
                str(path),
                f"{called[name]} and {recording} have the same name; evaluate one of them at a time",
            )
        if name not in found:
            fault(
                str(path),
                f"no row names {recording.name}; a row with this name alone means that it holds no sound",
            )
        called[name] = recording
    return [sorted(found[_plain(recording.name)]) for recording in recordings]


def table_rows(
    text: str, path: Path, delimiter: str, columns: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each row's file and line, for messages, and its values in these columns; an empty file has none."""
    if not text.strip():
        return
    head, rows = _head_and_rows(text, path, delimiter)
    indices = {}
    for column, names in columns.items():
        present = [head.index(name) for name in names if name in head]
        if not present:
            hint = "; separated by semicolons: save it with commas" if ";" in "".join(head) else ""
            fault(
                f"{path}, line 1",
                f"expected a column {' or '.join(names)}, got {escape(', '.join(head))[:80] or 'none'}{hint}",
            )
        indices[column] = present[0]
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        location = f"{path}, line {number}"
        if len(row) == 1 and indices.get("recording") == 0:  # tables of DCASE leave the rest of the line out
            row += [""] * (len(head) - 1)
        if len(row) != len(head):
            fault(
                location,
                f"expected {len(head)} columns, got {len(row)}; quote labels that contain {delimiter!r}",
            )
        yield location, {column: row[at] for column, at in indices.items()}


def annotation_of(row: Mapping[str, str], location: str) -> Annotation:
    """From onset, offset and label as text; AnnotationError where they cannot be meant."""
    onset, offset = (seconds_of(row[column], location) for column in ("onset", "offset"))
    return check(Annotation(onset, offset, unquoted(row["label"].strip())), location)


def seconds_of(text: str, location: str) -> float:
    """A time as it was written; AnnotationError where it is no number."""
    try:
        return float(text)
    except ValueError:
        hint = "; write 1.5, not 1,5" if "," in text else ""
        fault(location, f"expected a time in seconds, got {text[:30]!r}{hint}")


def read_text(path: Path) -> str:
    """The whole file; AnnotationError where it is no text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}; expected UTF-8 text"
        ) from error


def fault(location: str, what: str) -> NoReturn:
    """Raise AnnotationError about a file and line."""
    raise AnnotationError(f"{location}: {what}")


def _head_and_rows(
    text: str, path: Path, delimiter: str
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names of the columns, and each row below them with the number of the line in which it ends."""
    rows = _rows(text, path, delimiter)
    _, head = next(rows, (1, []))
    return [name.strip().lower() for name in head], rows


def _rows(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        fault(f"{path}, line {reader.line_num}", f"this is no table: {error}")


def _plain(name: str) -> str:
    """A recording's name without its folders and its suffix, whatever system wrote it."""
    last = name.strip().replace("\\", "/").rpartition("/")[2]
    path = Path(last)
    return path.stem if path.suffix.lower() in SOUND_SUFFIXES else last
