"""What both networks say of every window of a clip, once: all models are then judged on the same scores.

The windows are those of the daemon at 32 kHz with the gate off: one every 0.24 s from the start on, silence
before it, the slow gain of that moment applied. YAMNet hears the newest 0.975 s of each at 16 kHz.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.clips import RATE, Clip
from detector.audio.decimate import DELAY, halved
from detector.audio.gain import Gain
from detector.audio.level import LevelMeter
from detector.backends.prior import logits
from detector.interfaces import Classifier
from detector.modelstore import load_classifier
from detector.records import Block, Span, Window

FRAME = 960
HOP = 7680


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Log-odds of one clip; windows x labels, float32."""

    yamnet: NDArray[np.float32]
    mn04: NDArray[np.float32]


class Ears:
    """Both networks, without their priors."""

    def __init__(self) -> None:
        self._yamnet: Classifier = load_classifier("yamnet", prior=False)
        self._mn04: Classifier = load_classifier("mn04", prior=False)

    def hear(self, samples: NDArray[np.int16]) -> Heard:
        """Score every window of a clip at 32 kHz."""
        gain = Gain(frame_length=FRAME, sample_rate=RATE)
        meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
        long = self._mn04.spec.window
        short = 2 * self._yamnet.spec.window + 2 * DELAY
        padded = np.concatenate([np.zeros(long, np.float32), samples.astype(np.float32) / 32768])
        yamnet, mn04 = [], []
        for start in range(0, len(samples) - FRAME + 1, FRAME):
            stop = start + FRAME
            gain.push(meter.measure(Block(start, samples[start:stop])))
            if stop % HOP:
                continue
            window = np.clip(padded[stop : stop + long] * np.float32(10 ** (gain.current() / 20)), -1, 1)
            newest = halved(window[-short:])
            yamnet.append(self._yamnet.scores(Window(Span(0, len(newest)), newest)).values.copy())
            mn04.append(self._mn04.scores(Window(Span(0, long), window)).values.copy())
        return Heard(logits(np.array(yamnet)), logits(np.array(mn04)))


def hear_all(clips: Sequence[Clip], condition: str, cache: Path | None, name: str) -> list[Heard]:
    """Score every window of every clip; with `cache`, from a file of an earlier run where there is one."""
    path = None if cache is None else cache / f"{name} {condition} {len(clips)}.npz"
    if path is not None and path.is_file():
        with np.load(path) as kept:
            return [
                Heard(yamnet, mn04)
                for yamnet, mn04 in zip(
                    np.split(kept["yamnet"].astype(np.float32), kept["cuts"]),
                    np.split(kept["mn04"].astype(np.float32), kept["cuts"]),
                    strict=True,
                )
            ]
    ears, heard = Ears(), []
    for number, clip in enumerate(clips):
        heard.append(ears.hear(clip.samples(condition)))
        if number % 100 == 99:
            print(f"{name}, {condition}: {number + 1} of {len(clips)}", file=sys.stderr)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            yamnet=np.concatenate([one.yamnet for one in heard]).astype(np.float16),
            mn04=np.concatenate([one.mn04 for one in heard]).astype(np.float16),
            cuts=np.cumsum([len(one.yamnet) for one in heard])[:-1],
        )
    return heard
