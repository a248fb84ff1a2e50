"""How much sound WAV, AU, AIFF and CAF files hold, whatever the sizes in their headers say."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from detector.sources.file_part import MOST_CHUNKS, SMALL_BYTES, FilePart, bytes_at

PADDING_BYTES = 1 << 16
"""Zeros behind the sound, up to this many, are padding."""

MOST_FORM_BYTES = 1 << 16
"""Of the chunk that says how samples are stored."""

TO_THE_END = b"\xff\xff\xff\xff"
"""A size that libsndfile takes as `up to the end of the file`."""


def wav(file: BinaryIO, start: int, size: int) -> Iterator[FilePart]:
    """A WAV, and those that were put behind it."""
    for _ in range(MOST_CHUNKS):
        magic = bytes_at(file, start, 4)
        order = ">" if magic == b"RIFX" else "<"
        at, long_size, size_at, form = start + 12, 0, 0, b""
        for _ in range(MOST_CHUNKS):
            name, length = _chunk(file, at, order)
            if name == b"data":
                break
            if name == b"fmt ":
                form = bytes_at(file, at, 8 + length + length % 2) if length <= MOST_FORM_BYTES else b""
            if name == b"ds64" and magic == b"RF64":
                size_at = at + 16 - start
                long_size = struct.unpack("<Q", bytes_at(file, at + 16, 8).ljust(8, b"\0"))[0]
            at += 8 + length + length % 2
            if not name or at >= size:
                yield FilePart(start, size)
                return
        else:
            yield FilePart(start, size)
            return
        sound = at + 8
        claimed = long_size if magic == b"RF64" and length == 0xFFFFFFFF else length
        behind = _behind(file, sound + claimed, size, order) if sound + claimed < size else size
        if behind is None:
            share = claimed / (size - sound)
            if magic == b"RIFF" and size - sound >= 0xFFFFFFFF and form:
                yield FilePart(sound, size, claimed_share=share, prefix=_long_head(form, size - sound))
                return
            if magic == b"RF64":
                corrections = {size_at: struct.pack("<Q", size - sound)} if size_at else {}
            else:
                corrections = {at + 4 - start: TO_THE_END}
            yield FilePart(start, size, corrections, claimed_share=share)
            return
        yield FilePart(start, behind)
        if behind >= size:
            return
        start = behind


def _long_head(form: bytes, sound_bytes: int) -> bytes:
    """What stands before the sound of a WAV with 64-bit sizes: of others libsndfile reads 4 GiB at most."""
    sizes = struct.pack("<IQQQI", 28, 60 + len(form) + sound_bytes, sound_bytes, 0, 0)
    return b"RF64" + TO_THE_END + b"WAVEds64" + sizes + form + b"data" + TO_THE_END


def _chunk(file: BinaryIO, at: int, order: str) -> tuple[bytes, int]:
    """Name and length of the chunk at an offset; no name where there is none."""
    header = bytes_at(file, at, 8)
    if len(header) < 8:
        return b"", 0
    return header[:4], struct.unpack(f"{order}I", header[4:])[0]


def _behind(file: BinaryIO, at: int, size: int, order: str) -> int | None:
    """Where the next file begins, or the size where chunks and padding follow the sound; None: more sound."""
    for odd in (0, 1):  # not everybody pads
        end = _chain(file, at + odd, size, order)
        if end is not None:
            return end
    rest = size - at
    if rest <= SMALL_BYTES or (rest <= PADDING_BYTES and not bytes_at(file, at, rest).strip(b"\0")):
        return size
    return None


def _chain(file: BinaryIO, at: int, size: int, order: str) -> int | None:
    for _ in range(MOST_CHUNKS):
        if size - at < 8 or _is_tag(bytes_at(file, at, 8), size - at):
            return size
        name, length = _chunk(file, at, order)
        if name in (b"RIFF", b"RF64") and bytes_at(file, at + 8, 4) == b"WAVE":
            return at
        if not all(0x20 <= letter < 0x7F for letter in name) or at + 8 + length > size:
            return None
        at += 8 + length + length % 2
    return size


def _is_tag(head: bytes, rest: int) -> bool:
    """ID3 or APE tags, which music programs put behind anything."""
    return head[:3] == b"ID3" or head == b"APETAGEX" or (head[:3] == b"TAG" and rest == 128)


def au(file: BinaryIO, size: int) -> FilePart:
    """An AU file, whose size a recorder that is killed leaves at 0."""
    order = ">" if bytes_at(file, 0, 4) == b".snd" else "<"
    sound, claimed = struct.unpack(f"{order}II", bytes_at(file, 4, 8).ljust(8, b"\0"))
    if sound + claimed + SMALL_BYTES >= size:
        return FilePart(0, size)
    return FilePart(0, size, {8: TO_THE_END}, claimed_share=claimed / (size - sound))


def aiff(file: BinaryIO, size: int) -> FilePart:
    """An AIFF or AIFC file."""
    at = 12
    for _ in range(MOST_CHUNKS):
        name, length = _chunk(file, at, ">")
        if name == b"SSND":
            end = at + 8 + length
            if end >= size or _behind(file, end, size, ">") is not None or size - at - 8 > 0xFFFFFFFF:
                break
            corrections = {
                at + 4: struct.pack(">I", size - at - 8),
                4: struct.pack(">I", min(size - 8, 0xFFFFFFFF)),
            }
            return FilePart(0, size, corrections, claimed_share=max(0, length - 8) / (size - at - 16))
        if not name:
            break
        at += 8 + length + length % 2
    return FilePart(0, size)


def caf(file: BinaryIO, size: int) -> FilePart:
    """A CAF file, whose chunks have 64-bit sizes."""
    at = 8
    for _ in range(MOST_CHUNKS):
        header = bytes_at(file, at, 12)
        if len(header) < 12:
            break
        length = struct.unpack(">q", header[4:])[0]
        if header[:4] == b"data":
            end = at + 12 + length
            there = size - at - 12
            known = 4 < length < there - SMALL_BYTES
            if length == -1 or (known and not _is_caf_chunk(file, end, size)):  # -1: to the end
                share = (length - 4) / (there - 4) if known else 1.0  # less the four bytes before the sound
                return FilePart(0, size, {at + 4: struct.pack(">q", there)}, claimed_share=share)
            break
        if length < 0:
            break
        at += 12 + length
    return FilePart(0, size)


def _is_caf_chunk(file: BinaryIO, at: int, size: int) -> bool:
    header = bytes_at(file, at, 12)
    if len(header) < 12 or not all(0x20 <= letter < 0x7F for letter in header[:4]):
        return False
    length: int = struct.unpack(">q", header[4:])[0]
    return 0 <= length <= size - at - 12
