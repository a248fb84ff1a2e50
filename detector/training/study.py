"""A dataset read, looked at and sorted out: what can be learned from, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.datasets.annotations import check_length
from detector.datasets.clips import read_dataset
from detector.errors import DatasetError, DetectorError
from detector.evaluation.command import find_recordings
from detector.evaluation.recordings import read_truths
from detector.training.care import Finding, sort_out
from detector.training.material import Material, from_clips, from_truths
from detector.training.recipe import Progress
from detector.training.survey import Look, look_at_all


@dataclass(frozen=True, slots=True)
class Study:
    """What a dataset turned out to be."""

    material: Material
    findings: tuple[Finding, ...]
    looks: tuple[Look, ...]
    """Of every recording that is learned from."""

    @property
    def paths(self) -> list[Path]:
        """Every recording, once."""
        return list(dict.fromkeys(example.path for example in self.material.examples))

    @property
    def seconds(self) -> float:
        """Sound in all of them."""
        return sum(look.seconds for look in self.looks)


def study_clips(root: Path, layout: str | None, *, seed: int, jobs: int, progress: Progress) -> Study:
    """A folder of clips, one class each; raises DatasetError."""
    dataset = read_dataset(root, layout)
    looks = look_at_all([clip.path for clip in dataset.clips], jobs=jobs, progress=progress)
    by_path = {clip.path: look for clip, look in zip(dataset.clips, looks, strict=True)}
    clips, findings = sort_out(dataset.clips, looks)
    material = from_clips(clips, seed=seed)
    return Study(material, tuple(findings), _known([by_path[clip.path] for clip in clips]))


def study_recordings(
    places: Sequence[Path],
    annotations: Path,
    *,
    stretch_seconds: float,
    seed: int,
    jobs: int,
    progress: Progress,
) -> Study:
    """Annotated recordings, cut into stretches; raises DatasetError, AnnotationError."""
    truths = read_truths(find_recordings(places), annotations)
    looks = look_at_all([truth.path for truth in truths], jobs=jobs, progress=progress)
    heard = [(truth, look) for truth, look in zip(truths, looks, strict=True) if isinstance(look, Look)]
    findings = []
    if broken := [str(look) for look in looks if isinstance(look, DetectorError)]:
        findings.append(
            Finding(f"{len(broken)} recordings cannot be read and left out; the first: {broken[0]}")
        )
    for truth, look in heard:
        check_length(truth.annotations, look.seconds, str(truth.annotated_in))
    seconds = {truth.path: look.seconds for truth, look in heard}
    material = from_truths([truth for truth, _ in heard], seconds, length=stretch_seconds, seed=seed)
    if not material.task.classes:
        raise DatasetError(f"{annotations}: nothing is annotated in {len(truths)} recordings")
    counts = dict(zip(material.task.classes, material.targets.sum(axis=0).astype(int).tolist(), strict=True))
    if rare := {name: count for name, count in counts.items() if count < 2}:
        raise DatasetError(
            f"sounds in fewer than 2 stretches of {stretch_seconds:g} s cannot be learned: {', '.join(rare)}"
        )
    return Study(material, tuple(findings), tuple(look for _, look in heard))


def _known(looks: Sequence[Look | DetectorError]) -> tuple[Look, ...]:
    return tuple(look for look in looks if isinstance(look, Look))
