"""How events are written: one format, one file."""

from __future__ import annotations

from detector.analysis.formats.audacity import Audacity
from detector.analysis.formats.base import Format
from detector.analysis.formats.csvrows import CsvRows
from detector.analysis.formats.jsonl import JsonLines
from detector.analysis.formats.raven import Raven
from detector.analysis.formats.rttm import Rttm
from detector.analysis.formats.text import Text

FORMATS: dict[str, type[Format]] = {
    "jsonl": JsonLines,
    "csv": CsvRows,
    "audacity": Audacity,
    "raven": Raven,
    "rttm": Rttm,
    "text": Text,
}
"""By the word that --format takes; a new object for each recording."""

SCORES = "scores"
"""Not text: NAME.scores.npz, written by `formats.scores`."""

PARQUET = "parquet"
"""Not text either: files in `events`, by day and recording, written by `formats.parquet`."""

__all__ = ["FORMATS", "PARQUET", "SCORES", "Format"]
