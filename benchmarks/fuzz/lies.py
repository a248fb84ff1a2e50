"""Sound files whose headers lie: each field of a header with numbers at the edge, files cut and joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal

Order = Literal["little", "big"]

_EDGES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, (1 << 64) - 1)

_FIELDS: Mapping[bytes, Sequence[tuple[int, int, Order]]] = {
    # A mark in the file -> offset from it, width and order of the numbers there.
    b"RIFF": ((4, 4, "little"),),
    b"RF64": ((4, 4, "little"),),
    b"ds64": ((4, 4, "little"), (8, 8, "little"), (16, 8, "little"), (24, 8, "little"), (32, 4, "little")),
    b"fmt ": (
        *((4, 4, "little"), (8, 2, "little"), (10, 2, "little"), (12, 4, "little")),
        *((16, 4, "little"), (20, 2, "little"), (22, 2, "little"), (24, 2, "little")),
    ),
    b"fact": ((4, 4, "little"), (8, 4, "little")),
    b"data": ((4, 4, "little"), (4, 8, "big")),
    b"fLaC": (
        *((5, 3, "big"), (8, 2, "big"), (10, 2, "big"), (12, 3, "big"), (15, 3, "big")),
        *((18, 4, "big"), (21, 1, "big"), (22, 4, "big"), (42, 4, "big"), (43, 3, "big")),
    ),
    b"OggS": (
        *((4, 1, "little"), (5, 1, "little"), (6, 8, "little"), (14, 4, "little"), (18, 4, "little")),
        *((26, 1, "little"), (27, 1, "little")),
    ),
    b"\x01vorbis": (
        (7, 4, "little"),
        (11, 1, "little"),
        (12, 4, "little"),
        (20, 4, "little"),
        (28, 1, "little"),
    ),
    b"OpusHead": (
        *((8, 1, "little"), (9, 1, "little"), (10, 2, "little"), (12, 4, "little"), (16, 2, "little")),
        (18, 1, "little"),
    ),
    b"Xing": ((4, 4, "big"), (8, 4, "big"), (12, 4, "big")),
    b"Info": ((4, 4, "big"), (8, 4, "big"), (12, 4, "big")),
    b"LAME": ((9, 4, "big"), (17, 4, "big"), (21, 3, "big")),
    b"ID3": ((3, 1, "big"), (5, 1, "big"), (6, 4, "big")),
    b"FORM": ((4, 4, "big"),),
    b"COMM": ((4, 4, "big"), (8, 2, "big"), (10, 4, "big"), (14, 2, "big"), (16, 2, "big"), (18, 4, "big")),
    b"SSND": ((4, 4, "big"), (8, 4, "big"), (12, 4, "big")),
    b".snd": ((4, 4, "big"), (8, 4, "big"), (12, 4, "big"), (16, 4, "big"), (20, 4, "big")),
    b"desc": ((4, 8, "big"), (12, 8, "big"), (20, 4, "big"), (28, 4, "big"), (32, 4, "big"), (36, 4, "big")),
    b"pakt": ((4, 8, "big"), (12, 8, "big"), (20, 8, "big")),
    b"VHDR": ((4, 4, "big"), (8, 4, "big"), (20, 2, "big")),
    b"BODY": ((4, 4, "big"),),
}


def lying(files: Sequence[bytes], most: int) -> Sequence[bytes]:
    """Return the files, and up to `most` of their lies, the same each time."""
    lies = [lie for data in files for lie in (*_wrong_numbers(data), *_wrong_lengths(data))]
    pairs = [one + other for one in files for other in files]
    joined = [one[: len(one) - 7] + other for one in files for other in files]
    tagged = [
        b"ID3\x04\0\0" + size + files[0] for size in (b"\0\0\0\0", b"\x7f\x7f\x7f\x7f", b"\0\0\x01\x00")
    ]
    chosen = Random(1).sample(lies, min(most, len(lies)))
    return (*files, *chosen, *pairs, *joined, *tagged)


def _wrong_numbers(data: bytes) -> Iterator[bytes]:
    for mark, fields in _FIELDS.items():
        at = data.find(mark)
        for _ in range(4):  # pages and chunks that come again
            if at < 0:
                break
            for offset, width, order in fields:
                yield from _with_number(data, at + offset, width, order)
            at = data.find(mark, at + 1)


def _with_number(data: bytes, at: int, width: int, order: Order) -> Iterator[bytes]:
    """The file with another number at an offset: at the edges of what fits, and near the right one."""
    if at + width > len(data):
        return
    most = (1 << 8 * width) - 1
    right = int.from_bytes(data[at : at + width], order)
    near = (right + 1, right - 1, right * 2, right // 2, right * 1000)
    for number in dict.fromkeys((*(edge & most for edge in _EDGES), *near)):
        if 0 <= number <= most and number != right:
            yield data[:at] + number.to_bytes(width, order) + data[at + width :]


def _wrong_lengths(data: bytes) -> Iterator[bytes]:
    """The file cut off, and with more behind it than it knows of."""
    for length in (12, 44, 64, len(data) // 2, len(data) - 1):
        yield data[:length]
    yield data + data[len(data) // 2 :]
    yield data + bytes(1 << 14)
