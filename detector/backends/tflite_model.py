"""A classifier in TensorFlow Lite, through ai-edge-litert or, where only that is installed, tflite-runtime.

The graph takes one float32 input, either the window's samples or a log-mel patch of them (in whatever shape
holds as many values), and its first output is one float32 score for each label.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from detector.audio.logmel import LogMel, LogMelParams
from detector.backends.quiet import quiet_stderr
from detector.errors import ModelError
from detector.records import ModelSpec, Scores, Window

_Interpreter: TypeAlias = Any
"""The runtime's class, which has no type information."""

INSTALL = "install ai-edge-litert (pip install ai-edge-litert)"


def is_installed() -> bool:
    """Whether a TFLite runtime can be imported."""
    return find_spec("ai_edge_litert") is not None or find_spec("tflite_runtime") is not None


class TfliteClassifier:
    """Fills `Classifier`; `front_end` is given where the graph takes log-mel patches instead of samples."""

    def __init__(
        self,
        model_file: Path | bytes,
        spec: ModelSpec,
        *,
        front_end: LogMelParams | None = None,
        threads: int = 1,
    ) -> None:
        self.spec = spec
        self._log_mel = None if front_end is None else LogMel(front_end)
        what = model_file.name if isinstance(model_file, Path) else f"the TFLite file of {spec.name}"
        source = (
            {"model_path": str(model_file)} if isinstance(model_file, Path) else {"model_content": model_file}
        )
        try:
            with quiet_stderr():
                self._interpreter = _interpreter_class()(**source, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{what} cannot be run as a TFLite model: {' '.join(str(error).split())}"
            ) from error
        self._input = _only_float(self._interpreter.get_input_details()[0], what)
        self._output = _only_float(self._interpreter.get_output_details()[0], what)
        wanted = spec.window if front_end is None else front_end.frames(spec.window) * front_end.bands
        takes, gives = int(np.prod(self._input["shape"])), int(np.prod(self._output["shape"]))
        if takes != wanted:
            raise ModelError(f"{what} takes {takes} values at once, but model {spec.name} says {wanted}")
        if gives != len(spec.labels):
            raise ModelError(
                f"{what} gives {gives} scores, but the labels of model {spec.name} are {len(spec.labels)}"
            )

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        values = window.samples if self._log_mel is None else self._log_mel(window.samples)
        self._interpreter.set_tensor(self._input["index"], values.reshape(self._input["shape"]))
        self._interpreter.invoke()
        return Scores(window.span, self._interpreter.get_tensor(self._output["index"]).reshape(-1))

    def close(self) -> None:
        """Release the runtime."""
        self._interpreter = None


def _interpreter_class() -> _Interpreter:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(f"there is no TFLite runtime here; {INSTALL}") from error
    return Interpreter


def _only_float(details: dict[str, Any], what: str) -> dict[str, Any]:
    if details["dtype"] is not np.float32:
        raise ModelError(f"{what}: {details['name']} must be float32, got {details['dtype'].__name__}")
    return details
