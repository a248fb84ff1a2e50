"""Let a TFLite network answer with an inner tensor, the log-odds, instead of the scores made of them.

A network in 8 bits tells scores in steps of 1/256: whatever is below is 0, and a prior that is subtracted
from log-odds has nothing to work on. Its log-odds are exact to a third of a unit all the way down.
Only one number is replaced, the index in the list of outputs, so nothing is parsed but the way to it.
Sources: FlatBuffers' internals (flatbuffers.dev) and the TFLite schema (tensorflow/lite/schema/schema.fbs):
Model.subgraphs is field 2, SubGraph.tensors field 0 and SubGraph.outputs field 2.
"""

from __future__ import annotations

import struct

from detector.errors import ModelError

_SUBGRAPHS, _TENSORS, _OUTPUTS = 2, 0, 2


def with_output(content: bytes, tensor: int) -> bytes:
    """Return the file with `tensor` as the first graph's first output; ModelError where that cannot be."""
    try:
        model = _number(content, 0)
        graph = _target(content, _vector(content, model, _SUBGRAPHS))
        tensors = _number(content, _vector(content, graph, _TENSORS) - 4)
        place = _vector(content, graph, _OUTPUTS)
    except (struct.error, IndexError) as error:
        raise ModelError("the TFLite file is damaged: it has no graph with an output") from error
    if tensor >= tensors:
        raise ModelError(f"the TFLite file has {tensors} tensors, so none of number {tensor}")
    return content[:place] + struct.pack("<i", tensor) + content[place + 4 :]


def _vector(content: bytes, table: int, field: int) -> int:
    """Where the first element of a table's vector lies, which must have one."""
    (back,) = struct.unpack_from("<i", content, table)
    entry = table - back + 4 + 2 * field
    (offset,) = struct.unpack_from("<H", content, entry) if entry > 0 else (0,)
    start = _target(content, table + offset)
    if not offset or not _number(content, start):
        raise IndexError
    return start + 4


def _target(content: bytes, place: int) -> int:
    return place + _number(content, place)


def _number(content: bytes, place: int) -> int:
    if place < 0:
        raise IndexError
    (number,) = struct.unpack_from("<I", content, place)
    return int(number)
