"""`sound-detector calibrate`: listen to a room, propose changes, test them on the log, write them.

What depends on settings is passed in as a `CalibrationSetup`; the order of the steps and their output are
here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from detector.calibration import calibration_report as report
from detector.calibration.calibration_setup import CalibrateRequest, CalibrationSetup, TrialSettings
from detector.calibration.floor import choose_floor
from detector.calibration.log_replay import LogReplay, timed
from detector.calibration.proposal import Change, ChangeKind, propose
from detector.calibration.room_display import clock
from detector.calibration.room_listener import RoomListener, Stopped, stopping_on_signals
from detector.calibration.room_statistics import RoomStatistics
from detector.calibration.sound_log import SoundLog
from detector.config.config_text import config_text
from detector.errors import ConfigError, DetectorError, SourceError
from detector.events.naming import shared_names, shown
from detector.files.terminal import print_escaped

LEAST_SECONDS = 60.0
"""The shortest time from which thresholds can be chosen."""
DIGITAL_SILENCE_DBFS = -100.0
"""Below this there is no microphone: its own noise is louder. 16-bit rounding alone is at -101 dBFS."""


def calibrate(
    request: CalibrateRequest,
    setup: CalibrationSetup,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    out: TextIO | None = None,
    written: TextIO | None = None,
) -> int:
    """Calibrate and return the exit status; raises DetectorError.

    Progress and the report go to `out` (default: standard error), settings without --out to `written`
    (default: standard output).
    """
    out, written = out or sys.stderr, written or sys.stdout
    if request.out is not None:
        _check_out(request.out, overwrite=request.overwrite)
    began = now()
    with closing(SoundLog(len(setup.spec.labels))) as log:
        before = setup.replay()
        with stopping_on_signals() as stopped:
            _introduce(request, setup, out)
            seconds = _listen(request, setup, log, before, stopped, out)
        statistics = _measure(setup, log, 0.0, seconds)
        _check_enough(statistics, setup)
        findings, changed = _find(request, setup, log, statistics, before)
    _say(findings, request, out)
    if findings.is_nothing:
        print("nothing to change, nothing written", file=out)
        return 0
    head = _head(setup, findings, began)
    text = config_text(head, changed.tree, report.comments(findings, changed.keys))
    if request.out is None:
        written.write(text)
        written.flush()
    else:
        _write(request.out, text, overwrite=request.overwrite)
        print_escaped(f"written: {request.out} ({setup.origin}; comments of your own file are not kept)", out)
        print_escaped(f"try it:  sound-detector --config {request.out}", out)
    return 0


def _listen(
    request: CalibrateRequest,
    setup: CalibrationSetup,
    log: SoundLog,
    before: LogReplay,
    stopped: Stopped,
    out: TextIO,
) -> float:
    """Listen to all sources; returns the seconds recorded in the log."""
    listener = RoomListener(
        log,
        before,
        sample_rate=setup.spec.sample_rate,
        most_seconds=request.seconds,
        stopped=stopped,
        quiet=request.quiet,
        out=out,
        shared=_shared(setup),
    )
    listener.listen(setup.sources, setup.make_logger)
    if stopped():
        print(f"stopped after {clock(listener.seconds)}", file=out)
    return listener.seconds


def _shared(setup: CalibrationSetup) -> frozenset[str]:
    return shared_names(label.name for label in setup.tuning.labels)


def _measure(setup: CalibrationSetup, log: SoundLog, start: float, stop: float) -> RoomStatistics:
    """Statistics of the part of the log between two times [s]."""
    statistics = setup.make_statistics()
    for item, seconds in timed(log, setup.spec.sample_rate):
        if start <= seconds <= stop:
            statistics.push(item, seconds)
    return statistics


def _find(
    request: CalibrateRequest,
    setup: CalibrationSetup,
    log: SoundLog,
    statistics: RoomStatistics,
    before: LogReplay,
) -> tuple[report.Findings, TrialSettings]:
    """Propose changes, test them on the whole log, and test the method on its two halves."""
    changes, floor = _propose(request, setup, statistics)
    changed = setup.compose(_to_make(changes), floor)
    after = _replayed(changed.replay(), log, setup)
    windows = max(1, statistics.votes.windows)
    shared = _shared(setup)
    findings = report.Findings(
        statistics=statistics,
        changes=changes,
        floor=floor,
        floor_was=setup.tuning.floor,
        before=report.EventCount(len(before.starts), before.windows / windows),
        after=report.EventCount(len(after.starts), after.windows / windows),
        remaining=[shown(event.label, shared) for _, event in after.starts],
        estimate=_estimate(request, setup, log, statistics.seconds, before),
        shared=shared,
    )
    return findings, changed


def _estimate(
    request: CalibrateRequest, setup: CalibrationSetup, log: SoundLog, seconds: float, before: LogReplay
) -> report.HalfEstimate | None:
    """Count the second half's events, before and after calibrating on the first; None if it is too short."""
    half = seconds / 2
    if half < LEAST_SECONDS:
        return None
    changes, floor = _propose(request, setup, _measure(setup, log, 0.0, half))
    after = _replayed(setup.compose(_to_make(changes), floor).replay(), log, setup)
    counts = [sum(at > half for at, _ in replay.starts) for replay in (before, after)]
    return report.HalfEstimate(*counts)


def _propose(
    request: CalibrateRequest, setup: CalibrationSetup, statistics: RoomStatistics
) -> tuple[list[Change], float | None]:
    tuning = setup.tuning
    changes = propose(
        tuning.labels,
        statistics.votes,
        on=tuning.on,
        off=tuning.off,
        seconds=statistics.seconds,
        keep=setup.kept,
        alarms=request.alarms,
    )
    return changes, choose_floor(statistics.floor, statistics.levels, tuning.floor)


def _to_make(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.kind is not ChangeKind.LEFT]


def _replayed(replay: LogReplay, log: SoundLog, setup: CalibrationSetup) -> LogReplay:
    for item, seconds in timed(log, setup.spec.sample_rate):
        replay.push(item, seconds)
    return replay


def _introduce(request: CalibrateRequest, setup: CalibrationSetup, out: TextIO) -> None:
    if request.quiet:
        return
    names = ", ".join(source.name for source in setup.sources)
    long = "" if request.seconds is None else f" for {clock(request.seconds)}"
    print_escaped(f"Listening to {names}{long}, model {setup.spec.name}.", out)
    if setup.sources[0].live:
        print("Let the room sound as it usually does; Ctrl-C ends early and still gives a result.", file=out)
    print("Events that the present settings report meanwhile:", file=out, flush=True)


def _check_enough(statistics: RoomStatistics, setup: CalibrationSetup) -> None:
    """DetectorError where it is too short, SourceError where there was no sound."""
    name = setup.sources[0].name
    if statistics.seconds < LEAST_SECONDS:
        raise DetectorError(
            f"calibrate needs at least {clock(LEAST_SECONDS)} of sound, got {clock(statistics.seconds)} "
            f"from {name}: listen longer"
        )
    if statistics.levels.percentile(90) < DIGITAL_SILENCE_DBFS:
        raise SourceError(f"{name} is digital silence: was the microphone muted or unplugged?")


def _say(findings: report.Findings, request: CalibrateRequest, out: TextIO) -> None:
    lines = [report.heard_line(findings), ""]
    if findings.changes or findings.floor is not None:
        lines += [*report.table(findings), ""]
    lines += report.verdict_lines(findings)
    print_escaped("\n".join(["", *lines]), out)


def _head(setup: CalibrationSetup, findings: report.Findings, began: datetime) -> list[str]:
    names = ", ".join(source.name for source in setup.sources)
    return [
        "Settings of sound-detector, calibrated to a room by `sound-detector calibrate`.",
        f"When: {began:%Y-%m-%d %H:%M:%S} UTC. Where: {names}. Model: {setup.spec.name}.",
        f"{report.heard_line(findings).replace('heard', 'Heard', 1)}.",
        *(line[0].upper() + line[1:] + "." for line in report.verdict_lines(findings)),
        f"Based on: {setup.origin}. What is not here has its default.",
    ]


def _check_out(path: Path, *, overwrite: bool) -> None:
    """ConfigError where the file could not be written; called before anybody listens for minutes."""
    if path.is_dir():
        raise ConfigError(f"--out {path}: expected a file, got a folder: name a file in it")
    if path.exists() and not overwrite:
        raise ConfigError(f"--out {path}: it exists; name another, or add --overwrite")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: expected its folder {path.parent} to be there: make it first")


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the whole file or nothing."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        if path.exists() and not overwrite:
            raise ConfigError(f"--out {path}: it was created meanwhile; name another, or add --overwrite")
        new.replace(path)
    except OSError as error:
        raise DetectorError(f"--out {path}: {error.strerror or error}") from error
    finally:
        new.unlink(missing_ok=True)
