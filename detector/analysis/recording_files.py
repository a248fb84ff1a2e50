"""Which recordings are meant: files and addresses as they are named, folders with all that is in them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from detector.errors import ConfigError, UnsupportedFormat
from detector.files.guarded import is_folder
from detector.files.sound_files import FolderContent, log_left_out, look_into
from detector.files.terminal import escape
from detector.remote.remote_address import RemoteAddress, is_address
from detector.remote.remote_file import RemotePath
from detector.remote.remote_folder import is_safe, listed
from detector.sources.recording import check_readable

RESERVED = frozenset({"summary", "analysis", "index"})
"""Names of files that are about all recordings: a recording called like that keeps its ending."""

OWN_FILES = ("/dev/fd", "/proc/self/fd")
"""Folders of what this process has open."""


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One file to analyze."""

    path: Path | RemotePath
    """As events name it: what was given, or the folder given and the way from there."""
    name: str
    """Where its results go in the output folder, without their endings: `june/night`."""
    size: int = 0
    """Bytes; 0 where it cannot be known."""
    modified: int = 0
    """When the file was last written [ns since 1970]."""
    version: str = ""
    """An ETag or checksum, where it lies elsewhere and has one."""


def find_recordings(places: Sequence[str | Path]) -> list[RecordingFile]:
    """Return the files named and the recordings in the folders named, each once, folders in order of name.

    A named file is taken whatever it is, so that it can be complained about; in folders the ending decides,
    and hidden files are left out. Raises UnsupportedFormat where a folder holds no recording, and for the
    open pipe that a shell's `<(command)` stands for: the processes that analyze do not have it. ConfigError
    for an address that nothing here reads.
    """
    addresses = [str(place) for place in places if is_address(str(place))]
    here = _find_here([place for place in places if not is_address(str(place))])
    if not addresses:
        return here
    recordings = [*here, *_find_elsewhere(addresses, alone=not here)]
    if twice := [name for name, count in Counter(one.name for one in recordings).items() if count > 1]:
        raise ConfigError(
            f"{escape(twice[0])}: the results of several recordings would have this name; analyze them into "
            "folders of their own"
        )
    return recordings


def _find_elsewhere(addresses: Sequence[str], *, alone: bool) -> list[RecordingFile]:
    """The recordings at these addresses; names of results have the host or bucket where there are several."""
    found: dict[str, tuple[RemoteAddress, str, RemotePath]] = {}
    silent: dict[str, str] = {}
    for text in addresses:
        address = RemoteAddress.parse(text)
        for way, path in listed(address, silent):
            found.setdefault(path.address.url, (address, way, path))
    bases: dict[str, list[str]] = {}
    for address, way, path in found.values():
        # Of one recording, the folder that it lies in.
        folder = path.address.path.rstrip("/").removesuffix(way).rstrip("/") or "/"
        bases.setdefault(address.place, []).append(folder)
    is_one_place = alone and len(bases) == 1
    ways = []
    for address, _, path in found.values():
        base = os.path.commonpath(bases[address.place])
        below = PurePosixPath(path.address.path).relative_to(base)
        if not is_safe(str(below)):
            raise ConfigError(f"{path}: its way leads out of a folder")
        ways.append(Path(below) if is_one_place else Path(address.place.replace(":", "_"), below))
    return [
        RecordingFile(path, name, *(_version(path)))
        for (_, _, path), name in zip(found.values(), _names(ways), strict=True)
    ]


def _version(path: RemotePath) -> tuple[int, int, str]:
    return (0, 0, "") if path.stamp is None else (path.stamp.size, path.stamp.modified, path.stamp.version)


def _find_here(places: Sequence[str | Path]) -> list[RecordingFile]:
    paths: dict[Path, Path] = {}
    folders: list[str] = []
    for place in map(Path, places):
        if str(place.parent) in OWN_FILES:
            check_readable(place)
        found = _inside(place) if is_folder(place) else [place]
        if not found:
            raise UnsupportedFormat(
                f"{place} holds no recording; expected WAV, FLAC, OGG, MP3, MP4 or the like"
            )
        for path in found:
            paths.setdefault(Path(os.path.abspath(path)), path)  # noqa: PTH100 - a link keeps its name
        folders.append(str(place.absolute().parent if found == [place] else place.absolute()))
    base = Path(os.path.commonpath(folders)) if folders else Path()
    names = _names([Path(os.path.relpath(full, base)) for full in paths])
    return [
        RecordingFile(path, name, *_size_and_time(path))
        for path, name in zip(paths.values(), names, strict=True)
    ]


def _inside(folder: Path) -> Sequence[Path]:
    """Its recordings; a folder that may not be read stands for itself, so that it can be complained about."""
    content = look_into(folder)
    log_left_out(folder, FolderContent(content.recordings, (), content.others))
    return [*content.recordings, *content.unreadable]


def _names(paths: Sequence[Path]) -> list[str]:
    """Without their endings, unless two would then be the same, or one like a file about all of them."""
    bare = [path.with_suffix("").as_posix() for path in paths]
    return [
        name if bare.count(name) == 1 and name.lower() not in RESERVED else path.as_posix()
        for name, path in zip(bare, paths, strict=True)
    ]


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
