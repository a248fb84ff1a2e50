"""`sound-detector calibrate`: listen, learn, propose, prove, write.

What needs settings is injected as a `Bench`; the order of things, and what is said about them, is here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from detector.calibration import report
from detector.calibration.bench import Bench, CalibrateRequest, Composed
from detector.calibration.configtext import config_text
from detector.calibration.display import clock
from detector.calibration.floor import choose_floor
from detector.calibration.learning import Learnt
from detector.calibration.listening import Listening, Stopped, stopping_on_signals
from detector.calibration.proposal import Change, Verdict, propose
from detector.calibration.replay import LogReplay, timed
from detector.calibration.soundlog import SoundLog
from detector.errors import ConfigError, DetectorError, SourceError
from detector.events.naming import shared_names, shown

LEAST_SECONDS = 60.0
"""Shorter listening says nothing about a room."""
DIGITAL_SILENCE_DBFS = -100.0
"""Below this there is no microphone: its noise, or 16-bit rounding alone (-101 dBFS), is louder."""


def calibrate(
    request: CalibrateRequest,
    bench: Bench,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    told: TextIO | None = None,
    written: TextIO | None = None,
) -> int:
    """Do it and return the exit status; raises DetectorError."""
    told, written = told or sys.stderr, written or sys.stdout
    if request.out is not None:
        _check_out(request.out, overwrite=request.overwrite)
    began = now()
    with closing(SoundLog(len(bench.spec.labels))) as log:
        before = bench.replay()
        with stopping_on_signals() as stopped:
            _introduce(request, bench, told)
            heard = _listen(request, bench, log, before, stopped, told)
        learnt = _learn(bench, log, 0.0, heard)
        _check_heard(learnt, bench)
        findings, composed = _find(request, bench, log, learnt, before)
    _say(findings, request, told)
    if findings.is_nothing:
        print("nothing to change, nothing written", file=told)
        return 0
    head = _head(bench, findings, began)
    text = config_text(head, composed.tree, report.comments(findings, composed.keys))
    if request.out is None:
        written.write(text)
        written.flush()
    else:
        _write(request.out, text, overwrite=request.overwrite)
        print(f"written: {request.out} ({bench.origin}; comments in there are not kept)", file=told)
        print(f"try it:  sound-detector --config {request.out}", file=told)
    return 0


def _listen(
    request: CalibrateRequest, bench: Bench, log: SoundLog, before: LogReplay, stopped: Stopped, told: TextIO
) -> float:
    """Hear everything; seconds heard."""
    listening = Listening(
        log,
        before,
        sample_rate=bench.spec.sample_rate,
        most_seconds=request.seconds,
        stopped=stopped,
        quiet=request.quiet,
        out=told,
        shared=_shared(bench),
    )
    listening.hear(bench.sources, bench.make_ear)
    if stopped():
        print(f"stopped after {clock(listening.seconds)}", file=told)
    return listening.seconds


def _shared(bench: Bench) -> frozenset[str]:
    return shared_names(label.name for label in bench.tuning.labels)


def _learn(bench: Bench, log: SoundLog, start: float, stop: float) -> Learnt:
    """All there is to learn between two seconds."""
    learnt = bench.learn()
    for item, seconds in timed(log, bench.spec.sample_rate):
        if start <= seconds <= stop:
            learnt.push(item, seconds)
    return learnt


def _find(
    request: CalibrateRequest, bench: Bench, log: SoundLog, learnt: Learnt, before: LogReplay
) -> tuple[report.Findings, Composed]:
    """Propose, try what was proposed on what was heard, and the same for the first half and the second."""
    changes, floor = _propose(request, bench, learnt)
    composed = bench.compose(_to_make(changes), floor)
    after = _replayed(composed.replay(), log, bench)
    windows = max(1, learnt.votes.windows)
    shared = _shared(bench)
    findings = report.Findings(
        learnt=learnt,
        changes=changes,
        floor=floor,
        floor_was=bench.tuning.floor,
        before=report.Told(len(before.starts), before.windows / windows),
        after=report.Told(len(after.starts), after.windows / windows),
        remaining=[shown(event.label, shared) for _, event in after.starts],
        estimate=_estimate(request, bench, log, learnt.seconds, before),
        shared=shared,
    )
    return findings, composed


def _estimate(
    request: CalibrateRequest, bench: Bench, log: SoundLog, seconds: float, before: LogReplay
) -> report.Estimate | None:
    """Events of the second half, before and after calibrating on the first; None where it is too short."""
    half = seconds / 2
    if half < LEAST_SECONDS:
        return None
    changes, floor = _propose(request, bench, _learn(bench, log, 0.0, half))
    after = _replayed(bench.compose(_to_make(changes), floor).replay(), log, bench)
    counts = [sum(at > half for at, _ in replay.starts) for replay in (before, after)]
    return report.Estimate(*counts)


def _propose(request: CalibrateRequest, bench: Bench, learnt: Learnt) -> tuple[list[Change], float | None]:
    tuning = bench.tuning
    changes = propose(
        tuning.labels,
        learnt.votes,
        on=tuning.on,
        off=tuning.off,
        seconds=learnt.seconds,
        keep=bench.kept,
        alarms=request.alarms,
    )
    return changes, choose_floor(learnt.floor, learnt.levels, tuning.floor)


def _to_make(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.verdict is not Verdict.LEFT]


def _replayed(replay: LogReplay, log: SoundLog, bench: Bench) -> LogReplay:
    for item, seconds in timed(log, bench.spec.sample_rate):
        replay.push(item, seconds)
    return replay


def _introduce(request: CalibrateRequest, bench: Bench, told: TextIO) -> None:
    if request.quiet:
        return
    names = ", ".join(source.name for source in bench.sources)
    long = "" if request.seconds is None else f" for {clock(request.seconds)}"
    print(f"Listening to {names}{long}, model {bench.spec.name}.", file=told)
    if bench.sources[0].live:
        print("Let the room sound as it always does; Ctrl-C ends early and keeps what was learnt.", file=told)
    print("What would have been told meanwhile:", file=told, flush=True)


def _check_heard(learnt: Learnt, bench: Bench) -> None:
    """Whether it is enough to learn from, and a sound at all."""
    name = bench.sources[0].name
    if learnt.seconds < LEAST_SECONDS:
        raise DetectorError(
            f"calibrate needs at least {clock(LEAST_SECONDS)} of sound, got {clock(learnt.seconds)} "
            f"from {name}: listen longer"
        )
    if learnt.levels.percentile(90) < DIGITAL_SILENCE_DBFS:
        raise SourceError(f"{name} is digital silence: was the microphone muted or unplugged?")


def _say(findings: report.Findings, request: CalibrateRequest, told: TextIO) -> None:
    lines = [report.heard_line(findings), ""]
    if findings.changes or findings.floor is not None:
        lines += [*report.table(findings), ""]
    lines += report.verdict_lines(findings)
    print("\n".join(["", *lines]), file=told)


def _head(bench: Bench, findings: report.Findings, began: datetime) -> list[str]:
    names = ", ".join(source.name for source in bench.sources)
    return [
        "Settings of sound-detector, calibrated to a room by `sound-detector calibrate`.",
        f"When: {began:%Y-%m-%d %H:%M:%S} UTC. Where: {names}. Model: {bench.spec.name}.",
        f"{report.heard_line(findings).replace('heard', 'Heard', 1)}.",
        *(line[0].upper() + line[1:] + "." for line in report.verdict_lines(findings)),
        f"Based on: {bench.origin}. What is not here has its default.",
    ]


def _check_out(path: Path, *, overwrite: bool) -> None:
    """Before anybody listens for minutes."""
    if path.is_dir():
        raise ConfigError(f"--out {path}: expected a file, got a folder: name a file in it")
    if path.exists() and not overwrite:
        raise ConfigError(f"--out {path}: it exists; name another, or add --overwrite")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: expected its folder {path.parent} to be there: make it first")


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    """All of it or nothing."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        if path.exists() and not overwrite:
            raise ConfigError(f"--out {path}: it exists meanwhile; name another, or add --overwrite")
        new.replace(path)
    except OSError as error:
        raise DetectorError(f"--out {path}: {error.strerror or error}") from error
    finally:
        new.unlink(missing_ok=True)
