"""PSDS of sed_scores_eval (J. Ebbers, R. Serizel, R. Haeb-Umbach, 2022): every threshold at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.backends.extra_packages import needed
from detector.datasets.annotations import Annotation
from detector.evaluation.recording_scorer import RecordingScores

SCENARIOS: Mapping[str, Mapping[str, float | None]] = {
    "PSDS1": {
        "dtc_threshold": 0.7,
        "gtc_threshold": 0.7,
        "cttc_threshold": None,
        "alpha_ct": 0.0,
        "alpha_st": 1.0,
        "max_efpr": 100.0,
    },
    "PSDS2": {
        "dtc_threshold": 0.1,
        "gtc_threshold": 0.1,
        "cttc_threshold": 0.3,
        "alpha_ct": 0.5,
        "alpha_st": 1.0,
        "max_efpr": 100.0,
    },
}
"""The two of DCASE 2021 task 4: the first demands exact times, the second correct classes."""

POINT_SECONDS = 0.001
"""Length of a sound that is annotated by its onset alone; the metrics refuse what has none."""


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """Independent of every threshold and of voting."""

    psds: Mapping[str, float]
    """Scenario -> 0..1."""
    classes: Mapping[str, Mapping[str, float]]
    """Scenario -> class -> 0..1."""


def score_figures(
    truths: Sequence[Sequence[Annotation]],
    recordings: Sequence[RecordingScores],
    classes: Sequence[str],
    window_seconds: float,
    hop_seconds: float,
    steady_hop_seconds: float,
) -> ScoreFigures:
    """Both scenarios over all recordings; classes that never sound are left out."""
    psds = needed("sed_scores_eval", "sed_scores_eval").intersection_based.psds
    frame = needed("sed_scores_eval.base_modules.scores", "sed_scores_eval").create_score_dataframe
    sounds = [_within(truth, one.seconds) for truth, one in zip(truths, recordings, strict=True)]
    present = sorted({label for own in sounds for _, _, label in own})
    if not present:
        return ScoreFigures({}, {})
    columns = [list(classes).index(name) for name in present]
    scores, ground_truth, durations = {}, {}, {}
    for number, (own, one) in enumerate(zip(sounds, recordings, strict=True)):
        times, values = score_track(one, window_seconds, hop_seconds, steady_hop_seconds)
        name = str(number)
        scores[name] = frame(values[:, columns], times, present)
        ground_truth[name] = own
        durations[name] = one.seconds
    overall, by_class = {}, {}
    for scenario, settings in SCENARIOS.items():
        single = dict(settings)
        if len(present) < 2:  # there is no other class to be confused with, and no deviation
            single |= {"alpha_ct": 0.0, "alpha_st": 0.0, "cttc_threshold": None}
        value, shares, *_ = psds(
            scores=scores, ground_truth=ground_truth, audio_durations=durations, **single
        )
        overall[scenario] = float(value)
        by_class[scenario] = {name: float(share) for name, share in shares.items()}
    return ScoreFigures(overall, by_class)


def _within(truth: Sequence[Annotation], seconds: float) -> list[tuple[float, float, str]]:
    """Onset, offset [s] and label of what sounds within a recording; a point label gets a length."""
    ends = [(sound, min(max(sound.offset, sound.onset + POINT_SECONDS), seconds)) for sound in truth]
    return [(sound.onset, end, sound.label) for sound, end in ends if sound.onset < end]


def score_track(
    recording: RecordingScores, window_seconds: float, hop_seconds: float, steady_hop_seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores on a grid of hops: the borders (n + 1,) [s] and the values (n, classes).

    The score of a window counts for the hop around its centre, and until that of the next window where this
    follows within `steady_hop_seconds`; where the gate was closed it is 0.
    """
    count = max(1, int(np.ceil(round(recording.seconds / hop_seconds, 6))))
    values = np.zeros((count, recording.scores.shape[1]))
    centres = recording.stops - window_seconds / 2
    hops = np.floor(np.round(centres / hop_seconds, 6)).astype(int)
    until = np.append(hops[1:], hops[-1:] + 1)
    until = np.where((until - hops) * hop_seconds <= steady_hop_seconds + 1e-6, until, hops + 1)
    for later in range(max(1, round(steady_hop_seconds / hop_seconds))):
        counts = (hops + later >= 0) & (hops + later < count) & ((later == 0) | (hops + later < until))
        np.maximum.at(values, hops[counts] + later, recording.scores[counts])
    borders = np.minimum(np.arange(count + 1) * hop_seconds, recording.seconds)
    return borders, values
