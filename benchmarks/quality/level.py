"""What the slow gain does for a quiet microphone, and what it makes of quiet noise.

ESC-10 clips as they are and attenuated, quantised to 16 bits after the attenuation, each heard from the start
of its own stream: YAMNet's scores are averaged over the windows that lie in the clip, and the best label of
`LABELS` decides the class. Noises: an event is a label (background labels excepted) that scores >= 0.3 in
two consecutive windows; counted with the gate `both`, and with the gate off.

The gain's target, limit and ramps were chosen on these same clips, so its own row is a little flattered.

    python -m benchmarks.quality.level [--model-file YAMNET.TFLITE] [--limit CLIPS] [--seconds SECONDS]
"""

from __future__ import annotations

import argparse
import os
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, Samples, esc10, noise, quantised
from detector.audio.gain import Gain
from detector.audio.gate import Gate, LevelDetector
from detector.audio.level import Level, LevelMeter
from detector.backends.bundle import load_bundle
from detector.backends.tflite_model import TfliteClassifier
from detector.backends.webrtc_vad import WebRtcVad
from detector.records import Block, Span, Window

FRAME = 480
HOP = 3840
HANGOVER = RATE * 3 // 2
THRESHOLD = 0.3
ATTENUATIONS_DB = (0.0, -20.0, -40.0)
NOISES = tuple(
    (kind, dbfs) for kind in ("white", "pink", "brown", "hum") for dbfs in (-50.0, -60.0, -70.0, -80.0)
)

LABELS = {
    "Dog bark": ("Dog", "Bark", "Yip", "Howl", "Bow-wow", "Growling", "Whimper (dog)"),
    "Rain": ("Rain", "Raindrop", "Rain on surface"),
    "Sea waves": ("Ocean", "Waves, surf"),
    "Baby cry": ("Baby cry, infant cry", "Crying, sobbing", "Whimper"),
    "Clock tick": ("Tick", "Tick-tock", "Clock"),
    "Person sneeze": ("Sneeze",),
    "Helicopter": ("Helicopter", "Propeller, airscrew"),
    "Chainsaw": ("Chainsaw", "Light engine (high frequency)"),
    "Rooster": ("Chicken, rooster", "Crowing, cock-a-doodle-doo", "Fowl"),
    "Fire crackling": ("Fire", "Crackle"),
}
"""ESC-10 class -> the AudioSet labels that count as it."""

Rule = Callable[[], Callable[[Level], float]]
Scorer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class PlainRule:
    """Gain from the loudest of the last 10 s alone; with a limit, also from its 10th percentile."""

    def __init__(self, limit_dbfs: float = np.inf) -> None:
        self._limit_dbfs = limit_dbfs
        self._powers: deque[float] = deque(maxlen=3)
        self._levels: deque[float] = deque(maxlen=333)

    def __call__(self, level: Level) -> float:
        """The gain now [dB]."""
        self._powers.append(10 ** (level.dbfs / 10))
        self._levels.append(10 * np.log10(sum(self._powers) / len(self._powers)))
        ordered = sorted(self._levels)
        limit = self._limit_dbfs - ordered[(len(ordered) - 1) // 10]
        return max(0.0, min(40.0, -30.0 - ordered[-1], limit))


RULES: dict[str, Rule] = {
    "gain off": lambda: lambda _: 0.0,
    "plain rule, -30 dBFS": PlainRule,
    "plain rule, background <= -50": lambda: PlainRule(-50.0),
    "detector.audio.gain": lambda: _asked_each_frame(Gain(frame_length=FRAME, sample_rate=RATE)),
}


def _asked_each_frame(gain: Gain) -> Callable[[Level], float]:
    def rule(level: Level) -> float:
        gain.push(level)
        return gain.current()

    return rule


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.level", description=__doc__)
    parser.add_argument("--model-file", type=Path, default=_default_model_file())
    parser.add_argument("--limit", type=int, help="clips to use, evenly over the classes (default: all)")
    parser.add_argument("--seconds", type=float, default=600.0, help="length of each noise")
    arguments = parser.parse_args()
    spec = load_bundle(ROOT / "models" / "yamnet").spec
    classifier = TfliteClassifier(arguments.model_file, spec)

    def score(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return classifier.scores(Window(Span(0, len(samples)), samples)).values

    names = [label.name for label in spec.labels]
    reportable = np.array([not label.background for label in spec.labels])
    if arguments.limit != 0:
        print(_accuracy_table(list(esc10(arguments.limit)), score, names, spec.window))
    if arguments.seconds:
        print(_noise_table(arguments.seconds, score, names, reportable, spec.window))


def _default_model_file() -> Path:
    home = os.environ.get("SOUND_DETECTOR_HOME") or Path.home() / ".local" / "share" / "sound-detector"
    return Path(home) / "models" / "yamnet" / "yamnet.tflite"


def _accuracy_table(
    clips: Sequence[tuple[str, Samples]], score: Scorer, names: Sequence[str], window: int
) -> str:
    columns = [(names.index(label), kind) for kind, labels in LABELS.items() for label in labels]
    wanted = [column for column, _ in columns]
    right = {(rule, attenuation): 0 for rule in RULES for attenuation in ATTENUATIONS_DB}
    for attenuation in ATTENUATIONS_DB:
        for kind, clip in clips:
            samples = quantised(clip * 10 ** (attenuation / 20))
            samples = np.pad(samples, (0, max(0, 5 * RATE - len(samples))))
            levels = _levels(samples)
            for rule in RULES:
                gains = list(map(RULES[rule](), levels))
                stops = [stop for stop in range(HOP, len(levels) * FRAME + 1, HOP) if stop >= window]
                mean = np.mean(
                    [score(_window(samples, stop, window, gains))[wanted] for stop in stops], axis=0
                )
                right[rule, attenuation] += columns[int(mean.argmax())][1] == kind
    rows = [["top-1 on ESC-10 [%]", *(f"{attenuation:+.0f} dB" for attenuation in ATTENUATIONS_DB)]]
    for rule in RULES:
        shares = [100 * right[rule, attenuation] / len(clips) for attenuation in ATTENUATIONS_DB]
        rows.append([rule, *(f"{share:.1f}" for share in shares)])
    return f"{len(clips)} clips\n\n" + table(rows)


def _noise_table(
    seconds: float, score: Scorer, names: Sequence[str], reportable: NDArray[np.bool_], window: int
) -> str:
    rows = [["events with the gate `both` / gate off", *RULES]]
    for seed, (kind, dbfs) in enumerate(NOISES):
        samples = quantised(noise(kind, dbfs, seconds, seed))
        levels = _levels(samples)
        is_open = _gate_states(samples, levels)
        row = [f"{kind} {dbfs:.0f} dBFS"]
        for rule in RULES.values():
            gains = list(map(rule(), levels))
            stops = range(HOP, len(levels) * FRAME + 1, HOP)
            heard = [
                reportable & (score(_window(samples, stop, window, gains)) >= THRESHOLD) for stop in stops
            ]
            gated = [labels & is_open[stop // FRAME - 1] for labels, stop in zip(heard, stops, strict=True)]
            row.append(f"{_events(gated, names)} / {_events(heard, names)}")
        rows.append(row)
    return f"{seconds:.0f} s of each noise\n\n" + table(rows)


def _levels(samples: NDArray[np.int16]) -> list[Level]:
    meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
    return [meter.measure(frame) for frame in _frames(samples)]


def _frames(samples: NDArray[np.int16]) -> list[Block]:
    return [Block(at, samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME + 1, FRAME)]


def _gate_states(samples: NDArray[np.int16], levels: Sequence[Level]) -> list[bool]:
    gate = Gate(vads=[WebRtcVad(sample_rate=RATE, mode=2)], level_detector=LevelDetector(), hangover=HANGOVER)
    return [gate.push(frame, level) for frame, level in zip(_frames(samples), levels, strict=True)]


def _window(
    samples: NDArray[np.int16], stop: int, length: int, gains: Sequence[float]
) -> NDArray[np.float32]:
    """The window that ends at `stop`, with the gain of that moment; silence before the stream's start."""
    heard = samples[max(0, stop - length) : stop].astype(np.float32) / 32768
    heard *= np.float32(10 ** (gains[stop // FRAME - 1] / 20))
    return np.pad(np.clip(heard, -1, 1), (length - len(heard), 0))


def _events(heard: Sequence[NDArray[np.bool_]], names: Sequence[str]) -> str:
    """How often a label was heard in two consecutive windows after it was not, and which."""
    both = np.array([first & second for first, second in pairwise(heard)])
    begun = both & ~np.vstack((np.zeros_like(both[:1]), both[:-1]))
    labels = [names[i] for i in np.flatnonzero(begun.any(axis=0)).tolist()]
    return str(begun.sum()) + (
        f" ({'; '.join(labels[:2])}{' ...' if len(labels) > 2 else ''})" if labels else ""
    )


if __name__ == "__main__":
    main()
