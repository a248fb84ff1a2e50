"""All recordings: which are still to be done, by how many processes, and the summary at the end."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from detector.analysis.formats import FORMATS, PARQUET
from detector.analysis.formats.parquet import FOLDER as TABLES
from detector.analysis.outputs import discard_parts, output_names
from detector.analysis.recording_bar import RecordingBar
from detector.analysis.recording_files import RecordingFile
from detector.analysis.resume import AGAIN, Folder, write_text
from detector.analysis.summary import Summary, from_json, merged
from detector.analysis.tables import summary_csv, summary_text
from detector.analysis.task import Done, Task, Wanted
from detector.analysis.vanished import Vanished
from detector.errors import ConfigError, SinkError
from detector.files.terminal import escape, escape_data
from detector.workers.dask_pool import DaskPool
from detector.workers.pool import Pool
from detector.workers.worker import Ended, Failed, Logged, Silent, TaskProgress, Work

SUMMARY_CSV = "summary.csv"
SUMMARY_JSON = "summary.json"
INDEX = "index.html"

MOST_UNWRITTEN = 3
"""Recordings in a row whose results could not be written: then the folder is at fault."""

TOO_LONG = "its name leaves no room for the endings of its results: give it a shorter one"

After = Callable[[RecordingFile, Done | str], None]
"""Called for each recording when it is over; with a text, it could not be analyzed, and that is why.

The text is empty where that was said already of its whole place."""


@dataclass(frozen=True, slots=True)
class Session:
    """Analyzes recordings; `make` builds, in each process, what does one of them.

    Both ways return the exit status: 1 where a recording could not be analyzed, or not to its end.
    """

    recordings: Sequence[RecordingFile]
    wanted: Wanted
    make: Callable[[], Work[Task, Done]]
    jobs: int
    settings: Mapping[str, object]
    """All that decides what events a recording has, ready for JSON."""
    start: float | None = None
    """UTC seconds at which they began, where the user said so."""
    quiet: bool = False
    traces: bool = False
    """Whether tracebacks of bugs are shown."""
    dask: str | None = None
    """A Dask scheduler that has the work done, or `local[N]`; None is processes of our own."""
    has_all: bool = True
    """Whether these are all recordings of a folder: only then it gets a summary of all."""

    def into_folder(self, path: Path, *, overwrite: bool) -> int:
        """Write files into a folder, leaving out what is done, and print the summary."""
        self._check_names()
        folder = Folder(path, self.settings)
        folder.prepare(overwrite=overwrite)
        summaries: dict[str, Summary] = {}
        if not overwrite:
            known = {r.name: folder.done(r, self.wanted) for r in self.recordings}
            summaries = {name: summary for name, summary in known.items() if summary is not None}
        missing = [recording for recording in self.recordings if recording.name not in summaries]
        faults = {str(one.path): TOO_LONG for one in missing if not folder.takes(one, self.wanted)}
        left = [one for one in missing if str(one.path) not in faults]
        if summaries and not self.quiet:
            print(f"{len(summaries)} of {len(self.recordings)} are done already", file=sys.stderr)

        for path_text in faults:
            print(f"sound-detector: {escape(path_text)}: {TOO_LONG}", file=sys.stderr)

        def keep(recording: RecordingFile, done: Done | str) -> None:
            fault = done if isinstance(done, str) else done.damage
            if fault:
                faults[str(recording.path)] = fault
            if isinstance(done, Done):
                folder.check()
                if not done.damage:  # a damaged one is read again, as it may be copied anew
                    folder.keep(recording, done, anew=overwrite)
                # As a later run would read it: the total is then the same, to the last digit.
                summaries[recording.name] = from_json(done.summary.as_json())

        try:
            failures = self._work(left, path, keep, check_results=folder.check_writable)
        except KeyboardInterrupt:
            if not self.quiet:
                done = f"{len(summaries)} of {len(self.recordings)} recordings are done"
                print(f"stopped: {done}; the same command goes on with the others", file=sys.stderr)
            raise
        finally:
            for recording in left:
                if recording.name not in summaries:
                    discard_parts(path, recording.name, self.wanted)
        ordered = {r.name: summaries[r.name] for r in self.recordings if r.name in summaries}
        if self.has_all:
            self._write_totals(path, ordered, faults)
        if ordered:
            print(summary_text(ordered, merged(ordered.values())), end="")
        return 1 if failures or len(left) < len(missing) else 0

    def to_stdout(self) -> int:
        """Write events to standard output, recording after recording; then the summary, for people only."""
        (word,) = self.wanted.formats
        kind = FORMATS[word]
        if len(self.recordings) > 1 and not kind.names_source:
            raise ConfigError(
                f"--format {word} does not say which recording a line is of, and there are "
                f"{len(self.recordings)}: add --out DIR"
            )
        summaries: dict[str, Summary] = {}
        over: set[str] = set()
        turn = iter(self.recordings)
        following = next(turn, None)
        skipped = 0  # bytes: each file has the header, the stream only once
        with tempfile.TemporaryDirectory(prefix="sound-detector-") as folder:

            def keep(recording: RecordingFile, done: Done | str) -> None:
                nonlocal following, skipped
                over.add(recording.name)
                if isinstance(done, Done):
                    summaries[recording.name] = done.summary
                while following is not None and following.name in over:
                    if following.name in summaries:
                        if word == "text" and len(self.recordings) > 1:  # its lines name no recording
                            print(f"{escape(str(following.path))}:")
                        _pour(Path(folder, *output_names(following.name, self.wanted)), skipped)
                        skipped = len(kind.header.encode())
                    following = next(turn, None)

            failures = self._work(self.recordings, Path(folder), keep)
        ordered = {r.name: summaries[r.name] for r in self.recordings if r.name in summaries}
        if ordered and not self.quiet:
            stream = sys.stdout if word == "text" else sys.stderr
            print(f"\n{summary_text(ordered, merged(ordered.values()))}", end="", file=stream)
        return 1 if failures else 0

    def _check_names(self) -> None:
        """Raise ConfigError where the results of a recording would lie among the event tables."""
        if PARQUET in self.wanted.formats:
            for recording in self.recordings:
                if recording.name.startswith(f"{TABLES}/"):
                    raise ConfigError(
                        f"{recording.path} lies in a folder called {TABLES}, as the tables of --format "
                        "parquet do: analyze that folder by itself, with another --out"
                    )

    def _work(
        self,
        recordings: Sequence[RecordingFile],
        folder: Path,
        after: After,
        *,
        check_results: Callable[[], None] = lambda: None,
    ) -> int:
        """Analyze these; returns how many could not be, or not to their end.

        `check_results` raises SinkError where no result can be kept any more.
        """
        tasks = [Task(recording, str(folder), self.wanted, self.start) for recording in recordings]
        failures = 0
        pool: Pool[Task, Done] | DaskPool[Task, Done]
        if self.dask is None:
            pool = Pool(self.make, max(1, min(self.jobs, len(tasks))))
        else:
            pool = DaskPool(self.make, self.dask, weigh=lambda task: task.recording.size)
        sizes = [recording.size for recording in recordings]
        vanished = Vanished(recordings)
        is_quiet = False
        unwritten = 0
        with closing(RecordingBar(sizes, quiet=self.quiet)) as bar, pool:
            for index, message in pool.run(tasks, lambda index: not vanished.holds(recordings[index])):
                if isinstance(message, Silent):
                    if not is_quiet:
                        bar.say(_silence(recordings[index], message))
                    is_quiet = True
                    continue
                is_quiet = False
                if isinstance(message, TaskProgress):
                    bar.show(index, message.share, message.seconds)
                elif isinstance(message, Logged):
                    bar.say(f"sound-detector: {message.text}")
                elif isinstance(message, Ended):
                    vanished.note(recordings[index])
                    unwritten = 0
                    failures += bool(message.result.damage)
                    after(recordings[index], message.result)
                    bar.show(index, 1.0, message.result.summary.heard_seconds)
                else:
                    failures += 1
                    if issubclass(message.error, SinkError):
                        check_results()
                        unwritten += 1
                        if unwritten == MOST_UNWRITTEN:  # what a full disk refuses leaves a little room
                            raise SinkError(f"{message.reason}, {unwritten} times in a row; {AGAIN}")
                    if not vanished.holds(recordings[index]):
                        line = vanished.explain(recordings[index], message)
                        bar.say(
                            f"sound-detector: {line}" if line else self._complaint(recordings[index], message)
                        )
                        after(recordings[index], line or message.reason)
                        vanished.note(recordings[index])
                    bar.show(index, 1.0)
        for recording in filter(vanished.holds, recordings):
            after(recording, "")
        return failures

    def _complaint(self, recording: RecordingFile, failed: Failed) -> str:
        path = str(recording.path)
        reason = failed.reason if path in failed.reason else f"{path}: {failed.reason}"
        return f"sound-detector: {reason}" + (f"\n{failed.trace}" if self.traces else "")

    def _write_totals(self, path: Path, summaries: Mapping[str, Summary], faults: Mapping[str, str]) -> None:
        total = merged(summaries.values())
        write_text(path / SUMMARY_CSV, summary_csv(summaries, total))
        fields = {
            "total": total.as_json(),
            "recordings": {name: summary.as_json() for name, summary in summaries.items()},
        }
        write_text(path / SUMMARY_JSON, json.dumps(fields, indent=1, ensure_ascii=False) + "\n")
        if self.wanted.report:
            from detector.analysis.index import index_html

            write_text(path / INDEX, index_html(summaries, total, faults=faults))


def _silence(recording: RecordingFile, silent: Silent) -> str:
    return (
        f"sound-detector: nothing has come of {recording.path} for {silent.seconds:.0f} s: perhaps its share "
        "or server hangs. This waits for it; after Ctrl-C, the same command goes on"
    )


def _pour(path: Path, skip: int) -> None:
    """Copy a file's bytes to standard output and remove it."""
    with path.open("rb") as file:
        file.seek(skip)
        sys.stdout.flush()
        try:
            if sys.stdout.isatty():
                for line in file:
                    sys.stdout.write(escape_data(line.decode(errors="replace")))
                sys.stdout.flush()
            else:
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SinkError(f"cannot write to standard output: {error.strerror}") from error
    path.unlink()
