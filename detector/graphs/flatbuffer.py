"""A TFLite file while it is being written: tensors, constants and operators, by number.

Source: the TFLite schema (tensorflow/lite/schema/schema.fbs), through the object API that
`ai_edge_litert.schema_py_generated` was generated with.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Schema: TypeAlias = Any
"""The module of generated classes, which has no type information."""
_Foreign: TypeAlias = Any
"""Objects of these classes."""

LARGE = 256
"""Values from which on weights count as large: below, 16 bits would save nothing worth having."""

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"


class Flatbuffer:
    """One graph; give tensors in any order, operators in the order of their execution."""

    def __init__(self, schema: Schema, *, halves: bool = False) -> None:
        """`halves`: keep large weights in 16 bits, which a runtime restores when it loads them."""
        self.schema = schema
        self._halves = halves
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: dict[str, int] = {}
        self._buffers: list[Any] = [schema.BufferT()]  # the first is empty: that of tensors without constants

    def tensor(self, shape: tuple[int, ...], name: str) -> int:
        """Add a float32 tensor that an operator fills."""
        return self._tensor(shape, f"{name}:{len(self._tensors)}")

    def output(self, shape: tuple[int, ...], name: str) -> int:
        """Add a tensor that readers find by this name."""
        return self._tensor(shape, name)

    def constant(self, values: NDArray[Any]) -> int:
        """Add a tensor of float32 or int32 weights."""
        if self._halves and values.dtype == np.float32 and values.size >= LARGE:
            restored = self.tensor(values.shape, "weights")
            self.operator("DEQUANTIZE", [self._stored(values.astype(np.float16))], restored, "Dequantize")
            return restored
        return self._stored(values)

    def _stored(self, values: NDArray[Any]) -> int:
        number = self._tensor(values.shape, f"w{len(self._tensors)}")
        tensor = self._tensors[number]
        tensor.type = getattr(self.schema.TensorType, values.dtype.name.upper())
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.buffer = len(self._buffers)
        self._buffers.append(buffer)
        return number

    def shape(self, number: int) -> tuple[int, ...]:
        """Tell the shape of a tensor."""
        return tuple(self._tensors[number].shape)

    def operator(
        self, kind: str, inputs: list[int], output: int, table: str | None = None, **options: float
    ) -> None:
        """Add an operator by its name in the schema; `table` names its options: `Conv2D`, `Pool2D`."""
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self._codes.setdefault(kind, len(self._codes))
        operator.inputs = inputs
        operator.outputs = [output]
        if table is not None:
            filled = getattr(self.schema, f"{table}OptionsT")()
            for name, value in options.items():
                setattr(filled, name, value)
            operator.builtinOptions = filled
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, f"{table}Options")
        self._operators.append(operator)

    def pack(self, given: int, outputs: list[int]) -> bytes:
        """Return the file, of a graph from one tensor to others."""
        import flatbuffers

        graph = self.schema.SubGraphT()
        graph.name = "network"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [given], outputs
        model = self.schema.ModelT()
        model.version = SCHEMA_VERSION
        model.description = "sound-detector"
        model.operatorCodes = [self._code(kind) for kind in self._codes]
        model.subgraphs = [graph]
        model.buffers = self._buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, shape: tuple[int, ...], name: str) -> int:
        tensor = self.schema.TensorT()
        tensor.shape = [int(length) for length in shape]
        tensor.type = self.schema.TensorType.FLOAT32
        tensor.name = name
        tensor.buffer = 0
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _code(self, kind: str) -> _Foreign:
        code = self.schema.OperatorCodeT()
        code.builtinCode = getattr(self.schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)  # what readers before 2020 look at
        code.version = 2 if kind == "CONV_2D" else 1  # 2: may be dilated
        return code
