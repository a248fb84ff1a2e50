"""Parity: a bundle's ONNX and TFLite files give the same scores, measured on windows of real clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.backends.tflite_model import TfliteClassifier
from detector.errors import DetectorError
from detector.files.quiet_stderr import quiet_stderr
from detector.graphs.graph import Graph
from detector.records import Label, ModelSpec, Span, Window

TOLERANCE = 1e-3
"""Scores that differ by less are the same: a thousandth moves no event."""
MAX_INPUTS = 500
BATCH = 8
"""Windows that numpy computes at once: a convolution needs hundreds of times the memory of its input."""

Scores = NDArray[np.float32]
Run = Callable[[Scores], Scores]
"""One input in, its scores (classes,) out."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the two files' scores are from those of the same graph computed in numpy."""

    inputs: int
    """Windows of real clips that were compared."""
    difference: Mapping[str, float]
    """Kind of file -> the largest difference of any score from numpy's."""

    def __str__(self) -> str:
        """One line."""
        each = ", ".join(f"{kind} {value:.1e}" for kind, value in self.difference.items())
        return f"scores within {each} of numpy's on {self.inputs} windows (allowed {TOLERANCE:g})"


def check_parity(graph: Graph, files: Mapping[str, bytes], inputs: NDArray[np.float32]) -> Parity:
    """Run `inputs` (n, *graph.shape) in both runtimes; DetectorError where one differs by too much."""
    chosen = inputs[np.linspace(0, len(inputs) - 1, min(len(inputs), MAX_INPUTS)).round().astype(int)]
    parts = (chosen[first : first + BATCH] for first in range(0, len(chosen), BATCH))
    wanted = np.concatenate([graph.run(part) for part in parts])
    runs = {"onnx": _onnx(files["onnx"]), "tflite": _tflite(files["tflite"], graph)}
    difference = {
        kind: max(
            (float(np.abs(run(one) - scores).max()) for one, scores in zip(chosen, wanted, strict=True))
        )
        for kind, run in runs.items()
    }
    for kind, value in difference.items():
        if not value <= TOLERANCE:
            raise DetectorError(
                f"the {kind} file's scores differ from numpy's by up to {value:.2g} (allowed {TOLERANCE:g}), "
                "so the bundle is not written; please report this"
            )
    return Parity(len(chosen), difference)


def spread_inputs(each: Sequence[NDArray[np.float32]], most: int = MAX_INPUTS) -> NDArray[np.float32]:
    """As many windows of each example, `most` in all."""
    per_example = max(1, most // max(1, len(each)))
    kept = [one[:: max(1, len(one) // per_example)][:per_example] for one in each if len(one)]
    return np.concatenate(kept)


def _onnx(content: bytes) -> Run:
    try:
        with quiet_stderr():
            import onnxruntime
    except ImportError as error:
        raise DetectorError(
            "training compares the ONNX file with the TFLite file and needs onnxruntime; "
            "install it with: pip install 'sound-detector[train]'"
        ) from error
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(values: Scores) -> Scores:
        scores: Scores = session.run(["scores"], {name: values[np.newaxis]})[0][0]
        return scores

    return run


def _tflite(content: bytes, graph: Graph) -> Run:
    length = int(np.prod(graph.shape))
    labels = tuple(Label(str(i), str(i), "trained") for i in range(graph.output.shape[0]))
    classifier = TfliteClassifier(content, ModelSpec("trained", labels, 1, length))

    def run(values: Scores) -> Scores:
        return classifier.scores(Window(Span(0, length), values)).values

    return run
