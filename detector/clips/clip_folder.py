"""The folder of clips: a folder for each day, and for each clip its sound, its JSON and, if locked, a mark.

    clips/2026-11-28/20261128T150313Z_dog_3f9a-12.flac   .json   .locked

A clip is there when its sound is: that is put in place last, whole or not at all.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from detector.clips.clip_record import ClipFacts, facts_text, parse_clip_id, read_facts
from detector.clips.clip_retention import ClipEntry
from detector.errors import ClipError
from detector.files.daemon_files import make_folder
from detector.files.guarded import changeable_by_others, is_folder, read_file

SOUND_SUFFIXES = (".flac", ".wav", ".opus")
JSON_SUFFIX, LOCK_SUFFIX, PART_SUFFIX = ".json", ".locked", ".part"
FILE_MODE = 0o640
MOST_JSON_BYTES = 1_000_000
STALE_SECONDS = 3600.0
"""A part file that is older was left by a writer that was killed."""


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip on the disk."""

    entry: ClipEntry
    path: Path
    """Of its sound."""

    @property
    def locked_mark(self) -> Path:
        """The empty file that locks it."""
        return self.path.with_suffix(LOCK_SUFFIX)

    @property
    def json_path(self) -> Path:
        """The JSON beside its sound."""
        return self.path.with_suffix(JSON_SUFFIX)

    def facts(self) -> ClipFacts:
        """What it is about; of a clip without a readable JSON, what its name says."""
        try:
            return read_facts(read_file(self.json_path, max_bytes=MOST_JSON_BYTES).decode())
        except (OSError, ValueError):
            return ClipFacts(self.entry.id, self.entry.slug, "", 0.0, "", 0, ())


class ClipStore:
    """Reads and changes the folder of clips; what cannot be done raises ClipError, in one line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Make the folder where it is missing, and see that nobody else may write to it."""
        try:
            make_folder(self.folder)
        except OSError as error:
            raise ClipError(
                f"no clip is kept: {self.folder} cannot be made ({error.strerror}); choose another folder"
            ) from error
        if (open_part := changeable_by_others(self.folder)) is not None:
            raise ClipError(
                f"no clip is kept: others may write to {open_part}, or it is theirs; "
                f"close it (chmod go-w), or choose another clips.folder than {self.folder}"
            )

    def write(self, facts: ClipFacts, sound: bytes, *, suffix: str, speech_score: float | None) -> StoredClip:
        """Put a clip in place, whole or not at all."""
        self.check()
        path = self._day_of(facts.id) / (facts.id + suffix)
        json = path.with_suffix(JSON_SUFFIX)
        text = facts_text(facts, speech_score=speech_score).encode()
        try:
            make_folder(path.parent)
            _write_new(json, text)
            _write_new(path, sound)
        except OSError as error:
            for part in (path, json):
                with suppress(OSError):
                    _part_of(part).unlink(missing_ok=True)
            if not path.exists():
                with suppress(OSError):
                    json.unlink(missing_ok=True)
            raise ClipError(f"a clip cannot be written: {path}: {error.strerror or error}") from error
        parsed = parse_clip_id(facts.id)
        began, slug = parsed if parsed is not None else (0.0, "")
        return StoredClip(ClipEntry(facts.id, slug, began, len(sound) + len(text), locked=False), path)

    def clips(self) -> list[StoredClip]:
        """Every clip, the oldest first; what is no clip is left alone."""
        found = [clip for day in self.days() for clip in clips_of(day)]
        return sorted(found, key=lambda clip: (clip.entry.began, clip.entry.id))

    def find(self, name: str) -> StoredClip:
        """The newest for `last`, the clip of this name or file, else the only one with this in its name."""
        clips = self.clips()
        if not clips:
            raise ClipError(f"there is no clip in {self.folder}")
        if name == "last":
            return clips[-1]
        wanted = Path(name).name
        exact = [clip for clip in clips if wanted in (clip.entry.id, clip.path.name)]
        found = exact or [clip for clip in clips if wanted and wanted in clip.entry.id]
        if len(found) != 1:
            count = "no clip is" if not found else f"{len(found)} clips are"
            raise ClipError(f"{count} called {name!r} in {self.folder}; sound-detector clips list shows them")
        return found[0]

    def exact(self, id: str) -> StoredClip | None:
        """The clip of exactly this name, in the folder of its day; None where there is none."""
        parsed, day = parse_clip_id(id), self._day_of(id)
        if parsed is None or day.is_symlink():
            return None
        for path in (day / (id + suffix) for suffix in SOUND_SUFFIXES):
            with suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    beside, mark = path.with_suffix(JSON_SUFFIX), path.with_suffix(LOCK_SUFFIX)
                    size = status.st_size + (beside.lstat().st_size if os.path.lexists(beside) else 0)
                    entry = ClipEntry(id, parsed[1], parsed[0], size, locked=os.path.lexists(mark))
                    return StoredClip(entry, path)
        return None

    def _day_of(self, id: str) -> Path:
        return self.folder / f"{id[:4]}-{id[4:6]}-{id[6:8]}"

    def lock(self, clip: StoredClip) -> None:
        """Keep a clip from being deleted by age, size or space."""
        try:
            descriptor = os.open(clip.locked_mark, os.O_WRONLY | os.O_CREAT | _NO_FOLLOW, FILE_MODE)
        except OSError as error:
            raise ClipError(f"cannot lock {clip.path}: {error.strerror}") from error
        os.close(descriptor)

    def unlock(self, clip: StoredClip) -> None:
        """Let a clip be deleted again."""
        try:
            clip.locked_mark.unlink(missing_ok=True)
        except OSError as error:
            raise ClipError(f"cannot unlock {clip.path}: {error.strerror}") from error

    def delete(self, clip: StoredClip) -> None:
        """Delete a clip; its sound first."""
        try:
            for path in (clip.path, clip.json_path, clip.locked_mark):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ClipError(f"cannot delete {clip.path}: {error.strerror}") from error
        with suppress(OSError):
            clip.path.parent.rmdir()  # unless there are others

    def remove_leftovers(self, now: float) -> None:
        """Remove what a killed writer left: part files, and JSON without a sound. `now`: UTC seconds."""
        for day in self.days():
            sounds = {path.stem for path in day.iterdir() if path.suffix in SOUND_SUFFIXES}
            for path in sorted(day.iterdir()):
                whole = path.name.removesuffix(PART_SUFFIX)
                is_part = whole != path.name and parse_clip_id(Path(whole).stem) is not None
                is_orphan = path.suffix == JSON_SUFFIX and path.stem not in sounds
                if is_part or (is_orphan and parse_clip_id(path.stem) is not None):
                    with suppress(OSError):
                        if now - path.lstat().st_mtime > STALE_SECONDS:
                            path.unlink()

    def free_bytes(self) -> int:
        """Room on the disk; raises ClipError."""
        try:
            return shutil.disk_usage(self.folder).free
        except OSError as error:
            raise ClipError(f"the room in {self.folder} cannot be told: {error.strerror}") from error

    def days(self) -> Iterator[Path]:
        """The folders of the days, the oldest first; a link is none."""
        try:
            paths = sorted(self.folder.iterdir()) if is_folder(self.folder) else []
        except OSError as error:
            raise ClipError(f"{self.folder} cannot be read: {error.strerror}") from error
        yield from (path for path in paths if not path.is_symlink() and is_folder(path))


def open_clip(path: Path) -> int:
    """Open a sound for reading, as a descriptor; OSError where it is gone, a link, or in a linked folder."""
    folder = os.open(path.parent, os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_DIRECTORY", 0))
    try:
        descriptor = os.open(path.name, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return descriptor


_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def clips_of(day: Path) -> Iterator[StoredClip]:
    """The clips in the folder of a day, in no order; none where it is gone."""
    try:
        with os.scandir(day) as items:
            entries = {item.name: item for item in items}
    except OSError:
        return
    for name, item in entries.items():
        path = Path(name)
        parsed = parse_clip_id(path.stem) if path.suffix in SOUND_SUFFIXES else None
        if parsed is None:
            continue
        with suppress(OSError):
            status = item.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                continue
            beside = entries.get(path.stem + JSON_SUFFIX)
            size = status.st_size + (beside.stat(follow_symlinks=False).st_size if beside else 0)
            locked = path.stem + LOCK_SUFFIX in entries
            yield StoredClip(ClipEntry(path.stem, parsed[1], parsed[0], size, locked), day / name)


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + PART_SUFFIX)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there; nothing is written through a link."""
    part = _part_of(path)
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), FILE_MODE)  # whatever the umask
    part.replace(path)
