"""Embeddings on disk, so that those of a clip are computed once.

A file is named by the recording's sha256, its folder by a hash of all that the embeddings depend on: the
base model's files, the level handling, the grid of windows, the gate. So no entry is ever out of date. The
folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from detector.errors import DetectorError
from detector.files.home import expand_home
from detector.training.recording_embeddings import EmbeddedRecording

FORMAT = 1
"""Counts changes of the files' format or of how embeddings are computed."""


def cache_folder(environ: Mapping[str, str], platform: str, home: Path) -> Path:
    """Where this user's caches are kept; need not exist yet."""
    if environ.get("SOUND_DETECTOR_CACHE"):
        return Path(environ["SOUND_DETECTOR_CACHE"]).absolute()
    if platform == "darwin":
        return home / "Library" / "Caches" / "sound-detector"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "sound-detector" / "cache"
    xdg = Path(environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else home / ".cache") / "sound-detector"


def users_cache() -> Path:
    """The folder on this machine."""
    return cache_folder(os.environ, sys.platform, Path(expand_home("~")))


DAMAGE = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, MemoryError, struct.error),
    *(SyntaxError, TypeError, AttributeError, OverflowError, zipfile.BadZipFile, zlib.error),
)
"""What numpy and zipfile raise on files that are damaged, wherever the damage is."""


class EmbeddingCache:
    """Embeddings of recordings, all computed under the same circumstances."""

    def __init__(self, folder: Path, circumstances: Mapping[str, object]) -> None:
        text = json.dumps({"format": FORMAT, **circumstances}, sort_keys=True, default=str)
        self._folder = folder / "embeddings" / hashlib.sha256(text.encode()).hexdigest()[:16]

    def get(self, content: str) -> EmbeddedRecording | None:
        """The embeddings of the recording with this sha256; None where they are absent or damaged."""
        try:
            # np.load leaves the file open where it cannot read it
            with self._file(content).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                recording = EmbeddedRecording(kept["stops"], kept["embeddings"], kept["is_open"])
        except DAMAGE:
            return None
        return recording if _is_whole(recording) else None

    def put(self, content: str, recording: EmbeddedRecording) -> None:
        """Keep them: the whole file is written, or none; raises DetectorError."""
        path = self._file(content)
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                temporary = Path(file.name)
                np.savez_compressed(
                    file, stops=recording.stops, embeddings=recording.embeddings, is_open=recording.is_open
                )
            temporary.replace(path)
        except OSError as error:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            raise DetectorError(
                f"cannot keep embeddings in {path.parent}: {error.strerror or error}; "
                "name another folder in SOUND_DETECTOR_CACHE"
            ) from error

    def _file(self, content: str) -> Path:
        return self._folder / content[:2] / f"{content}.npz"


def _is_whole(recording: EmbeddedRecording) -> bool:
    """Whether its arrays have the shapes and types that belong together."""
    arrays = (recording.stops, recording.embeddings, recording.is_open)
    return (
        [array.ndim for array in arrays] == [1, 2, 1]
        and len({len(array) for array in arrays}) == 1
        and [array.dtype.kind for array in arrays] == ["f", "f", "b"]
    )


def content_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal; raises DetectorError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DetectorError(f"cannot read {path}: {error.strerror or error}") from error
