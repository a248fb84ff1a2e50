"""What an output folder already holds: which settings made it, and which recordings are done.

`analysis.json` keeps the settings; `NAME.summary.json` is written last of a recording's files and so says
that all of them are whole.
"""

from __future__ import annotations

import contextlib
import errno
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detector.analysis.formats import PARQUET
from detector.analysis.formats.parquet import ENDING as TABLES_ENDING
from detector.analysis.formats.parquet import is_table
from detector.analysis.outputs import PART, output_names
from detector.analysis.recording_files import RecordingFile
from detector.analysis.summary import Summary, from_json
from detector.analysis.task import Done, Wanted
from detector.errors import ConfigError, SinkError
from detector.files.guarded import is_file
from detector.files.terminal import escape

STAMP = "analysis.json"
TRIAL = f"{STAMP}.trial"
AGAIN = "what was done before is kept, and the same command goes on"
RECORD_ENDING = ".summary.json"


@dataclass(frozen=True, slots=True)
class Folder:
    """An output folder; `settings` is all that decides what events a recording has, ready for JSON."""

    path: Path
    settings: Mapping[str, object]

    def prepare(self, *, overwrite: bool) -> None:
        """Make it, or take it as it is; raises ConfigError where it is somebody else's or made otherwise."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            others = [path for path in self.path.iterdir() if not path.name.startswith(STAMP)]
            stranger = bool(others) and not (self.path / STAMP).exists()
        except OSError as error:
            raise SinkError(f"cannot make the folder {self.path}: {error.strerror}") from error
        if stranger and not overwrite:
            raise ConfigError(
                f"{self.path} exists, is not empty and was not made by analyze; "
                "name another folder, or add --overwrite to write into it"
            )
        if not stranger and not overwrite and (self.path / STAMP).exists():
            self._compare()
            return
        write_text(self.path / STAMP, json.dumps(dict(self.settings), indent=1, ensure_ascii=False) + "\n")

    def done(self, recording: RecordingFile, wanted: Wanted) -> Summary | None:
        """What came of a recording earlier; None where it has changed since or a file is missing."""
        record = self._record(recording)
        if record is None:
            return None
        names = [*output_names(recording.name, wanted)]
        if PARQUET in wanted.formats:
            tables = [name for name in record[1] if is_table(name)]
            if not tables:
                return None
            names += tables
        if not all(name in record[1] and (self.path / name).is_file() for name in names):
            return None
        return record[0]

    def takes(self, recording: RecordingFile, wanted: Wanted) -> bool:
        """Whether the names of a recording's files are not too long for the file system."""
        names = [name + PART for name in output_names(recording.name, wanted)]
        names += [recording.name + RECORD_ENDING, recording.name + TABLES_ENDING + PART]
        try:
            (self.path / max(names, key=len)).lstat()
        except OSError as error:
            return error.errno != errno.ENAMETOOLONG
        return True

    def check(self) -> None:
        """Raise SinkError where it is gone: another folder may lie where a share was."""
        if not is_file(self.path / STAMP):
            raise SinkError(f"the folder of the results, {self.path}, went away; {AGAIN}")

    def check_writable(self) -> None:
        """Raise SinkError where nothing can be kept in it any more: it is gone, full, or read-only."""
        self.check()
        try:
            write_text(self.path / TRIAL, "x")
            (self.path / TRIAL).unlink(missing_ok=True)  # another job of a cluster may have been here, too
        except SinkError as error:
            raise SinkError(f"{error}; {AGAIN}") from error
        except OSError as error:
            raise SinkError(f"cannot write to {self.path}: {error.strerror}; {AGAIN}") from error

    def keep(self, recording: RecordingFile, done: Done, *, anew: bool = False) -> None:
        """A recording's files are whole: say so; `anew`: what others it has are of older settings."""
        before = None if anew else self._record(recording)
        kept = before[1] if before else []
        if any(map(is_table, done.outputs)):  # it may have been thought to be of other days
            kept = [name for name in kept if not is_table(name)]
        outputs = sorted({*done.outputs, *kept})
        fields = {
            "source": str(recording.path),
            "size": recording.size,
            "modified": recording.modified,
            **({"version": recording.version} if recording.version else {}),
            "outputs": outputs,
            "summary": done.summary.as_json(),
        }
        path = self.path / (recording.name + RECORD_ENDING)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}; {AGAIN}") from error
        write_text(path, json.dumps(fields, indent=1) + "\n")

    def _record(self, recording: RecordingFile) -> tuple[Summary, list[str]] | None:
        try:
            fields = json.loads((self.path / (recording.name + RECORD_ENDING)).read_bytes())
            before = fields["source"], fields["size"], fields["modified"], fields.get("version", "")
            same = before == (str(recording.path), recording.size, recording.modified, recording.version)
            return (from_json(fields["summary"]), list(fields["outputs"])) if same else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def _compare(self) -> None:
        try:
            before = json.loads((self.path / STAMP).read_bytes())
        except (OSError, ValueError, RecursionError):
            before = None
        wanted = json.loads(json.dumps(dict(self.settings)))
        if before == wanted:
            return
        if not isinstance(before, dict):
            before = {}
        changed = ", ".join(sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key)))
        raise ConfigError(
            f"{self.path} was made with other settings ({escape(changed)}); "
            "name another folder, or add --overwrite to analyze everything anew"
        )


def write_text(path: Path, text: str) -> None:
    """Write a file that is whole or not there; raises SinkError."""
    # Several jobs of a cluster may write the same file at once.
    part = path.with_name(f"{secrets.token_hex(8)}.part")
    try:
        part.write_text(text, encoding="utf-8", errors="replace")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
