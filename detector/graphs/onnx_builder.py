"""An ONNX file put together node by node: the one user of ONNX's helpers.

`onnx_file` writes a `Graph` with it, `modelstore.convert` a published TFLite network.
"""

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

Described = tuple[str, Sequence[int]]
"""Name of an input or output, and its shape for one example; float32, the batch may have any length N."""


class OnnxBuilder:
    """Collects constants and nodes; needs the `onnx` package."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def constant(self, values: NDArray[Any] | np.float32, name: str | None = None) -> str:
        """Add a constant: int64 as it is, all else as float32; returns its name, by default `w0`, `w1`."""
        from onnx import numpy_helper

        name = name or f"w{len(self._weights)}"
        given = np.asarray(values)
        if given.dtype != np.int64:
            given = given.astype(np.float32)
        kept = np.ascontiguousarray(given).reshape(given.shape)  # the former makes a row of a scalar
        self._weights.append(numpy_helper.from_array(kept, name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: _Foreign) -> str:
        """Add an operator; returns the name of its one output."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def packed(self, given: Described, outputs: Sequence[Described], *, opset: int) -> bytes:
        """Return the file, checked by ONNX."""
        from onnx import TensorProto, checker, helper

        def described(name: str, shape: Sequence[int]) -> _Foreign:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])

        described_outputs = [described(*output) for output in outputs]
        built = helper.make_model(
            helper.make_graph(self._nodes, "network", [described(*given)], described_outputs, self._weights),
            opset_imports=[helper.make_opsetid("", opset)],
            producer_name="sound-detector",
            producer_version=__version__,
        )
        built.ir_version = IR_VERSION
        checker.check_model(built, full_check=True)
        content: bytes = built.SerializeToString()
        return content
