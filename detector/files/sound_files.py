"""Which files of a folder are recordings, and what is left out of it."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.files.guarded import is_file

log = logging.getLogger(__name__)

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

SOUND_SUFFIXES = SNDFILE_SUFFIXES | FFMPEG_SUFFIXES
"""Endings, in lower case, of what counts as a recording in a folder; its content decides how it is read."""

LITTER = frozenset({"__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
"""Folders that systems make, beside those whose names begin with a dot."""

MOST_KINDS = 5
"""Endings that are named of what was left out."""


@dataclass(frozen=True, slots=True)
class FolderContent:
    """What lies in a folder and below it."""

    recordings: tuple[Path, ...]
    """In order of name, folder by folder."""
    unreadable: tuple[Path, ...]
    """Folders that may not be read."""
    others: Sequence[str]
    """Names of files that are no recordings; hidden ones and those of the system not counted."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's: hidden, of a Mac, or the trash."""
    return name.startswith(".") or name in LITTER


def look_into(folder: Path) -> FolderContent:
    """Look through a folder and all below; links are followed, each real folder is visited once."""
    recordings: list[Path] = []
    unreadable: list[Path] = []
    others: list[str] = []
    visited: set[str] = set()

    def note(error: OSError) -> None:
        unreadable.append(Path(os.fsdecode(error.filename)))

    for here, folders, files in os.walk(folder, onerror=note, followlinks=True):
        visited.add(os.path.realpath(here))
        folders[:] = sorted(
            name
            for name in folders
            if not is_hidden(name) and os.path.realpath(Path(here, name)) not in visited
        )
        for name in sorted(files):
            if is_hidden(name):
                continue
            if Path(name).suffix.lower() in SOUND_SUFFIXES:
                recordings.append(Path(here, name))
            else:
                others.append(name)
    return FolderContent(tuple(recordings), tuple(unreadable), others)


def files_in(folder: Path) -> list[Path]:
    """Its recordings and those below it; what is left out is named in the log, dead links and pipes too."""
    content = look_into(folder)
    log_left_out(folder, content)
    files = [path for path in content.recordings if is_file(path)]
    if dead := [path for path in content.recordings if not is_file(path)]:
        log.warning("%s: %d left out that lead to no file, the first: %s", folder, len(dead), dead[0])
    return files


def log_left_out(folder: object, content: FolderContent) -> None:
    """Name in one line, by kind, what was left out of a folder; in one each, folders that may not be read."""
    if content.others:
        kinds = Counter(Path(name).suffix.lower() or "no ending" for name in content.others)
        named = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common(MOST_KINDS))
        log.info("%s: %d files left out that are no recordings (%s)", folder, len(content.others), named)
    for path in content.unreadable:
        log.warning("%s: left out, this folder may not be read", path)
