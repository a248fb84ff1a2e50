"""`verdict` and `verdicts`: through the running daemon where there is one, else in the history's file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from detector.assemble.stages import make_label_map, select
from detector.config.loading import Loaded
from detector.errors import HistoryError
from detector.files.terminal import data_for, print_escaped
from detector.history.history_paths import reading_paths
from detector.history.verdict_effects import verdict_report
from detector.history.verdict_file import VerdictFile
from detector.history.verdict_keeper import stored, taken_back
from detector.history.verdict_listing import export_lines, report_rows, verdict_rows
from detector.modelstore import ModelCatalogue
from detector.subscriber.client import Credentials
from detector.subscriber.verdict_request import NoDaemon, hand_in
from detector.wire.encoding import encode
from detector.wire.message import VerdictBody, utc_text
from detector.wire.request import VerdictLine


def give_verdict(
    request: VerdictLine,
    load: Callable[[], Loaded],
    *,
    uris: Sequence[str],
    credentials: Credentials,
    file: str | None = None,
    chosen_daemon: bool = False,
    as_json: bool = False,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Give a verdict or take some back, print what was stored; the exit code is 0.

    With `file` no daemon is asked; with `chosen_daemon` only a daemon is. Raises DetectorError.
    """
    out = sys.stdout if stdout is None else stdout
    if file is None:
        try:
            return _print(hand_in(uris, request, credentials=credentials), as_json, out)
        except NoDaemon:
            if chosen_daemon:
                raise
    loaded = load()
    path = history_file(loaded, file)
    body = _write(request, loaded, path)
    status = _print(body, as_json, out)
    say = sys.stderr if stderr is None else stderr
    print_escaped(f"written to {path}: a daemon heeds it from its next start or reload on", say)
    return status


def history_file(loaded: Loaded, chosen: str | None) -> Path:
    """The history that holds the verdicts: the chosen one, else the first that there is; HistoryError."""
    paths = reading_paths(chosen or loaded.settings.history.path, os.environ)
    for path in paths:
        if os.path.lexists(path):
            return path
    raise HistoryError(
        f"there is no history at {' or '.join(map(str, paths))}: run the daemon first, or name it with --file"
    )


def list_verdicts(path: Path, *, as_json: bool, stdout: TextIO | None = None) -> int:
    """Print all verdicts, the oldest first."""
    out = sys.stdout if stdout is None else stdout
    given = VerdictFile(path, keep=0).verdicts()
    lines = export_lines(given) if as_json else verdict_rows(given)
    return _print_lines(lines, out, nothing="no verdicts yet")


def report_verdicts(path: Path, *, as_json: bool, stdout: TextIO | None = None) -> int:
    """Print what verdicts did, label by label."""
    out = sys.stdout if stdout is None else stdout
    return _print_lines(report_rows(verdict_report(path), as_json=as_json), out, nothing="no verdicts yet")


def export_verdicts(path: Path, target: str, *, stdout: TextIO | None = None) -> int:
    """Write all verdicts with their embeddings as JSON lines; `-` is standard output."""
    lines = list(export_lines(VerdictFile(path, keep=0).verdicts(), embeddings=True))
    if target == "-":
        return _print_lines(lines, sys.stdout if stdout is None else stdout, nothing="no verdicts yet")
    with Path(target).open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return 0


def _write(request: VerdictLine, loaded: Loaded, path: Path) -> VerdictBody:
    verdicts = VerdictFile(path, keep=loaded.settings.verdicts.keep)
    now = time.time()
    if request.forget:
        return taken_back(verdicts.forget(request.forget), time=utc_text(now))
    labels = make_label_map(loaded.settings.events, select(loaded.settings, ModelCatalogue()).spec)
    names = [label.name for label in labels.reported]
    given = verdicts.give(request.id, request.said, at=now, labels=names)
    return stored(given, time=utc_text(now), use=loaded.settings.verdicts.use)


def _print(body: VerdictBody, as_json: bool, out: TextIO) -> int:
    if as_json:
        out.write(data_for(out, encode(body).line.decode()))
    else:
        print_escaped(body.message, out)
    return 0


def _print_lines(lines: Sequence[str], out: TextIO, *, nothing: str) -> int:
    for line in lines:
        print(data_for(out, line), file=out)
    if not lines:
        print(nothing, file=sys.stderr)
    return 0
