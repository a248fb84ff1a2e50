"""The same model in TFLite and ONNX Runtime: how far they agree on ESC-10, and what a window costs in each.

Both see every window, one straight after the other, with one thread. Wants the model pulled with the [onnx]
extra: `sound-detector models pull yamnet`. Run:
`python -m benchmarks.cost.runtimes`.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.sounds import esc10
from detector.modelstore import load_classifier
from detector.records import Span, Window

MODEL = "yamnet"
CLEAR_LEAD = 0.05
"""Score by which the best label must lead to be no near-tie; TFLite's scores are steps of 1/256."""


def main() -> None:
    """Print agreement and cost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.runtimes", description=__doc__)
    parser.add_argument("--clips", type=int, help="how many of ESC-10's clips (default: all 400)")
    clips: int | None = parser.parse_args().clips
    runtimes = {name: load_classifier(MODEL, runtime=name, threads=1) for name in ("tflite", "onnx")}
    length = next(iter(runtimes.values())).spec.window
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    window_tops: list[bool] = []
    clear: list[bool] = []
    clip_tops: list[bool] = []
    differences: list[NDArray[np.float32]] = []
    for _, samples in esc10(clips):
        scores: dict[str, list[NDArray[np.float32]]] = {name: [] for name in runtimes}
        for start in range(0, len(samples) - length + 1, length):
            window = Window(Span(start, start + length), samples[start : start + length].astype(np.float32))
            if not window.samples.any():  # ESC-10 pads short clips with digital silence
                continue
            for name, classifier in runtimes.items():
                began = perf_counter()
                scores[name].append(classifier.scores(window).values)
                seconds[name].append(perf_counter() - began)
        if not scores["tflite"]:
            continue
        one, other = (np.array(scores[name]) for name in ("tflite", "onnx"))  # each (windows, labels)
        differences.append(np.abs(one - other).ravel())
        second, best = np.partition(one, -2, axis=1)[:, -2:].T
        clear += (best - second >= CLEAR_LEAD).tolist()
        window_tops += (one.argmax(axis=1) == other.argmax(axis=1)).tolist()
        clip_tops.append(bool(one.mean(axis=0).argmax() == other.mean(axis=0).argmax()))
    difference = np.concatenate(differences)
    print(f"{len(clip_tops)} clips, {len(window_tops)} windows of {length} samples")
    print(f"top-1 agreement, each window         {np.mean(window_tops):8.1%}")
    agreed = np.array(window_tops)[clear].mean()
    print(f"   where the best leads by {CLEAR_LEAD}      {agreed:8.1%} of {sum(clear)}")
    print(f"top-1 agreement, mean over the clip  {np.mean(clip_tops):8.1%}")
    print(f"mean absolute score difference       {difference.mean():8.5f}")
    print(f"99.9th percentile of it              {np.quantile(difference, 0.999):8.3f}")
    print(f"largest                              {difference.max():8.3f}")
    for name, taken in seconds.items():
        median, mean = 1000 * np.median(taken), 1000 * np.mean(taken)
        print(f"{name:6} ms per window: median {median:.2f}, mean {mean:.2f}")


if __name__ == "__main__":
    main()
