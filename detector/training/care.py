"""What is wrong with a dataset, found before anything is learned from it; one line for each finding.

What cannot teach anything (unreadable, silent, contradicting itself) is left out and named; what makes
learning impossible is a DatasetError.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.datasets.clips import Clip
from detector.errors import DatasetError, DetectorError
from detector.training.material import BACKGROUND, class_of
from detector.training.survey import Look

SILENT_DBFS = -60.0
"""A clip whose largest sample is below this holds nothing that could be learned."""

QUIET_DBFS = -40.0
"""A room is quiet where the RMS of most seconds is below this."""

FEW_CLIPS = 10
FEW_SOURCES = 3
LONG_SECONDS = 60.0
"""A clip this long holds more than one sound; annotations would say where."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about the data."""

    text: str
    """One line: what, how much of it, what is done about it."""
    paths: tuple[Path, ...] = ()
    """The files it is about, where it is about files."""


def sort_out(
    clips: Sequence[Clip], looks: Sequence[Look | DetectorError]
) -> tuple[list[Clip], list[Finding]]:
    """The clips that can teach something, and what was found; raises DatasetError."""
    findings: list[Finding] = []
    seen = list(zip(clips, looks, strict=True))
    broken = [(clip, look) for clip, look in seen if isinstance(look, DetectorError)]
    if broken:
        why = f"the first: {broken[0][1]}"
        findings.append(_finding(f"cannot be read and left out; {why}", (clip for clip, _ in broken)))
    readable = [(clip, look) for clip, look in seen if isinstance(look, Look)]
    silent = {clip for clip, look in readable if look.peak_dbfs < SILENT_DBFS and not _is_background(clip)}
    if silent:
        findings.append(_finding(f"silent (no sample above {SILENT_DBFS:g} dBFS) and left out", silent))
    sounding = [(clip, look) for clip, look in readable if clip not in silent]
    contradicting, repeated = _copies(sounding)
    if contradicting:
        text = "the same sound in several classes and left out; keep each in one folder"
        findings.append(_finding(text, contradicting))
    if repeated:
        findings.append(_finding("copies of others in their class and left out", repeated))
    out = set(contradicting) | set(repeated)
    kept = [(clip, look) for clip, look in sounding if clip not in out]
    long = [clip for clip, look in kept if look.seconds > LONG_SECONDS and not _is_background(clip)]
    if long:
        text = f"longer than {LONG_SECONDS:g} s, all of it taken for its class; cut out what sounds"
        findings.append(_finding(text, long))
    remaining = [clip for clip, _ in kept]
    check_classes(remaining)
    findings += few(remaining)
    rooms = [look.level_dbfs for clip, look in kept if _is_background(clip)]
    if rooms and min(rooms) > QUIET_DBFS:
        findings.append(
            Finding(
                f"the background holds no quiet room (its quietest clip is at {min(rooms):.0f} dBFS): "
                "artificial noise stands in for it; yours is better: sound-detector record background"
            )
        )
    return remaining, findings


def check_classes(clips: Sequence[Clip]) -> None:
    """DatasetError where there is nothing to tell apart, or a class of which nothing could be tried out."""
    counts = Counter(class_of(clip.label) for clip in clips)
    if not set(counts) - {BACKGROUND}:
        raise DatasetError("no clip of a sound to learn is left; expected a folder of clips for each class")
    if len(counts) == 1:
        raise DatasetError(
            f"there is one class only, {next(iter(counts))!r}: nothing to tell it from; add a folder "
            "`background` with clips of what else is heard in that place"
        )
    if alone := [name for name, count in counts.items() if count == 1]:
        raise DatasetError(
            f"one clip is too few to learn from and to try out: {', '.join(sorted(alone))}; "
            f"expected at least 2 for each class, better {FEW_CLIPS}"
        )


def few(clips: Iterable[Clip]) -> list[Finding]:
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
            Finding(f"few clips (below {FEW_CLIPS} figures mean little and thresholds are guesses): {named}")
        )
    narrow = [name for name in sorted(counts) if name not in small and len(sources[name]) < FEW_SOURCES]
    if narrow:
        named = ", ".join(f"{name} {len(sources[name])}" for name in narrow)
        findings.append(
            Finding(f"clips from very few recordings, which teach these more than the sound: {named}")
        )
    return findings


def clashes(classes: Iterable[str], base_labels: Mapping[str, str], name: str, base: str) -> list[Finding]:
    """Classes that the base names too; `base_labels`: lower-case name -> name."""
    both = sorted(base_labels[label.casefold()] for label in classes if label.casefold() in base_labels)
    if not both:
        return []
    return [
        Finding(
            f"{base} has a label of this name too: {', '.join(both)}; with --model {base}+{name} both are "
            "reported, told apart by `model`"
        )
    ]


def _copies(seen: Sequence[tuple[Clip, Look]]) -> tuple[list[Clip], list[Clip]]:
    """Clips whose sound lies in another class too, and those that are a copy of an earlier one."""
    alike: dict[str, list[Clip]] = defaultdict(list)
    for clip, look in seen:
        alike[look.sound].append(clip)
    contradicting = [
        clip for same in alike.values() if len({class_of(c.label) for c in same}) > 1 for clip in same
    ]
    repeated = [clip for same in alike.values() for clip in same[1:]]
    return contradicting, [clip for clip in repeated if clip not in set(contradicting)]


def _finding(text: str, clips: Iterable[Clip]) -> Finding:
    paths = tuple(sorted(clip.path for clip in clips))
    return Finding(f"{len(paths)} {'clip' if len(paths) == 1 else 'clips'} {text}", paths)


def _is_background(clip: Clip) -> bool:
    return class_of(clip.label) == BACKGROUND
