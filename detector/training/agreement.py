"""Whether a bundle's two files say the same, measured on what real clips give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.backends.quiet import quiet_stderr
from detector.backends.tflite_model import TfliteClassifier
from detector.errors import DetectorError
from detector.graphs.graph import Graph
from detector.records import Label, ModelSpec, Span, Window

TOLERANCE = 1e-3
"""Scores that differ by less are the same: a thousandth moves no event."""
MOST_INPUTS = 500
AT_ONCE = 8
"""Windows in numpy's hands together: a convolution holds hundreds of times what it is given."""

Scores = NDArray[np.float32]
Run = Callable[[Scores], Scores]
"""One input in, its scores (classes,) out."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the files' scores are from numpy's, at most."""

    inputs: int
    """Windows of real clips that were compared."""
    apart: Mapping[str, float]
    """Kind of file -> largest difference of any score."""

    def __str__(self) -> str:
        """One line."""
        each = ", ".join(f"{kind} {value:.1e}" for kind, value in self.apart.items())
        return f"scores within {each} of numpy's on {self.inputs} windows (allowed {TOLERANCE:g})"


def check_agreement(graph: Graph, files: Mapping[str, bytes], inputs: NDArray[np.float32]) -> Agreement:
    """Run `inputs` (n, *graph.shape) in both runtimes; DetectorError where one differs by too much."""
    chosen = inputs[np.linspace(0, len(inputs) - 1, min(len(inputs), MOST_INPUTS)).round().astype(int)]
    parts = (chosen[first : first + AT_ONCE] for first in range(0, len(chosen), AT_ONCE))
    wanted = np.concatenate([graph.run(part) for part in parts])
    runs = {"onnx": _onnx(files["onnx"]), "tflite": _tflite(files["tflite"], graph)}
    apart = {
        kind: max(
            (float(np.abs(run(one) - scores).max()) for one, scores in zip(chosen, wanted, strict=True))
        )
        for kind, run in runs.items()
    }
    for kind, value in apart.items():
        if not value <= TOLERANCE:
            raise DetectorError(
                f"the {kind} file's scores differ from numpy's by up to {value:.2g} (allowed {TOLERANCE:g}), "
                "so the bundle is not written; please report this"
            )
    return Agreement(len(chosen), apart)


def spread_inputs(each: Sequence[NDArray[np.float32]], most: int = MOST_INPUTS) -> NDArray[np.float32]:
    """Windows from all examples alike, no more than wanted."""
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
