"""An ONNX graph put together node by node: what both conversions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector import __version__

_Foreign: TypeAlias = Any
"""What ONNX's own package takes, which has no type information."""

IR_VERSION = 8
"""Old enough for every onnxruntime that runs on Python 3.11."""


class OnnxGraph:
    """From `patch` to `scores` and `embedding`; a batch may have any size N."""

    def __init__(self) -> None:
        self.labels = 0
        """Length of `scores`; set it before `packed`."""
        self.embedding = 0
        """Length of `embedding`."""
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def constant(self, name: str, values: NDArray[Any] | np.float32) -> str:
        """Add a constant: int64 as it is, all else as float32; returns its name."""
        from onnx import numpy_helper

        given = np.asarray(values)
        if given.dtype != np.int64:
            given = given.astype(np.float32)
        kept = np.ascontiguousarray(given).reshape(given.shape)  # the former makes a row of a scalar
        self._weights.append(numpy_helper.from_array(kept, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: _Foreign) -> str:
        """Add an operator; returns the name of its one output."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def packed(self, patch: Sequence[int | str], *, opset: int) -> bytes:
        """Return the file, checked by ONNX; `patch`: the shape of one, a name where any length will do."""
        from onnx import TensorProto, checker, helper

        def described(name: str, shape: Sequence[int | str]) -> _Foreign:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])

        outputs = [described("scores", [self.labels]), described("embedding", [self.embedding])]
        built = helper.make_model(
            helper.make_graph(self._nodes, "network", [described("patch", patch)], outputs, self._weights),
            opset_imports=[helper.make_opsetid("", opset)],
            producer_name="sound-detector",
            producer_version=__version__,
        )
        built.ir_version = IR_VERSION
        checker.check_model(built, full_check=True)
        content: bytes = built.SerializeToString()
        return content
