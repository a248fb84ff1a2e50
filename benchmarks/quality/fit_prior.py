"""Measure the priors of YAMNet and mn04 on ESC-10 and write models/NAME/prior.csv.

A label's prior is its mean log-odds over the clips in which it does not sound: those of the other classes,
a class being the labels of `classes`, what is above them and what is below them. A model's priors
have zero mean; none is above 2, or what half the recordings contain would hardly be heard at all. The first
second of a clip is left out, where the windows still hold the silence before it.

ESC-10 (K. J. Piczak, 2015) is licensed CC BY 3.0, so what is measured on it may be shipped.

    python -m benchmarks.quality.fit_prior [--cache FOLDER]
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.quality.classes import ALSO_CALLED, LABELS
from benchmarks.quality.clips import esc10
from benchmarks.quality.hearing import hear_all
from detector.backends.bundle import load_bundle
from detector.records import Label

SKIPPED = 4
"""Windows at a clip's beginning, 0.24 s apart."""
HIGHEST = 2.0
"""Log-odds."""


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.fit_prior", description=__doc__)
    parser.add_argument("--cache", type=Path, help="folder for the networks' scores")
    arguments = parser.parse_args()
    clips = esc10(None)
    if not clips:
        raise SystemExit("no ESC-10 clips: set SOUND_DETECTOR_DATA")
    heard = hear_all(clips, "clean", arguments.cache, "ESC-10")
    kinds = [ALSO_CALLED[clip.kind] for clip in clips]
    for name, scores in (("yamnet", [x.yamnet for x in heard]), ("mn04", [x.mn04 for x in heard])):
        labels = load_bundle(ROOT / "models" / name).spec.labels
        values = _prior(labels, kinds, scores)
        path = ROOT / "models" / name / "prior.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("mid", "prior"))
            writer.writerows(
                (label.class_id, f"{value:.2f}") for label, value in zip(labels, values, strict=True)
            )
        highest = [labels[i].name for i in np.argsort(-values)[:8]]
        print(f"{path}: {values.min():.1f} to {values.max():.1f}, most for {'; '.join(highest)}")


def _prior(
    labels: Sequence[Label], kinds: Sequence[str], scores: Sequence[NDArray[np.float32]]
) -> NDArray[np.float64]:
    away = {kind: ~_family(labels, LABELS[kind]) for kind in set(kinds)}
    counts = np.sum([away[kind] for kind in kinds], axis=0)
    means = [clip[SKIPPED:].mean(axis=0) * away[kind] for kind, clip in zip(kinds, scores, strict=True)]
    prior = np.sum(means, axis=0) / counts
    values: NDArray[np.float64] = np.minimum(prior - prior.mean(), HIGHEST)
    return values


def _family(labels: Sequence[Label], names: Sequence[str]) -> NDArray[np.bool_]:
    """Which labels are these, above them or below them."""
    own = [label for label in labels if label.name in names]
    ids = {label.class_id for label in own}
    above = set().union(*(label.ancestors for label in own))
    return np.array(
        [label.class_id in ids | above or bool(label.ancestors & ids) for label in labels], dtype=np.bool_
    )


if __name__ == "__main__":
    main()
