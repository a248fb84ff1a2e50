"""Bursts of beeps: where in the newest spectra one of a rhythm's bursts has just ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.alarms.rhythms import Rhythm
from detector.alarms.tones import BATCH_FRAMES, ToneHistory

TEMPI = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
"""Factors of the rhythm's times that are tried."""
BEEP_DB = 4.5
"""A beep whose level is so far from that of the others is not one of them."""
MOST_CANDIDATES = 8
"""Tones that are looked at in one batch, the loudest first: a machine may hum at more pitches."""
TONAL_SHARE = 0.6
"""Share of the beeps' frames in which the tone stands out."""
LOUD_SHARE = 0.35
LOUD_PERCENTILE = 35
"""The tone has this share of the power, 125-7500 Hz, in all frames of the beeps but so many percent."""
DEEPEST_DB = 12.0
"""Silence counts as no deeper below the beeps, so that a sound which fills half of a gap fills it."""
EDGE_DB = 6.0
"""A beep begins and ends where its tone is so far below its usual level."""
CONTRAST_DB = 3.0
"""Beeps are louder than the gaps between them by this, on average."""
ECHO_CONTRAST_DB = 1.5
"""The same where no beep is missing: an echo fills the gaps, and takes away no beep."""


@dataclass(frozen=True, slots=True)
class Burst:
    """One burst at one pitch."""

    start: float
    """Frame at which its first beep began."""
    stop: float
    """Frame at which its last beep ended."""
    step: float
    """Frames from beep to beep."""
    bin: int
    hertz: float
    level_dbfs: float
    """Of the tone."""
    lost_beeps: int
    """Beeps that were missing or drowned."""
    noisy_gaps: int
    """Parts that ought to be quiet and were not."""
    contrast_db: float
    power: float
    """Median mean square of its beeps' frames, 125-7500 Hz."""


class BurstFinder:
    """Finds bursts of one rhythm; `frame_seconds` is the length of a frame [s]."""

    def __init__(self, rhythm: Rhythm, *, frame_seconds: float) -> None:
        self.rhythm = rhythm
        slots = rhythm.slots
        steps = np.array(TEMPI) * (rhythm.step_seconds / frame_seconds)
        phases = np.arange(0, BATCH_FRAMES, rhythm.phase_seconds / frame_seconds)
        last = max(slot.stop for slot in slots)
        step, phase = (grid.ravel() for grid in np.meshgrid(steps, phases, indexing="ij"))
        self._steps = step
        self._starts = -phase - last * step  # of the burst, from the newest frame
        edges = np.array([[slot.start, slot.stop] for slot in slots])
        bounds = self._starts[:, None, None] + edges * step[:, None, None]
        self.frames = int(np.ceil(-bounds.min())) + 1
        bounds += self.frames
        self._whole = np.floor(bounds).astype(np.int64)
        self._part = (bounds - self._whole)[..., None]
        self._lengths = (bounds[..., 1] - bounds[..., 0])[..., None]
        self._drops = np.array([slot.drop_db for slot in slots if not slot.beep])[None, :, None]
        span = rhythm.beeps * float(steps[0])
        self._least_peaks = round(0.5 * TONAL_SHARE * span * (rhythm.beeps - 1) / rhythm.beeps)
        self._quiet = int((last - rhythm.beeps + 0.3) * steps[0])

    def find(self, tones: ToneHistory) -> list[Burst]:
        """Bursts that ended within the newest batch, as far as can be told; the same may come twice."""
        bins = self._candidates(tones)
        if not len(bins):
            return []
        levels = tones.levels(bins, self.frames)
        levels = np.maximum(levels, self._beep_levels(tones, bins, levels) - DEEPEST_DB)
        sums = np.concatenate((np.zeros((1, len(bins))), np.cumsum(levels, axis=0)))
        at = (
            sums[self._whole] * (1 - self._part) + sums[np.minimum(self._whole + 1, self.frames)] * self._part
        )
        means = (at[:, :, 1] - at[:, :, 0]) / self._lengths  # (hypotheses, slots, bins)
        count = self.rhythm.beeps
        beeps, gaps = means[:, :count], means[:, count:]
        level = np.median(beeps, axis=1)
        lost = (np.abs(beeps - level[:, None]) > BEEP_DB).sum(axis=1)
        noisy = (gaps > level[:, None] - self._drops).sum(axis=1)
        contrast = level - gaps[:, : count - 1].mean(axis=1)
        fit = beeps.mean(axis=1) - gaps.mean(axis=1)
        is_flat = contrast < np.where(lost == 0, ECHO_CONTRAST_DB, CONTRAST_DB)
        ranks = np.where(is_flat, 99, 10 * (lost + noisy)) - fit / 100
        best = ranks.argmin(axis=0)
        bursts = []
        for column, row in enumerate(best):
            # A beep that is missing at one end and one too many at the other are another rhythm, shifted.
            faults = lost[row, column] + noisy[row, column]
            few = lost[row, column] <= 1 and noisy[row, column] <= 1 and faults <= self.rhythm.disturbed
            if few and not is_flat[row, column]:
                burst = self._burst(
                    tones,
                    bin_index=int(bins[column]),
                    row=int(row),
                    level=float(level[row, column]),
                    lost=int(lost[row, column]),
                    noisy=int(noisy[row, column]),
                    contrast=float(contrast[row, column]),
                )
                if burst is not None:
                    bursts.append(burst)
        return bursts

    def _beep_levels(
        self, tones: ToneHistory, bins: NDArray[np.int64], levels: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(bins,) the usual level of the frames in which each tone stands out [dBFS].

        `levels` (frames, bins) [dBFS]: those of the newest frames.
        """
        oldest = tones.stop - self.frames
        usual = np.zeros(len(bins))
        for column, bin_index in enumerate(bins):
            near = (np.abs(tones.peak_bins - bin_index) <= 1) & (tones.peak_frames >= oldest)
            rows = np.unique(tones.peak_frames[near]) - oldest
            usual[column] = np.percentile(levels[rows, column], 60)
        return usual

    def _candidates(self, tones: ToneHistory) -> NDArray[np.int64]:
        """Bins with about as many tones as a burst has."""
        inside = tones.peak_frames >= tones.stop - self.frames
        if np.count_nonzero(inside) < self._least_peaks:
            return np.zeros(0, np.int64)
        counts = np.bincount(tones.peak_bins[inside], minlength=2)
        near = np.convolve(counts, (1, 1, 1), mode="same")
        bins = np.flatnonzero((near >= self._least_peaks) & (counts > 0))
        best = [k for k in bins if counts[k] == counts[max(k - 2, 0) : k + 3].max()]
        if len(best) <= MOST_CANDIDATES:
            return np.array(best, np.int64)
        power = tones.spectra(tones.stop - self.frames, tones.stop)[:, best]
        power.partition(len(power) - self._least_peaks, axis=0)
        loudest = np.argsort(-power[len(power) - self._least_peaks], kind="stable")
        return np.array(best, np.int64)[loudest[:MOST_CANDIDATES]]

    def _burst(
        self,
        tones: ToneHistory,
        *,
        bin_index: int,
        row: int,
        level: float,
        lost: int,
        noisy: int,
        contrast: float,
    ) -> Burst | None:
        """Look closer at a hypothesis; None where its beeps are no tones."""
        step = float(self._steps[row])
        start = tones.stop + float(self._starts[row])
        frames = np.unique(
            np.concatenate(
                [
                    np.arange(int(np.ceil(start + (n + 0.05) * step)), int(start + (n + 0.45) * step) + 1)
                    for n in range(self.rhythm.beeps)
                ]
            )
        )
        first, last = int(frames[0]), int(frames[-1]) + 1
        near = np.abs(tones.peak_bins - bin_index) <= 1
        tonal = np.isin(frames, tones.peak_frames[near])
        if tonal.mean() < TONAL_SHARE * (self.rhythm.beeps - lost) / self.rhythm.beeps:
            return None
        spectra = tones.spectra(first, last)[frames - first]
        tone = spectra[:, bin_index - 1 : bin_index + 2].sum(axis=1)
        power = spectra.sum(axis=1)
        if np.percentile(tone / (power + 1e-12), LOUD_PERCENTILE) < LOUD_SHARE:
            return None
        stop = start + (self.rhythm.beeps - 0.5) * step
        least = 10 ** ((level - EDGE_DB) / 10)
        return Burst(
            start=_edge(tones, bin_index, least, start - 0.3 * step, start + 0.3 * step, first=True) or start,
            stop=_edge(tones, bin_index, least, stop - 0.3 * step, stop + 0.3 * step, first=False) or stop,
            step=step,
            bin=bin_index,
            hertz=tones.hertz(bin_index, first, last),
            level_dbfs=level,
            lost_beeps=lost,
            noisy_gaps=noisy,
            contrast_db=contrast,
            power=float(np.median(power)),
        )


def _edge(
    tones: ToneHistory, bin_index: int, least: float, start: float, stop: float, *, first: bool
) -> float | None:
    """The first frame of the tone between two frames, or one past its last; None where it is not there."""
    begin = round(start)
    power = tones.spectra(begin, round(stop) + 1)[:, bin_index - 1 : bin_index + 2].sum(axis=1)
    loud = np.flatnonzero(power > least)
    if not len(loud):
        return None
    return float(begin + loud[0] if first else begin + loud[-1] + 1)
