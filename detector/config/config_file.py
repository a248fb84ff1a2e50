"""The user's config file, changed as a whole: never half, never over somebody else's change, and with undo.

What was there before is kept in a file of its own, so that undo outlives the process. A change is undone only
while the config file is still what was written.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from detector.config.yamltext import MAX_BYTES
from detector.errors import ConfigError
from detector.files.daemon_files import make_folder
from detector.files.guarded import changeable_by_others, owner_name, part_of, read_file, replace_file

MOST_UNDONE = 20
"""Changes that can be undone, one after the other."""
_BOM = "\ufeff"


class ChangedMeanwhile(ConfigError):
    """The config file is no longer what the caller saw, or what was written."""


class NotWritable(ConfigError):
    """The config file cannot be written by this user."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """What a config file says at one moment."""

    text: str
    version: str
    """Names this content: its SHA-256; empty where there is no file."""


@dataclass(frozen=True, slots=True)
class UndoOffer:
    """The change that would be undone next."""

    what: str
    time: float
    """UTC seconds since 1970."""
    why_not: str = ""
    """Why it cannot be undone; empty where it can."""


@dataclass(frozen=True, slots=True)
class _Change:
    path: str
    what: str
    time: float
    before: str | None
    after: str
    """Version that was written."""


class ConfigFile:
    """One config file, which need not exist yet, and the file that remembers what it was."""

    def __init__(self, path: Path, undo_path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """A link at `path` is followed: the file behind it is written."""
        self.path = path
        self._undo_path = undo_path
        self._clock = clock

    @property
    def _target(self) -> Path:
        """The file behind the link as it is now: a tool may point it at another one while the page runs."""
        return Path(os.path.realpath(self.path))

    def read(self) -> ConfigText:
        """The file as it is; raises ConfigError where it cannot be read."""
        try:
            content = read_file(self._target, max_bytes=MAX_BYTES, links=True)
        except FileNotFoundError:
            return ConfigText("", "")
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{self.path}: expected at most {MAX_BYTES} bytes: is this the right file?")
        try:
            return ConfigText(content.decode("utf-8-sig"), _version(content))
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.path}: expected UTF-8 text: save the file in that encoding") from error

    def why_not_writable(self) -> str:
        """Say in one line why this user cannot write the file; empty where that is possible."""
        here = self._target
        while not here.exists() and here != here.parent:
            here = here.parent
        folder = here if here.is_dir() else here.parent
        if self._target.is_dir():
            return f"{self.path} is a folder"
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            return f"{self.path} cannot be changed from here: this user may not write to {folder}"
        if (others := changeable_by_others(folder)) is not None:
            return f"{self.path} cannot be changed from here: others may change {others}"
        if self._target.exists() and hasattr(os, "geteuid"):
            owner = self._target.stat().st_uid
            if os.geteuid() not in (0, owner):
                return f"{self.path} cannot be changed from here: it belongs to {owner_name(self._target)}"
            if not os.access(self._target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                return f"{self.path} cannot be changed from here: it is read-only"
        return ""

    def write(self, text: str, seen: str, what: str) -> str:
        """Put a text in the place of the version that was seen, which is remembered; returns the new version.

        Raises ChangedMeanwhile, NotWritable, ConfigError; OSError where the disk is full or broken. The file
        is then as it was.
        """
        if why := self.why_not_writable():
            raise NotWritable(why)
        before = self.read()
        if before.version != seen:
            raise ChangedMeanwhile(f"{self.path} was changed meanwhile: look at it again, then change it")
        content = self._encoded(text)
        kept = self._changes()
        old = before.text if before.version else None
        change = _Change(str(self._target), what, self._clock(), old, _version(content))
        self._remember([*kept, change][-MOST_UNDONE:])
        try:
            self._put(content)
        except OSError:
            self._remember(kept)
            raise
        return change.after

    def undo(self) -> str:
        """Put back what was there before the newest change; returns what was undone. Raises as `write`."""
        if why := self.why_not_writable():
            raise NotWritable(why)
        changes = self._changes()
        if not changes:
            raise ChangedMeanwhile("there is nothing to undo")
        newest = changes[-1]
        if self.read().version != newest.after:
            raise ChangedMeanwhile(self._changed_since)
        if newest.before is None:
            self._target.unlink()
        else:
            self._put(self._encoded(newest.before))
        self._remember(changes[:-1])
        return newest.what

    def offer(self) -> UndoOffer | None:
        """What `undo` would do; None where nothing was changed. Raises ConfigError."""
        changes = self._changes()
        if not changes:
            return None
        newest = changes[-1]
        why = "" if self.read().version == newest.after else self._changed_since
        return UndoOffer(newest.what, newest.time, why)

    @property
    def _changed_since(self) -> str:
        return f"{self.path} was changed by hand since: it cannot be undone from here"

    def _encoded(self, text: str) -> bytes:
        """As bytes, with the mark of a file that began with one."""
        with suppress(OSError):
            if read_file(self._target, max_bytes=4, links=True).startswith(_BOM.encode()):
                text = _BOM + text
        return text.encode()

    def _put(self, content: bytes) -> None:
        try:
            if self._target.exists():
                replace_file(self._target, content, like=self._target.stat())
            else:
                make_folder(self._target.parent)
                replace_file(self._target, content)
        except PermissionError as error:
            raise NotWritable(f"{self.path} cannot be changed from here: {error.strerror}") from error
        finally:
            with suppress(OSError):
                part_of(self._target).unlink(missing_ok=True)

    def _changes(self) -> list[_Change]:
        """The changes of this file; those that were noted and never written are left out."""
        try:
            found = json.loads(read_file(self._undo_path, max_bytes=2 * MOST_UNDONE * MAX_BYTES))
            changes = [_Change(**change) for change in found]
        except (OSError, ValueError, TypeError):
            return []
        changes = [change for change in changes if change.path == str(self._target)]
        now = self.read()
        while changes and changes[-1].after != now.version and changes[-1].before == _or_none(now):
            changes.pop()
        return changes

    def _remember(self, changes: list[_Change]) -> None:
        make_folder(self._undo_path.parent)
        while True:
            content = json.dumps([asdict(change) for change in changes]).encode()
            if len(content) <= MAX_BYTES or len(changes) < 2:
                break
            changes = changes[1:]
        replace_file(self._undo_path, content)


def _or_none(found: ConfigText) -> str | None:
    return found.text if found.version else None


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
