"""Places that went away while recordings were analyzed: an unmounted share, a server that does not answer.

Of such a place one line is said, and its other recordings are left for the next run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.analysis.recording_files import RecordingFile
from detector.errors import DetectorError, UnsupportedFormat
from detector.files.daemon_files import identity
from detector.remote.range_reader import PlaceUnreachable, Retryable
from detector.remote.remote_file import RemotePath, reader_of
from detector.workers.worker import Failed

Identity = tuple[int, int]
"""Of a folder: its device and its number there. Where a share is unmounted, another folder appears."""


def _ask(path: RemotePath) -> None:
    """Ask for a recording elsewhere, once; raises Retryable, DetectorError."""
    reader_of(path.address).stamp()


class Vanished:
    """Knows which places of these recordings are gone, and which recordings those had."""

    def __init__(
        self, recordings: Sequence[RecordingFile], *, ask: Callable[[RemotePath], None] = _ask
    ) -> None:
        self._recordings = recordings
        self._ask = ask
        self._folders: dict[Path, Identity] = {}
        self._gone: set[Path | str] = set()
        self._over: set[str] = set()
        for parent in {_parent(one.path) for one in recordings if isinstance(one.path, Path)}:
            for folder in (parent, *parent.parents):
                if folder in self._folders or (found := _identity(folder)) is None:
                    break
                self._folders[folder] = found

    def note(self, recording: RecordingFile) -> None:
        """This recording is over, whatever became of it."""
        self._over.add(recording.name)

    def holds(self, recording: RecordingFile) -> bool:
        """Whether its place is gone, so that it need not be tried."""
        if not self._gone:
            return False
        if isinstance(recording.path, RemotePath):
            return recording.path.address.root in self._gone
        parent = _parent(recording.path)
        return parent in self._gone or not self._gone.isdisjoint(parent.parents)

    def explain(self, recording: RecordingFile, failed: Failed) -> str:
        """The line about the place of a recording that failed, if it is gone; empty where it is there."""
        place = self._place_gone(recording, failed)
        if place is None:
            return ""
        self._gone.add(place)
        left = sum(one.name not in self._over and self.holds(one) for one in self._recordings)
        which = "a recording is" if left == 1 else f"{left} recordings are"
        return f"{place} went away ({failed.reason}): {which} left there, with which the same command goes on"

    def _place_gone(self, recording: RecordingFile, failed: Failed) -> Path | str | None:
        if isinstance(recording.path, Path):
            return self._folder_gone(_parent(recording.path))
        root = recording.path.address.root
        if not issubclass(failed.error, PlaceUnreachable):
            return None
        paths = (one.path for one in self._recordings if one.name != recording.name)
        beside = [path for path in paths if isinstance(path, RemotePath) and path.address.root == root]
        if recording.path.is_unreachable:
            return root if beside else None
        other = next((path for path in beside if path.stamp is not None), None)
        if other is None:
            return None
        try:
            self._ask(other)
        except UnsupportedFormat:
            return None
        except (DetectorError, Retryable):
            return root
        return None

    def _folder_gone(self, parent: Path) -> Path | None:
        """The topmost folder above a recording that is not there any more, or is another one."""
        gone = None
        for folder in (parent, *parent.parents):
            if folder in self._folders and _identity(folder) == self._folders[folder]:
                break
            if folder in self._folders:
                gone = folder
        return gone


def _parent(path: Path) -> Path:
    return Path(os.path.abspath(path)).parent  # noqa: PTH100 - a link keeps its name


def _identity(folder: Path) -> Identity | None:
    try:
        return identity(folder.stat())
    except OSError:
        return None
