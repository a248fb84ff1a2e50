"""Let a TFLite network answer with inner tensors: log-odds instead of scores, and the embedding beside them.

A network in 8 bits tells scores in steps of 1/256: whatever is below is 0, and a prior that is subtracted
from log-odds has nothing to work on. Its log-odds are exact to a third of a unit all the way down. Its
embedding, which small networks of our own listen to, is the input of its last layer, so it costs nothing.
A new list of outputs is put behind the file and the graph is pointed at it; nothing is parsed but the way
there, and nothing else moves.
Sources: FlatBuffers' internals (flatbuffers.dev) and the TFLite schema (tensorflow/lite/schema/schema.fbs):
Model.subgraphs is field 2, SubGraph.tensors field 0 and SubGraph.outputs field 2.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from detector.errors import ModelError

_SUBGRAPHS, _TENSORS, _OUTPUTS = 2, 0, 2


def with_outputs(content: bytes, tensors: Sequence[int | None]) -> bytes:
    """Return the file with these as the first graph's outputs; None stands for its own first one.

    ModelError where that cannot be.
    """
    try:
        model = _number(content, 0)
        graph = _target(content, _vector(content, model, _SUBGRAPHS))
        count = _number(content, _vector(content, graph, _TENSORS) - 4)
        own = _number(content, _vector(content, graph, _OUTPUTS))
        pointer = _field(content, graph, _OUTPUTS)
    except (struct.error, IndexError) as error:
        raise ModelError("the TFLite file is damaged: it has no graph with an output") from error
    outputs = [own if tensor is None else tensor for tensor in tensors]
    beyond = next((tensor for tensor in outputs if tensor >= count), None)
    if beyond is not None:
        raise ModelError(f"the TFLite file has {count} tensors, so tensor {beyond} does not exist")
    padding = bytes(-len(content) % 4)  # numbers lie at multiples of their size
    offset = struct.pack("<I", len(content) + len(padding) - pointer)
    listed = struct.pack(f"<I{len(outputs)}i", len(outputs), *outputs)
    return b"".join((content[:pointer], offset, content[pointer + 4 :], padding, listed))


def _vector(content: bytes, table: int, field: int) -> int:
    """Where the first element of a table's vector lies, which must have one."""
    start = _target(content, _field(content, table, field))
    if not _number(content, start):
        raise IndexError
    return start + 4


def _field(content: bytes, table: int, field: int) -> int:
    """Where a table's field lies, which must be there."""
    (back,) = struct.unpack_from("<i", content, table)
    entry = table - back + 4 + 2 * field
    (offset,) = struct.unpack_from("<H", content, entry) if entry > 0 else (0,)
    if not offset:
        raise IndexError
    return int(table + offset)


def _target(content: bytes, place: int) -> int:
    return place + _number(content, place)


def _number(content: bytes, place: int) -> int:
    if place < 0:
        raise IndexError
    (number,) = struct.unpack_from("<I", content, place)
    return int(number)
