"""NAME.scores.npz: what the model said of every window, for those who set their own thresholds.

`scores` float32 (windows, labels), after the level handling; `labels` and `class_ids` (labels,);
`start` and `stop` float64 (windows,) [s since the recording's start]. The first windows reach back before the
recording and so have a negative start; what is missing there is silence.
"""

from __future__ import annotations

import zipfile
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from detector.records import Label, Scores

ENDING = ".scores.npz"

COPY_BYTES = 1 << 20


def rows_path(path: Path) -> Path:
    """Where the rows of a file gather until it is made."""
    return path.with_name(path.name + ".rows")


class ScoresFile:
    """Gathers rows on disk, so that memory does not grow with the recording; `close` makes the file."""

    def __init__(self, path: Path, labels: Sequence[Label], *, sample_rate: int) -> None:
        self._path = path
        self._labels = tuple(labels)
        self._rate = sample_rate
        self._rows_path = rows_path(path)
        self._rows: IO[bytes] = self._rows_path.open("w+b")
        self._spans = array("q")

    def push(self, scores: Scores) -> None:
        """One window."""
        self._rows.write(scores.values.astype("<f4", copy=False).tobytes())
        self._spans.extend((scores.span.start, scores.span.stop))

    def close(self) -> None:
        """Write the archive."""
        spans = np.array(self._spans, np.float64).reshape(-1, 2) / self._rate
        self._rows.seek(0)
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("scores.npy", "w", force_zip64=True) as member:
                shape = (len(spans), len(self._labels))
                _write_header(member, shape)
                while data := self._rows.read(COPY_BYTES):
                    member.write(data)
            _write_array(archive, "labels", np.array([label.name for label in self._labels]))
            _write_array(archive, "class_ids", np.array([label.class_id for label in self._labels]))
            _write_array(archive, "start", spans[:, 0])
            _write_array(archive, "stop", spans[:, 1])
        self.discard()

    def discard(self) -> None:
        """Leave nothing but the archive, if there is one."""
        self._rows.close()
        self._rows_path.unlink(missing_ok=True)


def _write_header(member: IO[bytes], shape: tuple[int, int]) -> None:
    np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": shape})


def _write_array(archive: zipfile.ZipFile, name: str, array: NDArray[np.float64] | NDArray[np.str_]) -> None:
    with archive.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array(member, array, allow_pickle=False)
