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
PARTS = 16
"""Of a frame: so finely the edges of beeps and gaps are laid."""
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
        bounds = np.rint((bounds + self.frames) * PARTS).astype(np.int64).T  # (2, slots, hypotheses)
        # The beeps and the gaps between them are looked at first: they rule out nearly all hypotheses.
        inner = 2 * rhythm.beeps - 1
        self._inner, self._outer = bounds[:, :inner].copy(), bounds[:, inner:].copy()
        drops = np.array([slot.drop_db for slot in slots if not slot.beep], np.float32)[:, None, None]
        self._inner_drops, self._outer_drops = np.split(drops, [rhythm.beeps - 1])
        span = rhythm.beeps * float(steps[0])
        self._least_peaks = round(0.5 * TONAL_SHARE * span * (rhythm.beeps - 1) / rhythm.beeps)

    def find(self, tones: ToneHistory) -> list[Burst]:
        """Bursts that ended within the newest batch, as far as can be told; the same may come twice."""
        bins = self._candidates(tones)
        if not len(bins):
            return []
        levels = tones.levels(bins, self.frames)
        levels = np.maximum(levels, self._beep_levels(tones, bins, levels) - DEEPEST_DB)
        sums = _fine_sums(levels)
        inner = _means(sums, self._inner)  # (slots, hypotheses, bins)
        beeps, gaps = inner[: self.rhythm.beeps], inner[self.rhythm.beeps :]
        level = np.median(beeps, axis=0)
        lost = (np.abs(beeps - level) > BEEP_DB).sum(axis=0)
        noisy = (gaps > level - self._inner_drops).sum(axis=0)
        contrast = level - gaps.mean(axis=0)
        is_flat = contrast < np.where(lost == 0, ECHO_CONTRAST_DB, CONTRAST_DB)
        is_likely = ~is_flat & (lost + noisy <= self.rhythm.disturbed)
        rows = np.flatnonzero(is_likely.any(axis=1))
        if not len(rows):
            return []
        around = _means(sums, self._outer[..., rows])
        noisy = noisy[rows] + (around > level[rows] - self._outer_drops).sum(axis=0)
        quiet = gaps[:, rows].sum(axis=0) + around.sum(axis=0)
        fit = beeps[:, rows].mean(axis=0) - quiet / (len(gaps) + len(around))
        faults = lost[rows] + noisy
        best = (np.where(is_likely[rows], 10 * faults, 99) - fit / 100).argmin(axis=0)
        bursts = []
        for column, place in enumerate(best):
            row = int(rows[place])
            # A beep that is missing at one end and one too many at the other are another rhythm, shifted.
            few = lost[row, column] <= 1 and noisy[place, column] <= 1
            if few and faults[place, column] <= self.rhythm.disturbed and is_likely[row, column]:
                burst = self._burst(
                    tones,
                    bin_index=int(bins[column]),
                    row=row,
                    level=float(level[row, column]),
                    lost=int(lost[row, column]),
                    noisy=int(noisy[place, column]),
                    contrast=float(contrast[row, column]),
                )
                if burst is not None:
                    bursts.append(burst)
        return bursts

    def _beep_levels(
        self, tones: ToneHistory, bins: NDArray[np.int64], levels: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(bins,) the usual level of the frames in which each tone stands out, their percentile 60 [dBFS].

        `levels` (frames, bins) [dBFS]: those of the newest frames.
        """
        frames, peaks = tones.newest_peaks(self.frames)
        near, column = np.nonzero(np.abs(peaks[:, None] - bins) <= 1)
        stands_out = np.zeros(levels.shape, bool)
        stands_out[frames[near] - (tones.stop - self.frames), column] = True
        ranked = np.sort(np.where(stands_out, levels, np.inf), axis=0)
        place = 0.6 * (stands_out.sum(axis=0) - 1)
        low, high = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
        columns = np.arange(len(bins))
        below, above = ranked[low, columns], ranked[high, columns]
        usual: NDArray[np.float32] = below + (place - low).astype(np.float32) * (above - below)
        return usual

    def _candidates(self, tones: ToneHistory) -> NDArray[np.int64]:
        """Bins with about as many tones as a burst has."""
        peaks = tones.newest_peaks(self.frames)[1]
        if len(peaks) < self._least_peaks:
            return np.zeros(0, np.int64)
        counts = np.bincount(peaks, minlength=2)
        near = np.convolve(counts, (1, 1, 1), mode="same")
        best = np.flatnonzero((near >= self._least_peaks) & (counts > 0))
        best = best[[counts[k] == counts[max(k - 2, 0) : k + 3].max() for k in best]] if len(best) else best
        if len(best) <= MOST_CANDIDATES:
            return best
        power = tones.spectra(tones.stop - self.frames, tones.stop)[:, best]
        power.partition(len(power) - self._least_peaks, axis=0)
        loudest = np.argsort(-power[len(power) - self._least_peaks], kind="stable")
        return best[loudest[:MOST_CANDIDATES]]

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


def _fine_sums(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(PARTS * frames + 1, bins): sums of `levels` (frames, bins) before each part of a frame."""
    sums = np.zeros((PARTS * len(levels) + 1, levels.shape[1]), np.float32)
    np.cumsum(np.repeat(levels / PARTS, PARTS, axis=0), axis=0, out=sums[1:])
    return sums


def _means(sums: NDArray[np.float32], bounds: NDArray[np.int64]) -> NDArray[np.float32]:
    """(slots, hypotheses, bins): mean levels between `bounds` (2, slots, hypotheses), in parts of a frame."""
    total: NDArray[np.float32] = np.take(sums, bounds[1], axis=0) - np.take(sums, bounds[0], axis=0)
    total *= (PARTS / (bounds[1] - bounds[0])).astype(np.float32)[..., None]
    return total


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
