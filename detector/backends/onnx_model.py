"""A classifier in ONNX Runtime, on the CPU.

The graph takes one float32 input, either the window's samples or a log-mel patch of them, with a batch of 1;
its output `scores`, else its first, is one float32 score for each label. Where it is asked for,
an output `embedding` goes along with them.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.audio.growing import GrowingLogMel
from detector.audio.logmel import LogMelParams
from detector.errors import ModelError
from detector.files.quiet_stderr import quiet_stderr
from detector.records import ModelSpec, Scores, Window

_Session: TypeAlias = Any
"""onnxruntime.InferenceSession, which has no type information."""

INSTALL = "install onnxruntime and onnx (pip install 'sound-detector[onnx]')"


def is_installed() -> bool:
    """Whether ONNX Runtime can be imported."""
    return find_spec("onnxruntime") is not None


class OnnxClassifier:
    """Fills `Classifier`; `front_end` is given where the graph takes log-mel patches instead of samples."""

    def __init__(
        self,
        model_file: Path | bytes,
        spec: ModelSpec,
        *,
        front_end: LogMelParams | None = None,
        embedding: bool = False,
        threads: int = 1,
    ) -> None:
        self.spec = spec
        self._log_mel = None if front_end is None else GrowingLogMel(front_end)
        what = model_file.name if isinstance(model_file, Path) else f"the ONNX file of {spec.name}"
        self._session = _session(model_file, what, threads)
        given = self._session.get_inputs()[0]
        if given.type != "tensor(float)":
            raise ModelError(f"{what}: input {given.name} must be float32, got {given.type}")
        names = [output.name for output in self._session.get_outputs()]
        self._input = given.name
        self._outputs = ["scores" if "scores" in names else names[0]]
        if embedding and "embedding" in names:
            self._outputs.append("embedding")
        shape = (spec.window,) if front_end is None else (front_end.frames(spec.window), front_end.bands)
        self._shape = _fitted(given.shape, shape, what)
        gives = self._run(np.zeros(shape, np.float32))[0].size  # also warms the runtime up
        if gives != len(spec.labels):
            raise ModelError(
                f"{what} gives {gives} scores, but model {spec.name} has {len(spec.labels)} labels"
            )

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        values = window.amplified() if self._log_mel is None else self._log_mel(window)
        scores, *embedding = self._run(values)
        return Scores(window.span, scores, {self.spec.name: embedding[0]} if embedding else {})

    def close(self) -> None:
        """Release the runtime."""
        self._session = None

    def _run(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        answers = self._session.run(self._outputs, {self._input: values.reshape(self._shape)})
        return [answer.reshape(-1) for answer in answers]


def _session(model_file: Path | bytes, what: str, threads: int) -> _Session:
    try:
        with quiet_stderr():
            import onnxruntime
    except ImportError as error:
        raise ModelError(f"ONNX Runtime is not installed; {INSTALL}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    source = str(model_file) if isinstance(model_file, Path) else model_file
    try:
        with quiet_stderr():
            return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no other base
        raise ModelError(f"{what} cannot be run as an ONNX model: {' '.join(str(error).split())}") from error


def _fitted(declared: list[int | str | None], shape: tuple[int, ...], what: str) -> tuple[int, ...]:
    """Put the values' own shape behind as many leading 1s as the graph has axes before them."""
    fitted = (1,) * (len(declared) - len(shape)) + shape
    fits = len(declared) >= len(shape) and all(
        not isinstance(axis, int) or axis == length for axis, length in zip(declared, fitted, strict=True)
    )
    if not fits:
        raise ModelError(
            f"{what} expects input of shape {declared}, but its model.yaml describes {list(fitted)}"
        )
    return fitted
