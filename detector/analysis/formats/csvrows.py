"""CSV, one row for each sound: seconds into the recording, times of day, label, score, level."""

from __future__ import annotations

import io

from detector.analysis.formats.base import Format
from detector.analysis.sounds import Sound
from detector.files.spreadsheet import write_rows

FROM_WIRE = ("start_time", "end_time", "duration", "label", "class_id", "top_score", "level_dbfs")
IDENTITY = ("source", "model", "id")
COLUMNS = ("onset", "offset", *FROM_WIRE, *IDENTITY)


class CsvRows(Format):
    """RFC 4180 with `\\n`; `onset` and `offset` are seconds since the recording's start."""

    ending = ".csv"
    header = ",".join(COLUMNS) + "\n"

    def sound(self, sound: Sound) -> str:
        """One row."""
        text = io.StringIO()
        wire = (getattr(sound.end, name) for name in (*FROM_WIRE, *IDENTITY))
        write_rows(text, [[f"{sound.onset:.3f}", f"{sound.offset:.3f}", *wire]])
        return text.getvalue()
