"""A dataset made ready for training: read, measured, checked, as examples with targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.datasets.annotations import check_length
from detector.datasets.labelled_clips import read_dataset
from detector.datasets.truths import find_sound_files, read_truths
from detector.errors import DatasetError, DetectorError
from detector.training.dataset_checks import Finding, check_clips
from detector.training.examples import ExampleSet, from_clips, from_truths
from detector.training.recording_stats import RecordingStats, measure_recordings
from detector.workers.progress import Progress


@dataclass(frozen=True, slots=True)
class PreparedDataset:
    """What there is to learn from, and what was found in it."""

    example_set: ExampleSet
    findings: tuple[Finding, ...]
    stats: tuple[RecordingStats, ...]
    """Of every recording that is learned from."""

    @property
    def paths(self) -> list[Path]:
        """Every recording, once."""
        return list(dict.fromkeys(example.path for example in self.example_set.examples))

    @property
    def seconds(self) -> float:
        """Length of all of them."""
        return sum(one.seconds for one in self.stats)


def prepare_clips(
    root: Path, layout: str | None, *, seed: int, jobs: int, progress: Progress
) -> PreparedDataset:
    """A folder of clips, one class each; raises DatasetError."""
    dataset = read_dataset(root, layout)
    stats = measure_recordings([clip.path for clip in dataset.clips], jobs=jobs, progress=progress)
    by_path = {clip.path: one for clip, one in zip(dataset.clips, stats, strict=True)}
    clips, findings = check_clips(dataset.clips, stats)
    example_set = from_clips(clips, seed=seed)
    return PreparedDataset(example_set, tuple(findings), _known([by_path[clip.path] for clip in clips]))


def prepare_recordings(
    paths: Sequence[Path],
    annotations: Path,
    *,
    section_seconds: float,
    seed: int,
    jobs: int,
    progress: Progress,
) -> PreparedDataset:
    """Annotated recordings, cut into sections; raises DatasetError, AnnotationError."""
    truths = read_truths(find_sound_files(paths), annotations)
    stats = measure_recordings([truth.path for truth in truths], jobs=jobs, progress=progress)
    readable = [
        (truth, one) for truth, one in zip(truths, stats, strict=True) if isinstance(one, RecordingStats)
    ]
    findings = []
    if broken := [str(one) for one in stats if isinstance(one, DetectorError)]:
        text = f"{len(broken)} recordings left out: cannot be read; the first: {broken[0]}"
        findings.append(Finding(text, left_out=True))
    for truth, one in readable:
        check_length(truth.annotations, one.seconds, str(truth.annotated_in))
    seconds = {truth.path: one.seconds for truth, one in readable}
    example_set = from_truths([truth for truth, _ in readable], seconds, length=section_seconds, seed=seed)
    if not example_set.task.classes:
        raise DatasetError(f"{annotations}: nothing is annotated in {len(truths)} recordings")
    counts = dict(
        zip(example_set.task.classes, example_set.targets.sum(axis=0).astype(int).tolist(), strict=True)
    )
    if rare := {name: count for name, count in counts.items() if count < 2}:
        raise DatasetError(
            f"sounds in fewer than 2 sections of {section_seconds:g} s cannot be learned: {', '.join(rare)}"
        )
    return PreparedDataset(example_set, tuple(findings), tuple(one for _, one in readable))


def _known(stats: Sequence[RecordingStats | DetectorError]) -> tuple[RecordingStats, ...]:
    return tuple(one for one in stats if isinstance(one, RecordingStats))
