"""A classifier in TensorFlow Lite, through ai-edge-litert or, where only that is installed, tflite-runtime.

The graph takes one float32 input, either the window's samples or a log-mel patch of them (in whatever shape
holds as many values), and its first output is one float32 score for each label; or, where it is told which
tensor holds them, that is the labels' log-odds in 8 bits. Where it is asked for, the embedding goes along: an
output of that name, or the tensor that is named.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.audio.growing import GrowingLogMel
from detector.audio.logmel import LogMelParams
from detector.backends.prior import logistic
from detector.backends.tflite_outputs import with_outputs
from detector.errors import ModelError
from detector.files.quiet_stderr import quiet_stderr
from detector.records import ModelSpec, Scores, Window

_Interpreter: TypeAlias = Any
"""The runtime's class, which has no type information."""

INSTALL = "install ai-edge-litert (pip install ai-edge-litert)"


def is_installed() -> bool:
    """Whether a TFLite runtime can be imported."""
    return find_spec("ai_edge_litert") is not None or find_spec("tflite_runtime") is not None


class TfliteClassifier:
    """Fills `Classifier`; `front_end` is given where the graph takes log-mel patches instead of samples.

    `logits` is the number of the tensor of log-odds; `embedding` what goes along with the scores: the number
    of a tensor, or the name of an output, which need not be there.
    """

    def __init__(
        self,
        model_file: Path | bytes,
        spec: ModelSpec,
        *,
        front_end: LogMelParams | None = None,
        logits: int | None = None,
        embedding: int | str | None = None,
        threads: int = 1,
    ) -> None:
        self.spec = spec
        self._log_mel = None if front_end is None else GrowingLogMel(front_end)
        what = model_file.name if isinstance(model_file, Path) else f"the TFLite file of {spec.name}"
        source: dict[str, str | bytes]
        inner_tensor = embedding if isinstance(embedding, int) else None
        if logits is not None or inner_tensor is not None:
            content = model_file.read_bytes() if isinstance(model_file, Path) else model_file
            outputs = (logits,) if inner_tensor is None else (logits, inner_tensor)
            source = {"model_content": with_outputs(content, outputs)}
        elif isinstance(model_file, Path):
            source = {"model_path": str(model_file)}
        else:
            source = {"model_content": model_file}
        try:
            with quiet_stderr():
                self._interpreter = _interpreter_class()(**source, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{what} cannot be run as a TFLite model: {' '.join(str(error).split())}"
            ) from error
        self._input = _only_float(self._interpreter.get_input_details()[0], what)
        self._output, *inner = self._interpreter.get_output_details()
        self._steps = None if logits is None else _steps(self._output, what)
        if logits is None:
            _only_float(self._output, what)
        named = (output for output in inner if inner_tensor is not None or output["name"] == embedding)
        self._embedding = next(named, None)
        self._embedding_steps = _embedding_steps(self._embedding, what)
        wanted = spec.window if front_end is None else front_end.frames(spec.window) * front_end.bands
        takes, gives = int(np.prod(self._input["shape"])), int(np.prod(self._output["shape"]))
        if takes != wanted:
            raise ModelError(f"{what} expects {takes} input values, but model {spec.name} describes {wanted}")
        if gives != len(spec.labels):
            raise ModelError(
                f"{what} gives {gives} scores, but model {spec.name} has {len(spec.labels)} labels"
            )

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        values = window.amplified() if self._log_mel is None else self._log_mel(window)
        self._interpreter.set_tensor(self._input["index"], values.reshape(self._input["shape"]))
        self._interpreter.invoke()
        given = self._read(self._output, self._steps)
        if self._steps is not None:
            given = logistic(given)
        if self._embedding is None:
            return Scores(window.span, given)
        embedding = self._read(self._embedding, self._embedding_steps)
        return Scores(window.span, given, {self.spec.name: embedding})

    def close(self) -> None:
        """Release the runtime."""
        self._interpreter = None

    def _read(self, tensor: dict[str, Any], steps: _Steps | None) -> NDArray[np.float32]:
        """Give a tensor's values, flat; `steps` of one in 8 bits."""
        given: NDArray[Any] = self._interpreter.get_tensor(tensor["index"]).reshape(-1)
        if steps is None:
            return given
        scale, zero = steps
        return (given.astype(np.float32) - zero) * scale


_Steps: TypeAlias = tuple[np.float32, np.float32]
"""The scale and the zero point of a tensor in 8 bits."""


def _interpreter_class() -> _Interpreter:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(f"no TFLite runtime is installed; {INSTALL}") from error
    return Interpreter


def _steps(details: dict[str, Any], what: str, meant: str = "log-odds") -> _Steps:
    scale, zero = details["quantization"]
    if details["dtype"] is not np.int8 or not scale > 0:
        raise ModelError(
            f"{what}: {details['name']} must be {meant} in 8 bits, got {details['dtype'].__name__}"
        )
    return np.float32(scale), np.float32(zero)


def _embedding_steps(details: dict[str, Any] | None, what: str) -> _Steps | None:
    if details is None or details["dtype"] is np.float32:
        return None
    return _steps(details, what, "an embedding")


def _only_float(details: dict[str, Any], what: str) -> dict[str, Any]:
    if details["dtype"] is not np.float32:
        raise ModelError(f"{what}: {details['name']} must be float32, got {details['dtype'].__name__}")
    return details
