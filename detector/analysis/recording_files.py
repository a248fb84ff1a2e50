"""Which recordings are meant: files as they are named, folders with all that is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.errors import UnsupportedFormat

SNDFILE_SUFFIXES = frozenset(
    {
        *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus"),
        *(".rf64", ".snd", ".w64", ".wav", ".wave"),
    }
)
"""What libsndfile reads."""

FFMPEG_SUFFIXES = frozenset(
    {
        *(".3gp", ".aac", ".ac3", ".amr", ".ape", ".avi", ".flv", ".m4a", ".m4b", ".m4v", ".mka", ".mkv"),
        *(".mov", ".mp2", ".mp4", ".mpg", ".mts", ".ts", ".webm", ".wma", ".wmv", ".wv"),
    }
)
"""What needs ffmpeg."""


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One file to analyze."""

    path: Path
    """As events name it: what was given, or the folder given and the way from there."""
    name: str
    """Where its results go in the output folder, without their endings: `june/night`."""
    size: int = 0
    """Bytes; 0 where it cannot be known."""
    modified: int = 0
    """When the file was last written [ns since 1970]."""


def find_recordings(places: Sequence[str | Path]) -> list[RecordingFile]:
    """Return the files named and the recordings in the folders named, each once, folders in order of name.

    A named file is taken whatever it is, so that it can be complained about; in folders the ending decides,
    and what begins with a dot is left out. Raises UnsupportedFormat where a folder holds no recording.
    """
    paths: dict[Path, Path] = {}
    for place in map(Path, places):
        found = list(_inside(place)) if place.is_dir() else [place]
        if not found:
            raise UnsupportedFormat(
                f"{place} holds no recording; expected WAV, FLAC, OGG, MP3, MP4 or the like"
            )
        for path in found:
            paths.setdefault(Path(os.path.abspath(path)), path)  # noqa: PTH100 - a link keeps its name
    folders = [str(p.absolute() if p.is_dir() else p.absolute().parent) for p in map(Path, places)]
    base = Path(os.path.commonpath(folders)) if folders else Path()
    names = _names([Path(os.path.relpath(full, base)) for full in paths])
    return [
        RecordingFile(path, name, *_size_and_time(path))
        for path, name in zip(paths.values(), names, strict=True)
    ]


def _inside(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(here, name)
            if not name.startswith(".") and path.suffix.lower() in SNDFILE_SUFFIXES | FFMPEG_SUFFIXES:
                yield path


def _names(paths: Sequence[Path]) -> list[str]:
    """Without their endings, unless two would then be the same."""
    bare = [path.with_suffix("").as_posix() for path in paths]
    return [
        name if bare.count(name) == 1 else path.as_posix() for name, path in zip(bare, paths, strict=True)
    ]


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
