"""Embeddings on disk, so that a clip is listened to once in its life.

A file's name is the recording's own sha256, its folder's name that of all that decides what is heard: the
base's files, the level handling, the grid, the gate. Nothing is ever out of date, so nothing is asked; the
folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from detector.errors import DetectorError
from detector.training.listening import Listened

FORMAT = 1
"""Counts changes of what is kept or of how it is heard."""


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
    return cache_folder(os.environ, sys.platform, Path("~").expanduser())


class EmbeddingCache:
    """What was heard of recordings under one set of circumstances."""

    def __init__(self, folder: Path, circumstances: Mapping[str, object]) -> None:
        text = json.dumps({"format": FORMAT, **circumstances}, sort_keys=True, default=str)
        self._folder = folder / "embeddings" / hashlib.sha256(text.encode()).hexdigest()[:16]

    def get(self, content: str) -> Listened | None:
        """What was heard of the recording with this sha256; None where it was not, or the file is damaged."""
        try:
            with np.load(self._place(content), allow_pickle=False) as kept:
                return Listened(kept["stops"], kept["embeddings"], kept["is_open"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def put(self, content: str, heard: Listened) -> None:
        """Keep it: the whole file or none, whatever happens meanwhile; raises DetectorError."""
        place = self._place(content)
        temporary = None
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as file:
                temporary = Path(file.name)
                np.savez(file, stops=heard.stops, embeddings=heard.embeddings, is_open=heard.is_open)
            temporary.replace(place)
        except OSError as error:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            raise DetectorError(
                f"cannot keep embeddings in {place.parent}: {error.strerror or error}; "
                "name another folder in SOUND_DETECTOR_CACHE"
            ) from error

    def _place(self, content: str) -> Path:
        return self._folder / content[:2] / f"{content}.npz"


def content_sha256(path: Path) -> str:
    """Name a file by what is in it; raises DetectorError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DetectorError(f"cannot read {path}: {error.strerror or error}") from error
