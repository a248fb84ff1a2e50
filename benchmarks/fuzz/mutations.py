"""Seeded damage to well-formed inputs: bits, bytes, pieces, numbers at the edge, words of the format."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

MAX_BYTES = 65536
"""No mutated input is longer than this, or than its seed."""

_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NUMBERS = (b"0", b"-1", b"1e999", b"-0.0", b".nan", b"NaN", b"Infinity", b"9" * 40, b"9" * 400, b"9" * 5000)
_BROKEN = (
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc2\x9b",
    b"\xe2\x80\xa8",
    b"\r\n",
    b"\n",
    b'"',
    b"\x1b[2J",
)


def mutate(data: bytes, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Return the input with one to eight faults put in; never longer than MAX_BYTES or the seed."""
    limit = max(MAX_BYTES, len(data))
    mutated = bytearray(data)
    for _ in range(1 << random.randrange(4)):
        random.choice(_WAYS)(mutated, random, seeds, words)
    return bytes(mutated[:limit])


def _place(data: bytearray, random: Random) -> int:
    """Half of the time in the first 64 bytes, where headers are."""
    return random.randrange(min(len(data), 64) + 1 if random.random() < 0.5 else len(data) + 1)


def _flip(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    if data:
        data[_place(data, random) % len(data)] ^= 1 << random.randrange(8)


def _overwrite(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at, value, width = _place(data, random), random.choice(_EDGES), random.choice((1, 2, 4))
    order = random.choice(("little", "big"))
    piece = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little" if order == "little" else "big")
    data[at : at + width] = piece


def _noise(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at, width = _place(data, random), 1 << random.randrange(7)
    data[at : at + width] = random.randbytes(width)


def _delete(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = _place(data, random)
    del data[at : at + (1 << random.randrange(10))]


def _truncate(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    del data[_place(data, random) :]


def _repeat(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at, width = _place(data, random), 1 << random.randrange(8)
    data[at:at] = bytes(data[at : at + width]) * min(1 << random.randrange(12), 16384 // width)


def _insert(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = _place(data, random)
    data[at:at] = random.choice((*words, *words, *_NUMBERS, *_BROKEN))


def _replace_word(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    present = [word for word in words if word in data]
    if present:
        word = random.choice(present)
        at = data.index(word)
        data[at : at + len(word)] = random.choice((*words, *_NUMBERS))


def _splice(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    other = random.choice(seeds) if seeds else b""
    start = random.randrange(len(other) + 1)
    piece = other[start : start + (1 << random.randrange(12))]
    at = _place(data, random)
    data[at : at + len(piece) * random.randrange(2)] = piece


_WAYS = (_flip, _overwrite, _noise, _delete, _truncate, _repeat, _insert, _insert, _replace_word, _splice)
