"""How much sound FLAC, Ogg and MP3 files hold, whatever their headers say, and where joined ones begin."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from detector.sources.file_part import MOST_CHUNKS, SMALL_BYTES, FilePart, bytes_at

SCAN_BYTES = 1 << 20
"""Read at a time where a whole file is searched for marks."""

FLAC_MARK = b"fLaC\0\0\0\x22"
OGG_MARK = b"OggS\0\x02"
"""How a FLAC file begins, and a page of Ogg that begins a stream."""

LAYER_3 = 0x02
"""In the second byte of a frame's header."""

RATES_OF_MPEG1 = (44100, 48000, 32000)
"""Hz; MPEG 2 has half of each, 2.5 a quarter."""

KILOBITS_OF_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KILOBITS_OF_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

ENDLESS_FRAMES = 0x7FFFFFF
"""More than any file has: a month at the shortest frame, 24 ms."""

EMPTY_TAG = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
"""An ID3v2.4 tag that holds padding alone, the shortest that libsndfile skips."""


def after_id3(file: BinaryIO, at: int) -> int:
    """Behind the ID3v2 tags that a file may begin with."""
    for _ in range(MOST_CHUNKS):
        head = bytes_at(file, at, 10)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        at += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    return at


def _marks(file: BinaryIO, mark: bytes, at: int, size: int) -> Iterator[int]:
    """Every offset from `at` on where these bytes stand."""
    while at < size:
        data = bytes_at(file, at, SCAN_BYTES + len(mark) - 1)
        index = data.find(mark)
        while index >= 0:
            yield at + index
            index = data.find(mark, index + 1)
        at += SCAN_BYTES


def flac(file: BinaryIO, first: int, size: int) -> Iterator[FilePart]:
    """A FLAC file, and those behind it; killed recorders and pipes leave a wrong length."""
    starts = [first, *_marks(file, FLAC_MARK, first + 4, size)]
    for start, stop in zip(starts, [*starts[1:], size], strict=True):
        yield _flac_part(file, start, stop)


def flac_to(file: BinaryIO, start: int, size: int) -> FilePart:
    """A FLAC file that ends where another one begins, which is found while it is read."""
    return replace(_flac_part(file, start, size), mark=FLAC_MARK, mark_from=start + 4)


def _flac_part(file: BinaryIO, start: int, stop: int) -> FilePart:
    field = bytes_at(file, start + 21, 5)  # STREAMINFO's 36 bits with the number of samples
    if len(field) < 5:
        return FilePart(start, stop)
    claimed = (field[0] & 0x0F) << 32 | int.from_bytes(field[1:], "big")
    if claimed:  # recorders that begin a new file every hour count on, and so from the first file's beginning
        claimed = max(0, claimed - _first_sample(file, start))
    return FilePart(start, stop, {21: bytes([field[0] & 0xF0, 0, 0, 0, 0])}, claimed_frames=claimed)


def _first_sample(file: BinaryIO, start: int) -> int:
    """The number that a FLAC file's first frame gives its first sample; 0 where there is no frame."""
    at = start + 4
    for _ in range(MOST_CHUNKS):
        head = bytes_at(file, at, 4)
        if len(head) < 4:
            return 0
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    frame = bytes_at(file, at, 11)
    if len(frame) < 11 or frame[0] != 0xFF or frame[1] & 0xFE != 0xF8:
        return 0
    length = 8 - (~frame[4] & 0xFF).bit_length()  # of a number coded as UTF-8 codes letters
    number = frame[4] & (0x7F >> length)
    for byte in frame[5 : 4 + length]:
        number = number << 6 | byte & 0x3F
    block = int.from_bytes(bytes_at(file, start + 8, 2), "big")
    return number if frame[1] & 1 else number * block


def ogg(file: BinaryIO, size: int) -> Iterator[FilePart]:
    """The links of a chain: each begins with pages that begin streams."""
    starts, expected = [0], 0
    for at in _marks(file, OGG_MARK, 0, size):
        if at != expected:
            starts.append(at)
        expected = _behind_page(file, at)
    for start, stop in zip(starts, [*starts[1:], size], strict=True):
        yield FilePart(start, stop)


def ogg_to(file: BinaryIO, start: int, size: int) -> FilePart:
    """A link that ends where the next one begins, which is found while it is read."""
    at = start
    for _ in range(MOST_CHUNKS):
        if bytes_at(file, at, len(OGG_MARK)) != OGG_MARK:
            break
        at = _behind_page(file, at)
    return FilePart(start, size, mark=OGG_MARK, mark_from=at)


def _behind_page(file: BinaryIO, at: int) -> int:
    segments = bytes_at(file, at + 26, 1)
    lengths = bytes_at(file, at + 27, segments[0]) if segments else b""
    return at + 27 + len(lengths) + sum(lengths)


def is_mpeg_frame(head: bytes) -> bool:
    """Whether a frame of MPEG audio, layers 1 to 3, begins here."""
    return (
        len(head) == 4
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x18 != 0x08
        and head[1] & 0x06 != 0
        and head[2] & 0xF0 != 0xF0
        and head[2] & 0x0C != 0x0C
    )


def mp3(file: BinaryIO, first: int, size: int) -> Iterator[FilePart]:
    """An MP3, and those behind it: a Xing header counts only the frames of the file it was written for."""
    start, at = 0, first
    for _ in range(MOST_CHUNKS):
        head = bytes_at(file, at, 64)
        counts = _counts(head)
        if counts is None or not counts[0]:
            yield _uncounted(start, at, size, head, is_header=counts is not None)
            return
        claimed = counts[1]
        stop = at + claimed
        if claimed < SMALL_BYTES or stop >= size:
            break
        following = after_id3(file, stop)
        if not is_mpeg_frame(bytes_at(file, following, 4)):
            break
        yield _mpeg(start, at, stop)
        start, at = stop, following
    yield _mpeg(start, at, size)


def _mpeg(start: int, first_frame: int, stop: int, *, length_known: bool = True) -> FilePart:
    """A part that libsndfile knows to be MPEG.

    Where it begins with no tag, or with a tiny one, libsndfile first looks for a Mac's resources in the
    current folder, and takes what it finds there for the sound.
    """
    if first_frame - start >= len(EMPTY_TAG):
        return FilePart(start, stop, length_known=length_known)
    return FilePart(first_frame, stop, length_known=length_known, prefix=EMPTY_TAG)


def _uncounted(start: int, at: int, stop: int, head: bytes, *, is_header: bool) -> FilePart:
    """A part whose frames nobody has counted, or whose writer was killed before it wrote the count.

    libsndfile estimates their number from the first bit rate, and reads no more. So it is given a count that
    is never reached, in a frame of its own; a header without a count (`is_header`) is left out.
    """
    if not is_mpeg_frame(head[:4]) or head[1] & 0x06 != LAYER_3 or head[36:40] == b"VBRI":
        return _mpeg(start, at, stop, length_known=False)
    first = at + (_frame_bytes(head) if is_header else 0)
    return FilePart(first, stop, length_known=False, prefix=EMPTY_TAG + _endless(head))


def _endless(head: bytes) -> bytes:
    """A Xing header in a frame like this one: at the highest bit rate, so that there is room for it."""
    like = bytes([head[0], head[1] | 1, head[2] & 0x0C | 0xE0, head[3]])
    header = like + bytes(_side_bytes(like)) + b"Xing" + struct.pack(">II", 1, ENDLESS_FRAMES)
    return header.ljust(_frame_bytes(like), b"\0")


def _frame_bytes(head: bytes) -> int:
    """Length of a frame of layer 3; 0 for a bit rate that is not in the table."""
    mpeg1 = head[1] & 0x08
    rate = RATES_OF_MPEG1[head[2] >> 2 & 3] >> (0 if mpeg1 else 1 if head[1] & 0x10 else 2)
    kilobits = (KILOBITS_OF_MPEG1 if mpeg1 else KILOBITS_OF_MPEG2)[head[2] >> 4]
    return (144 if mpeg1 else 72) * 1000 * kilobits // rate + (head[2] >> 1 & 1) if kilobits else 0


def _side_bytes(head: bytes) -> int:
    """What lies between the header of a frame of layer 3 and a Xing header."""
    mpeg1, mono = head[1] & 0x08, head[3] & 0xC0 == 0xC0
    return (17 if mono else 32) if mpeg1 else (9 if mono else 17)


def _counts(head: bytes) -> tuple[int, int] | None:
    """Frames and bytes by the Xing or Info header of the first frame; 0: unknown; None: no such header."""
    if not is_mpeg_frame(head[:4]):
        return None
    side = _side_bytes(head)
    header = head[4 + side : 4 + side + 16]
    if header[:4] not in (b"Xing", b"Info") or len(header) < 16:
        return None
    flags, first, second = struct.unpack(">III", header[4:16])
    frames = first if flags & 1 else 0
    return frames, (second if flags & 1 else first) if flags & 2 else 0
