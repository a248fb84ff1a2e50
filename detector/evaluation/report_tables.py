"""What both kinds of report are written with: aligned tables, CSV, JSON, and where they go."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from detector.errors import ConfigError, DetectorError
from detector.files.spreadsheet import write_rows

Cell = str | float | int | None


def table(rows: Sequence[Sequence[Cell]], *, markdown: bool = False) -> str:
    """Aligned columns under a head; as Markdown with `markdown`."""
    text = [[cell_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*text, strict=True)]
    lines = [
        [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in text
    ]
    if not markdown:
        return "".join("  ".join(line).rstrip() + "\n" for line in lines)
    rule = ["-" * width if not place else "-" * max(1, width - 1) + ":" for place, width in enumerate(widths)]
    return "".join("| " + " | ".join(line) + " |\n" for line in [lines[0], rule, *lines[1:]])


def cell_text(cell: Cell) -> str:
    """A number with one decimal; a dash for what there is none of."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    return f"{cell:.1f}" if isinstance(cell, float) else str(cell)


def percent(share: float | None) -> float | None:
    """A share 0..1 as per cent; None for what there is none of."""
    return None if share is None or math.isnan(share) else 100 * share


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV, numbers with up to six decimals, an empty cell for what there is none of."""
    text = io.StringIO()
    write_rows(text, (map(_plain, row) for row in rows))
    return text.getvalue()


def _plain(cell: Cell) -> str | int:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else cell


def json_text(fields: Mapping[str, object]) -> str:
    """Valid JSON: null for what is not a number."""
    return json.dumps(_clean(fields), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def make_folder(folder: Path, *, overwrite: bool) -> None:
    """Make the folder for a report; ConfigError where it holds something already."""
    try:
        if not overwrite and folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"--out {folder}: the folder is not empty; choose another or add --overwrite")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DetectorError(f"cannot make the folder {folder}: {error.strerror or error}") from error


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write a report's files into a folder that is there; in names that are no text are escapes."""
    for name, content in files.items():
        try:
            (folder / name).write_bytes(
                content.encode(errors="backslashreplace") if isinstance(content, str) else content
            )
        except OSError as error:
            raise DetectorError(f"cannot write {folder / name}: {error.strerror or error}") from error


def _clean(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
