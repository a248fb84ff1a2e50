"""Which rise of the level was the onset of the sound that a label was confirmed for.

A model is often sure of a sound seconds after it began: a rooster's first note is any note. So the
beginning is looked for up to `REACH_SECONDS` back, among the moments at which the level of some band
rose: where the mean of 0.3 s is more than 1 dB above the mean of the 0.3 s before, and nowhere within
0.2 s by more. Four things speak for a candidate:

- how much it rose: the square root of the rise, averaged over the bands, at most 15 dB;
- how long the sound stayed: the share of frames since then with a band 3 dB over what was before;
- the model's scores: windows that end later should score, windows that end earlier should not. As in a
  sequential test the log-odds add up, each counted from 4 below the label's threshold, at most 2, and for
  as long as the time since the window before;
- how late it is: 0.2 less for each second back.

The weights were fitted on soundscapes over pink noise and seven real backgrounds, the choice right in 85
to 89 % of sounds where the former rule (the last upward crossing of the 10 s floor + 3 dB) had 56 to
59 %; docs/quality.md lists what else was tried.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REACH_SECONDS = 4.6
"""How far before the end of the first window that scored a sound may have begun."""
MEAN_SECONDS = 0.3
"""Levels are compared as means over this long, before and after a moment."""
NEIGHBOUR_SECONDS = 0.2
LEAST_RISE_DB = 1.0
MOST_RISE_DB = 15.0
SILENT_DB = -95.0
OUT_OF_SILENCE_DB = 5.0
"""What a rise out of digital silence counts: there a microphone, not a sound, may have been switched on."""
STAYS_DB = 3.0
SCORED_LOG_ODDS = -4.0
"""Over the threshold: above this a score speaks for the sound, below it against."""
CLEAR_LOG_ODDS = 2.0
"""No window counts for more than this."""
LATE_SECONDS = 0.35
"""How much of a sound a window must contain before its score counts."""
PAST_SECONDS = 2.0
"""Windows before a candidate that are asked."""

CLEAR_RISE_DB = 25.0
"""A sound with a band that rises by this needs to reach its threshold and no more."""
RISE_LOG_ODDS = 1.5
"""What it must score over its threshold for each 1 by which the root of its rise is below that of 25 dB."""

RISE_WEIGHT = 0.8
STAY_WEIGHT = 1.65
SCORE_WEIGHT = 0.5
AGE_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class Onset:
    """When a sound began, and how clearly."""

    sample: int
    rise_db: float | None
    """How much the level of the band rose that rose most [dB]; None where the stream begins with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The scores that the last windows gave one label."""

    stops: NDArray[np.int64]
    """Shape (windows,): where each ended [samples]."""
    excess: NDArray[np.float64]
    """Shape (windows,): log-odds of its score over those of the label's threshold."""
    seconds: NDArray[np.float64]
    """Shape (windows,): how long before it the one before ended."""


class RecentWindows:
    """The scores of the newest windows: what they say of a label is evidence of its onset.

    `windows`: how many are kept; `hop` and `longest_hop` [samples] as in EventTracker.
    """

    def __init__(self, *, windows: int, hop: int, longest_hop: int, sample_rate: int) -> None:
        self._recent: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=windows)
        self._hop = hop
        self._longest_hop = longest_hop
        self._sample_rate = sample_rate

    def push(self, stop: int, values: NDArray[np.float32]) -> None:
        """Add the scores (labels,) of a window that ended at this sample."""
        self._recent.append((stop, values))

    def evidence(self, label_index: int, threshold: float) -> Evidence:
        """What they say of a label whose threshold is given [log-odds]; needs a window."""
        stops = np.array([stop for stop, _ in self._recent])
        between = np.minimum(np.diff(stops, prepend=stops[0] - self._hop), self._longest_hop)
        scores = np.array([values[label_index] for _, values in self._recent])
        return Evidence(stops=stops, excess=log_odds(scores) - threshold, seconds=between / self._sample_rate)


def wanted_log_odds(onset: Onset) -> float:
    """How far over its threshold a sound must score, by how clearly it began [log-odds].

    Whatever a background is taken for, it seldom rises; a sound that somebody would notice does.
    """
    if onset.rise_db is None:
        return 0.0
    return RISE_LOG_ODDS * max(0.0, math.sqrt(CLEAR_RISE_DB) - math.sqrt(onset.rise_db))


def log_odds(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of scores 0..1, within -9.2..9.2."""
    inside = np.clip(scores.astype(np.float64), 1e-4, 1 - 1e-4)
    odds: NDArray[np.float64] = np.log(inside / (1 - inside))
    return odds


def find_onset(
    levels: NDArray[np.float64],
    *,
    first: int,
    per_second: float,
    ends: NDArray[np.float64],
    excess: NDArray[np.float64],
    seconds: NDArray[np.float64],
) -> tuple[int, float] | None:
    """Row of `levels` at which the sound began and the rise there [dB]; None where nothing rose.

    `levels` [dB] has shape (frames, bands), `per_second` frames to a second; rows before `first` only show
    what was before. `ends` [s]: where windows ended, counted from the end of `levels`; `excess` and
    `seconds` as in Evidence.
    """
    mean = max(1, round(MEAN_SECONDS * per_second))
    if len(levels) <= mean:
        return None
    rows, before, rise = _rises(levels, mean)
    near = max(1, round(NEIGHBOUR_SECONDS * per_second))
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(rise, near), 2 * near + 1).max(axis=1)
    most = np.where((before <= SILENT_DB).all(axis=1), OUT_OF_SILENCE_DB, MOST_RISE_DB)
    best = -np.inf
    chosen: tuple[int, float] | None = None
    for candidate in np.flatnonzero((rise >= highest) & (rise > LEAST_RISE_DB) & (rows >= first)):
        row = int(rows[candidate])
        age = (len(levels) - row) / per_second
        stays = float((levels[row:] > before[candidate] + STAYS_DB).any(axis=1).mean())
        value = (
            RISE_WEIGHT * min(float(rise[candidate]), float(most[candidate])) ** 0.5
            + STAY_WEIGHT * stays
            + SCORE_WEIGHT * _evidence_for(ends + age, excess, seconds)
            - AGE_WEIGHT * age
        )
        if value > best:
            best = value
            shift = _until_risen(levels[row : row + mean], before[candidate], float(rise[candidate]))
            chosen = row + shift, _highest_rise(levels[row : row + mean], before[candidate])
    return chosen


def _highest_rise(after: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """How much the band rose that rose most [dB], from levels (bands,) to the mean of (frames, bands)."""
    return max(0.0, float((after.mean(axis=0) - before).max()))


def _until_risen(levels: NDArray[np.float64], before: NDArray[np.float64], rise: float) -> int:
    """Rows until half of the rise is there: before a click, the mean over 0.3 s is as high already."""
    risen = np.maximum(levels - before, 0).mean(axis=1) >= rise / 2
    return int(risen.argmax())


def _rises(
    levels: NDArray[np.float64], mean: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Rows, the mean level before each (rows, bands), and how much it rose there (rows,) [dB]."""
    rows = np.arange(mean, len(levels))
    sums = np.concatenate((np.zeros((1, levels.shape[1])), np.cumsum(levels, axis=0)))
    ends = np.minimum(rows + mean, len(levels))
    before = (sums[rows] - sums[rows - mean]) / mean
    after = (sums[ends] - sums[rows]) / (ends - rows)[:, np.newaxis]
    return rows, before, np.maximum(after - before, 0).mean(axis=1)


def _evidence_for(
    ends: NDArray[np.float64], excess: NDArray[np.float64], seconds: NDArray[np.float64]
) -> float:
    """How much the windows that end so long after a moment [s] speak for it [log-odds x s]."""
    clear = seconds * np.clip(excess - SCORED_LOG_ODDS, -CLEAR_LOG_ODDS, CLEAR_LOG_ODDS)
    later = ends > LATE_SECONDS
    return float(clear[later].sum() - clear[~later & (ends > -PAST_SECONDS)].sum())
