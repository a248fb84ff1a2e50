"""Checks of a dataset before training; one line for each finding.

Clips that are no use (unreadable, silent, in several classes) are left out and named. A dataset that no model
can be trained on is a DatasetError.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detector.datasets.labelled_clips import BACKGROUND, Clip, class_of
from detector.errors import DatasetError, DetectorError
from detector.training.recording_stats import RecordingStats

SILENT_DBFS = -60.0
"""A clip whose largest sample is below this counts as silent."""

QUIET_DBFS = -40.0
"""A clip is of a quiet room where the RMS of most of its seconds is below this."""

FEW_CLIPS = 10
FEW_SOURCES = 3
LONG_SECONDS = 60.0
"""A longer clip usually holds more than one sound; it should be annotated instead."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about the data."""

    text: str
    """One line: what was found, in how many clips, what is done about it."""
    paths: tuple[Path, ...] = ()
    """The files concerned; empty where it is about no file."""
    left_out: bool = False
    """Whether these files were left out: the model learns nothing from them."""


def check_clips(
    clips: Sequence[Clip], stats: Sequence[RecordingStats | DetectorError]
) -> tuple[list[Clip], list[Finding]]:
    """Return the clips to learn from, and the findings; raises DatasetError."""
    findings: list[Finding] = []
    pairs = list(zip(clips, stats, strict=True))
    broken = [(clip, recording) for clip, recording in pairs if isinstance(recording, DetectorError)]
    if broken:
        text = f"cannot be read; the first: {broken[0][1]}"
        findings.append(_left_out(text, (clip for clip, _ in broken)))
    readable = [(clip, recording) for clip, recording in pairs if isinstance(recording, RecordingStats)]
    silent = {
        clip for clip, recording in readable if recording.peak_dbfs < SILENT_DBFS and not _is_background(clip)
    }
    if silent:
        findings.append(_left_out(f"silent (no sample above {SILENT_DBFS:g} dBFS)", silent))
    sounding = [(clip, recording) for clip, recording in readable if clip not in silent]
    contradicting, repeated = _copies(sounding)
    if contradicting:
        text = "the same sound as a clip of another class; keep each sound in one folder"
        findings.append(_left_out(text, contradicting))
    if repeated:
        findings.append(_left_out("copies of other clips of their class", repeated))
    out = set(contradicting) | set(repeated)
    kept = [(clip, recording) for clip, recording in sounding if clip not in out]
    long = [clip for clip, recording in kept if recording.seconds > LONG_SECONDS and not _is_background(clip)]
    if long:
        text = f"longer than {LONG_SECONDS:g} s: all of it is learned as its class; cut out the sound itself"
        findings.append(_finding(text, long))
    remaining = [clip for clip, _ in kept]
    check_classes(remaining)
    findings += find_small_classes(remaining)
    rooms = [recording.level_dbfs for clip, recording in kept if _is_background(clip)]
    if rooms and min(rooms) > QUIET_DBFS:
        findings.append(
            Finding(
                f"the background has no clip of a quiet room (its quietest is at {min(rooms):.0f} dBFS): "
                "artificial noise is used instead; a recording of your room is better: "
                "sound-detector record background"
            )
        )
    return remaining, findings


def check_classes(clips: Sequence[Clip]) -> None:
    """DatasetError where there are fewer than two classes, or a class has a single clip."""
    counts = Counter(class_of(clip.label) for clip in clips)
    if not set(counts) - {BACKGROUND}:
        raise DatasetError("no clip of a sound to learn is left; expected a folder of clips for each class")
    if len(counts) == 1:
        raise DatasetError(
            f"there is one class only, {next(iter(counts))!r}, and a model needs two; add a folder "
            "`background` with clips of the other sounds in that place"
        )
    if alone := [name for name, count in counts.items() if count == 1]:
        raise DatasetError(
            f"one clip is too few to train on and to test on: {', '.join(sorted(alone))}; "
            f"expected at least 2 for each class, better {FEW_CLIPS}"
        )


def find_small_classes(clips: Iterable[Clip]) -> list[Finding]:
    """Classes with few clips, or with many from few recordings."""
    sources: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for clip in clips:
        counts[class_of(clip.label)] += 1
        sources[class_of(clip.label)].add(clip.source)
    small = {name: count for name, count in sorted(counts.items()) if count < FEW_CLIPS}
    findings = []
    if small:
        named = ", ".join(f"{name} {count}" for name, count in small.items())
        findings.append(
            Finding(f"few clips (below {FEW_CLIPS} the figures and thresholds are unreliable): {named}")
        )
    narrow = [name for name in sorted(counts) if name not in small and len(sources[name]) < FEW_SOURCES]
    if narrow:
        named = ", ".join(f"{name} {len(sources[name])}" for name in narrow)
        findings.append(
            Finding(
                "classes whose clips are from very few recordings, so that a model may learn the recordings "
                f"rather than the sound: {named}"
            )
        )
    return findings


def find_shared_names(
    classes: Iterable[str], base_labels: Mapping[str, str], name: str, base: str
) -> list[Finding]:
    """Find classes that the base model has a label for; `base_labels`: lower-case name -> name."""
    both = sorted(base_labels[label.casefold()] for label in classes if label.casefold() in base_labels)
    if not both:
        return []
    return [
        Finding(
            f"{base} has labels of the same name: {', '.join(both)}; with --model {base}+{name} both are "
            "reported, and `model` in the event says which"
        )
    ]


def _copies(pairs: Sequence[tuple[Clip, RecordingStats]]) -> tuple[list[Clip], list[Clip]]:
    """Clips whose sound is in another class too, and those that are a copy of an earlier one."""
    alike: dict[str, list[Clip]] = defaultdict(list)
    for clip, recording in pairs:
        alike[recording.sound].append(clip)
    contradicting = [
        clip for same in alike.values() if len({class_of(c.label) for c in same}) > 1 for clip in same
    ]
    repeated = [clip for same in alike.values() for clip in same[1:]]
    return contradicting, [clip for clip in repeated if clip not in set(contradicting)]


def _finding(text: str, clips: Iterable[Clip]) -> Finding:
    paths = tuple(sorted(clip.path for clip in clips))
    return Finding(f"{len(paths)} {'clip' if len(paths) == 1 else 'clips'} {text}", paths)


def _left_out(text: str, clips: Iterable[Clip]) -> Finding:
    return replace(_finding(f"left out: {text}", clips), left_out=True)


def _is_background(clip: Clip) -> bool:
    return class_of(clip.label) == BACKGROUND
