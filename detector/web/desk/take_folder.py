"""Takes of own sounds: files in a dataset as `record` makes it, and those that nobody has judged yet.

A kept take is `LABEL/LABEL-SESSION-NN.wav`, or `-NN-PP` for parts of one. A new one waits in
`.pending/LABEL`, which `train` does not see.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detector.datasets.clip_names import SUFFIX, check_label, clip_name, session_text
from detector.datasets.labelled_clips import BACKGROUND, class_of
from detector.errors import ConfigError
from detector.files.daemon_files import make_folder
from detector.files.guarded import read_file, replace_file
from detector.files.sound_files import SNDFILE_SUFFIXES, is_hidden
from detector.web.desk.refusals import Refused
from detector.web.desk.take_sound import MOST_BYTES, TakeFacts, facts_of_take, parts_of_take

PENDING = ".pending"
MOST_PENDING = 20
MOST_TAKES = 300
"""Files of one sound."""
MOST_SOUNDS = 50
PART_SECONDS = 3.0
"""A longer take of the background is cut into parts of this length, as `record` does."""


@dataclass(frozen=True, slots=True)
class TakeFile:
    """One take."""

    id: str
    name: str
    """Of its sound."""
    path: Path
    time: float
    """When it was made: UTC seconds since 1970."""
    kept: bool


class TakeFolder:
    """All takes of one dataset."""

    def __init__(self, dataset: Path, *, clock: Callable[[], float]) -> None:
        self.path = dataset
        self._clock = clock
        self._facts: dict[tuple[str, float], TakeFacts] = {}

    def name_of(self, wanted: str) -> str:
        """The name of a sound as its folder spells it; raises Refused where it cannot be one."""
        if wanted != wanted.strip() or wanted.casefold() == PENDING:
            raise Refused(422, "a name begins and ends with a letter or digit")
        if class_of(wanted) == BACKGROUND:
            return BACKGROUND
        try:
            check_label(wanted)
        except ConfigError as error:
            raise Refused(422, str(error).replace("LABEL ", "the name ", 1)) from error
        return next((name for name in self.names() if name.casefold() == wanted.casefold()), wanted)

    def names(self) -> list[str]:
        """The sounds that have takes, kept or not."""
        found = {folder.name for folder in [*_folders(self.path), *_folders(self.path / PENDING)]}
        return sorted(found, key=lambda name: (name == BACKGROUND, name.casefold()))

    def kept(self, name: str) -> list[TakeFile]:
        """The takes of a sound that `train` learns from, the newest first."""
        return self._takes(self.path / name, name, kept=True)

    def pending(self) -> list[TakeFile]:
        """The takes that wait to be kept or discarded, the newest first."""
        found = [
            take
            for folder in _folders(self.path / PENDING)
            for take in self._takes(folder, folder.name, kept=False)
        ]
        return sorted(found, key=lambda take: -take.time)

    def find(self, id: str) -> TakeFile:
        """A take by its id; raises Refused."""
        takes = [*self.pending(), *(take for name in self.names() for take in self.kept(name))]
        found = next((take for take in takes if take.id == id), None)
        if found is None:
            raise Refused(404, "there is no such take any more")
        return found

    def add(self, name: str, content: bytes, suffix: str) -> TakeFile:
        """Write a new take, which waits to be judged; raises Refused, OSError."""
        if len(self.pending()) >= MOST_PENDING:
            raise Refused(409, f"{MOST_PENDING} takes wait already: keep or discard some first")
        if name not in self.names() and len(self.names()) >= MOST_SOUNDS:
            raise Refused(409, f"there are {MOST_SOUNDS} sounds already: forget one first")
        folder = self.path / PENDING / name
        make_folder(folder)
        path = _free(folder, name, self._clock(), suffix)
        _write(path, content)
        return self._take(path, name, kept=False)

    def keep(self, id: str) -> TakeFile:
        """Let `train` learn from a take; raises Refused, OSError, and then it still waits."""
        take = self.find(id)
        if take.kept:
            return take
        if len(self.kept(take.name)) >= MOST_TAKES:
            raise Refused(409, f"{take.name} has {MOST_TAKES} takes already: discard some first")
        folder = self.path / take.name
        make_folder(folder)
        target = _free(folder, take.name, take.time, take.path.suffix)
        content = read_file(take.path, max_bytes=MOST_BYTES)
        if take.name == BACKGROUND and take.path.suffix == ".wav":
            parts = parts_of_take(content, PART_SECONDS)
            names = [target.with_name(f"{target.stem}-{n:02d}.wav") for n in range(1, len(parts) + 1)]
            written: list[Path] = []
            try:
                for path, part in zip(names, parts, strict=True):
                    _write(path, part)
                    written.append(path)
            except OSError:
                for path in written:
                    path.unlink(missing_ok=True)
                raise
            target = names[0]
            take.path.unlink()
        else:
            take.path.replace(target)
        with suppress(OSError):
            take.path.parent.rmdir()
        return self._take(target, take.name, kept=True)

    def discard(self, id: str) -> None:
        """Delete a take; raises Refused, OSError."""
        take = self.find(id)
        take.path.unlink(missing_ok=True)
        with suppress(OSError):
            take.path.parent.rmdir()

    def forget(self, name: str) -> None:
        """Delete a sound and all its takes; raises Refused, OSError."""
        if name not in self.names():
            raise Refused(404, f"there is no sound called {name!r}")
        for folder in (self.path / name, self.path / PENDING / name):
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder)

    def seconds(self, name: str) -> float:
        """How much sound the kept takes have."""
        return round(sum(self._facts_of(take).seconds for take in self.kept(name)), 1)

    def facts(self, take: TakeFile) -> dict[str, Any]:
        """A take as the page gets it."""
        own = {"id": take.id, "name": take.name, "time": take.time, "kept": take.kept}
        return own | asdict(self._facts_of(take))

    def _facts_of(self, take: TakeFile) -> TakeFacts:
        key = (take.id, take.time)
        if key not in self._facts:
            try:
                content = read_file(take.path, max_bytes=MOST_BYTES)
                found = facts_of_take(content, room=take.name == BACKGROUND)
            except (Refused, OSError):
                found = TakeFacts(0.0, "not measured")
            self._facts[key] = found
        return self._facts[key]

    def _takes(self, folder: Path, name: str, *, kept: bool) -> list[TakeFile]:
        with suppress(OSError):
            paths = [path for path in folder.iterdir() if path.suffix.lower() in SNDFILE_SUFFIXES]
            found = [self._take(path, name, kept=kept) for path in paths if not is_hidden(path.name)]
            return sorted(found, key=lambda take: (-take.time, take.path.name))
        return []

    def _take(self, path: Path, name: str, *, kept: bool) -> TakeFile:
        id = hashlib.sha256(str(path.relative_to(self.path)).encode(errors="surrogateescape")).hexdigest()[
            :16
        ]
        return TakeFile(id, name, path, path.stat().st_mtime, kept)


def _folders(path: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (folder for folder in path.iterdir() if not is_hidden(folder.name) and folder.is_dir())


def _free(folder: Path, name: str, began: float, suffix: str) -> Path:
    """A path for a take, whose name no other file of its folder begins with."""
    taken = {path.name for path in folder.iterdir()}
    number = 1
    while any(other.startswith(_stem(name, began, number)) for other in taken):
        number += 1
    return folder / f"{_stem(name, began, number)}{suffix}"


def _stem(name: str, began: float, number: int) -> str:
    return clip_name(name, session_text(began), number).removesuffix(SUFFIX)


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError:
        with suppress(OSError):
            path.with_name(path.name + ".part").unlink(missing_ok=True)
        raise
