"""How often each gate opens, for sounds in noise and for noise alone, and what a frame costs.

Each ESC-10 clip is laid over pink noise, after 3 s of noise alone. Its level is the mean square of its
active 100 ms pieces (within 20 dB of the loudest), full band, and so is the noise's; SNR is their ratio.
A clip counts when any frame of it is active. Openings are counted with the default hangover of 1.5 s.
The level gate's sigmas and least rise were chosen on these same clips and noises.

    python -m benchmarks.quality.gate [--limit CLIPS] [--hours HOURS]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, Samples, active_mean_square, esc10, noise, quantised
from detector.audio.gain import Gain
from detector.audio.gate import Gate, LevelDetector
from detector.audio.level import Level, LevelMeter
from detector.backends.webrtc_vad import WebRtcVad
from detector.records import Block

Item = TypeVar("Item")

FRAME = 480
LEAD_FRAMES = 100
CONDITIONS = ((-50.0, 0.0), (-50.0, 6.0), (-50.0, 12.0), (-50.0, 20.0), (-65.0, 6.0))
"""Noise [dBFS] and SNR [dB] of each column."""
NOISES = (
    ("pink", -50.0),
    ("fan", -40.0),
    ("pink", -30.0),
    ("white", -60.0),
    ("brown", -50.0),
    ("hum", -50.0),
)
GATES: Mapping[str, tuple[tuple[int, ...], bool]] = {
    "webrtcvad mode 0": ((0,), False),
    "webrtcvad mode 1": ((1,), False),
    "webrtcvad mode 2": ((2,), False),
    "webrtcvad mode 3": ((3,), False),
    "level": ((), True),
    "both (mode 2 or level)": ((2,), True),
}
"""Name -> webrtcvad modes, level detector."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.gate", description=__doc__)
    parser.add_argument("--limit", type=int, help="clips to use, evenly over the classes (default: all)")
    parser.add_argument("--hours", type=float, default=1.0, help="length of each stationary noise")
    arguments = parser.parse_args()
    clips = [clip for _, clip in esc10(arguments.limit)]
    print(_opening_table(clips, arguments.hours))
    print(_cost_table())


def _opening_table(clips: Sequence[Samples], hours: float) -> str:
    columns = [f"{snr:.0f} dB in {dbfs:.0f} dBFS" for dbfs, snr in CONDITIONS]
    columns += [f"{kind} {dbfs:.0f}" for kind, dbfs in NOISES]
    cells: list[dict[str, str]] = [_shares_open(clips, *condition) for condition in CONDITIONS]
    cells += [_openings(_measured(noise(kind, dbfs, hours * 3600))) for kind, dbfs in NOISES]
    rows = [["gate: % of clips, openings per hour", *columns]]
    rows += [[name, *(column[name] for column in cells)] for name in GATES]
    return f"{len(clips)} clips, {hours} h of each noise\n\n" + table(rows)


def _shares_open(clips: Sequence[Samples], dbfs: float, snr: float) -> dict[str, str]:
    opened = dict.fromkeys(GATES, 0)
    counted = 0
    for seed, clip in enumerate(clips):
        level = active_mean_square(clip)
        if level == 0:
            continue
        sound = noise("pink", dbfs, LEAD_FRAMES * FRAME / RATE + len(clip) / RATE, seed)
        sound[-len(clip) :] += clip * np.sqrt(10 ** ((dbfs + snr) / 10) / level)
        measured = _measured(sound)
        counted += 1
        for name in GATES:
            # Without a hangover the gate is open just where a detector is active.
            gate = _gate(name, hangover=0)
            opened[name] += any([gate.push(*item) for item in measured][LEAD_FRAMES:])
    return {name: f"{100 * count / counted:.1f}" for name, count in opened.items()}


def _openings(measured: Sequence[tuple[Block, Level]]) -> dict[str, str]:
    cells = {}
    for name in GATES:
        gate = _gate(name, hangover=RATE * 3 // 2)
        share = 100 * sum([gate.push(*item) for item in measured]) / len(measured)
        per_hour = gate.openings / (len(measured) * FRAME / RATE / 3600)
        cells[name] = f"{per_hour:.0f}" + (f" (open {share:.0f} %)" if share >= 1 else "")
    return cells


def _gate(name: str, hangover: int) -> Gate:
    modes, level = GATES[name]
    vads = [WebRtcVad(sample_rate=RATE, mode=mode) for mode in modes]
    return Gate(vads=vads, level_detector=LevelDetector() if level else None, hangover=hangover)


def _measured(sound: Samples) -> list[tuple[Block, Level]]:
    meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
    return [(frame, meter.measure(frame)) for frame in _frames(quantised(sound))]


def _frames(samples: NDArray[np.int16]) -> list[Block]:
    return [Block(at, samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME + 1, FRAME)]


def _cost_table() -> str:
    frames = _frames(quantised(noise("pink", -50, 90)))
    meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
    levels = [meter.measure(frame) for frame in frames]
    rows = [["per 30 ms frame", "µs"]]
    parts: dict[str, float] = {
        "webrtcvad mode 2": _microseconds(WebRtcVad(sample_rate=RATE, mode=2).is_active, frames),
        "level meter (one FFT)": _microseconds(
            LevelMeter(sample_rate=RATE, frame_length=FRAME).measure, frames
        ),
        "level detector": _microseconds(LevelDetector().is_active, levels),
        "gain": _microseconds(Gain(sample_rate=RATE, frame_length=FRAME).push, levels),
    }
    parts["meter + detector + gain"] = sum(list(parts.values())[1:])
    parts["plain numpy level gate"] = _microseconds(PlainLevelGate().is_active, frames)
    rows += [[name, f"{cost:.1f}"] for name, cost in parts.items()]
    return table(rows)


class PlainLevelGate:
    """The level gate as one writes it first: float64, masks, percentiles over the last 10 s."""

    def __init__(self) -> None:
        hertz = np.fft.rfftfreq(FRAME, 1 / RATE)
        edges = pairwise((125, 500, 1500, 3500, 7500))
        self._masks = [(hertz >= low) & (hertz < high) for low, high in edges]
        self._past = np.full((333, len(self._masks)), -120.0)
        self._flux_past = np.zeros(333)
        self._spectrum = np.zeros(len(hertz))
        self._count = 0

    def is_active(self, frame: Block) -> bool:
        """Whether this frame stands out."""
        power = np.abs(np.fft.rfft(frame.samples / 32768 * np.hanning(FRAME))) ** 2
        bands = np.array([10 * np.log10(power[mask].sum() + 1e-12) for mask in self._masks])
        spectrum = 10 * np.log10(power + 1e-10)
        flux = np.maximum(spectrum - self._spectrum, 0).mean()
        loud = (bands - np.percentile(self._past, 10, axis=0) > 9).any()
        new = (flux - self._flux_past.mean()) / (self._flux_past.std() + 1e-9) > 12
        at = self._count % len(self._past)
        self._past[at], self._flux_past[at], self._spectrum = bands, flux, spectrum
        self._count += 1
        return bool(loud or new)


def _microseconds(step: Callable[[Item], object], items: Sequence[Item]) -> float:
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for item in items:
            step(item)
        best = min(best, time.perf_counter() - start)
    return best / len(items) * 1e6


if __name__ == "__main__":
    main()
