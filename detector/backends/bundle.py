"""A model bundle: the folder models/<name>/ with model.yaml, labels.csv and perhaps ontology.csv.

Reading is strict: a key that is unknown, missing or of the wrong type, and keys that contradict each other,
are a ModelError of one line that names file, line and key. docs/models.md explains every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from detector.audio.logmel import LogMelParams
from detector.backends.labelfiles import read_everyday, read_labels, read_ontology, read_prior
from detector.backends.modelkeys import (
    RUNTIMES,
    FileKind,
    FileSource,
    HeadYaml,
    Member,
    ModelFile,
    ModelYaml,
    Runtime,
)
from detector.backends.modelyaml import Refuse, read_model_yaml
from detector.config.wording import did_you_mean
from detector.records import Label, ModelSpec

__all__ = [
    "RUNTIMES",
    "Bundle",
    "FileKind",
    "FileSource",
    "HeadYaml",
    "Member",
    "ModelFile",
    "Runtime",
    "load_bundle",
]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything about a model but its weights."""

    folder: Path
    """Where model.yaml lies."""
    spec: ModelSpec
    """Labels, thresholds, sample rate and window."""
    description: str
    licence: str
    """SPDX identifier."""
    attribution: str
    """Who made it, and under what terms its parts are used."""
    front_end: LogMelParams | None
    """How to make patches for files whose input is `logmel`."""
    files: Mapping[FileKind, ModelFile]
    prior: tuple[float, ...] = ()
    """Subtracted from each label's log-odds; empty where nothing is."""
    members: tuple[Member, ...] = ()
    """The models that are combined; empty for a single network."""
    bias: float = 0.0
    """Added to the sum of their log-odds."""
    head: HeadYaml | None = None
    """For a head, the model whose embedding it classifies instead of sound."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures of its training, shown by `models info`."""


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle from its folder; ModelError says what is wrong and in which line."""
    yaml, refuse = read_model_yaml(folder / "model.yaml")
    ancestors = read_ontology(folder / yaml.ontology) if yaml.ontology else {}
    labels = read_labels(folder / yaml.labels, yaml.name, ancestors)
    if yaml.everyday:
        labels = read_everyday(folder / yaml.everyday, labels)
    if yaml.head is not None:
        labels = tuple(replace(label, taught=True) for label in labels)
    _check_thresholds(yaml, labels, refuse)
    prior = read_prior(folder / yaml.prior, labels) if yaml.prior else ()
    return Bundle(
        folder=folder,
        spec=ModelSpec(
            name=yaml.name,
            labels=labels,
            sample_rate=yaml.sample_rate,
            window=yaml.window,
            threshold_on=yaml.threshold_on,
            thresholds=dict(yaml.thresholds),
        ),
        description=yaml.description,
        licence=yaml.licence,
        attribution=yaml.attribution.strip(),
        front_end=_front_end(yaml),
        files=yaml.files.given,
        prior=tuple(yaml.prior_weight * value for value in prior),
        members=yaml.members,
        bias=yaml.bias,
        head=yaml.head,
        metrics=dict(yaml.metrics),
    )


def _check_thresholds(yaml: ModelYaml, labels: tuple[Label, ...], refuse: Refuse) -> None:
    names = [label.name for label in labels]
    for name, threshold in [("", yaml.threshold_on), *yaml.thresholds.items()]:
        key = f"thresholds.{name}" if name else "threshold_on"
        if name and name not in names:
            refuse(key, f"expected a name from {yaml.labels}; {did_you_mean(name, names)}".rstrip("; "))
        if not 0.0 < threshold <= 1.0:
            refuse(key, f"expected a score above 0 and at most 1, got {threshold}")


def _front_end(yaml: ModelYaml) -> LogMelParams | None:
    given = yaml.front_end
    if given is None:
        return None
    return LogMelParams(
        sample_rate=yaml.sample_rate,
        frame=given.frame,
        hop=given.hop,
        fft=given.fft,
        bands=given.bands,
        low_hz=given.low_hz,
        high_hz=given.high_hz,
        log_offset=given.log_offset,
        power=given.power,
        preemphasis=given.preemphasis,
        centred=given.centred,
    )
