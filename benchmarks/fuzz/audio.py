"""Sound from strangers: damaged files with headers that lie, and bytes on standard input."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from typing import cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzz.lies import lying
from benchmarks.fuzz.target import Finding, Run, Target
from detector.interfaces import Source
from detector.sources.pipe import Pipe
from detector.sources.recording import Recording
from detector.sources.sndfile import header_seconds
from detector.sources.starttime import start_of

_RATE = 16000
_BLOCK = 1600
_NO_PROGRAM = "no-such-program"
"""In place of ffmpeg."""
_LONGEST = 60 * _RATE
"""No seed lasts a second; what a damaged one claims is read no further than this."""


def _check(source: Source) -> int:
    """Read to the end; the number of samples. Blocks follow on each other and are int16."""
    stop = 0
    for block in source.blocks():
        if block.start != stop or block.samples.dtype != np.int16 or not len(block.samples):
            raise Finding(f"a block of {block.samples.dtype} at {block.start}, expected int16 at {stop}")
        stop = block.stop
        if stop > _LONGEST:
            break
    source.close()
    return stop


def _files(suffix: str, program: str = _NO_PROGRAM) -> Callable[[Path], AbstractContextManager[Run]]:
    """Inputs are files. A file that libsndfile refuses goes to `program`: to start ffmpeg takes 0.1 s."""

    @contextmanager
    def target(folder: Path) -> Iterator[Run]:
        # A name that is wrong must not decide: libsndfile believes one that ends in .mp3.
        paths = [folder / f"sound.{ending}" for ending in (suffix, suffix, suffix, "mp3", "wav", "x")]

        def run(data: bytes) -> None:
            path = paths[crc32(data) % len(paths)]
            path.write_bytes(_with_checksums(data) if suffix == "ogg" and len(data) % 2 else data)
            _check_facts(header_seconds(path), start_of(path))
            dated = program != _NO_PROGRAM  # to ask when a recording began may start ffprobe
            _check(Recording(path=path, sample_rate=_RATE, block_length=_BLOCK, program=program, dated=dated))

        yield run

    return target


def _check_facts(seconds: float | None, start: float | None) -> None:
    for fact in (seconds, start):
        if fact is not None and not math.isfinite(fact):
            raise Finding(f"a recording of {seconds} s from {start}")


def _with_checksums(data: bytes) -> bytes:
    """OGG pages with damage that their checksums do not tell of, so that the decoders behind see it."""
    mended = bytearray(data)
    at = mended.find(b"OggS")
    while at >= 0:
        following = mended.find(b"OggS", at + 4)
        page = mended[at : following if following >= 0 else len(mended)]
        if len(page) >= 27:
            page[22:26] = bytes(4)
            mended[at + 22 : at + 26] = _checksum(bytes(page)).to_bytes(4, "little")
        at = following
    return bytes(mended)


def _checksum(page: bytes) -> int:
    """As RFC 3533 has it: the polynomial 0x04c11db7, not reflected, from 0."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[(value >> 24) ^ byte]
    return value


def _crc_of(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


_CRC = [_crc_of(byte) for byte in range(256)]


class _Dribble(io.RawIOBase):
    """A stream that gives what it likes, as pipes do."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self._random = Random(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._random.randrange(1, size + 1))


@contextmanager
def _pipes(folder: Path) -> Iterator[Run]:
    def run(data: bytes) -> None:
        rate, channels = (_RATE, 8000, 44100, 48000)[len(data) % 4], (1, 1, 2, 6)[len(data) // 4 % 4]
        stream = cast("io.BufferedReader", _Dribble(data))
        pipe = Pipe(stream=stream, sample_rate=_RATE, input_rate=rate, channels=channels, block_length=_BLOCK)
        got = _check(pipe)
        expected = len(data) // (2 * channels) * _RATE / rate
        if abs(got - expected) > 1:
            raise Finding(f"{got} samples of a pipe that held {expected}")

    yield run


def _sound(rate: int, channels: int, seconds: float) -> NDArray[np.float64]:
    t = np.arange(round(rate * seconds)) / rate
    mono = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.05 * np.random.default_rng(1).standard_normal(len(t))
    return np.stack([mono] * channels, axis=1)


def _written(format: str, seconds: float, *kinds: tuple[str, int, int]) -> Callable[[], Sequence[bytes]]:
    """Seeds of one format: subtype, rate, channels."""

    def seeds() -> Sequence[bytes]:
        import soundfile

        files = []
        for subtype, rate, channels in kinds:
            file = io.BytesIO()
            soundfile.write(file, _sound(rate, channels, seconds), rate, format=format, subtype=subtype)
            files.append(file.getvalue())
        return files

    return seeds


_RAW = _sound(_RATE, 1, 0.3)
_WAVS = _written(
    "WAV",
    0.1,
    ("PCM_16", 16000, 1),
    ("FLOAT", 48000, 2),
    ("PCM_24", 8000, 1),
    ("IMA_ADPCM", 22050, 1),
    ("MS_ADPCM", 22050, 2),
    ("ULAW", 8000, 1),
    ("GSM610", 8000, 1),
)
_RF64S = _written("RF64", 0.1, ("PCM_16", 16000, 1), ("FLOAT", 48000, 2))
_FLACS = _written("FLAC", 0.6, ("PCM_16", 16000, 1), ("PCM_24", 44100, 2), ("PCM_S8", 8000, 1))
_OGGS = _written("OGG", 0.8, ("VORBIS", 16000, 1), ("VORBIS", 44100, 2), ("OPUS", 48000, 1))
_MP3S = _written("MP3", 0.2, ("MPEG_LAYER_III", 16000, 1), ("MPEG_LAYER_III", 44100, 2))
_AIFFS = _written("AIFF", 0.1, ("PCM_16", 16000, 1), ("FLOAT", 48000, 2), ("IMA_ADPCM", 22050, 1))
_OTHERS = (
    *(
        (_written("AU", 0.1, ("PCM_16", 16000, 1), ("ULAW", 8000, 1))),
        _written("IRCAM", 0.1, ("PCM_16", 16000, 1)),
    ),
    *(
        _written("CAF", 0.1, ("PCM_16", 16000, 1), ("ALAC_16", 44100, 2)),
        _written("VOC", 0.1, ("PCM_U8", 8000, 1)),
    ),
    *(_written("W64", 0.1, ("PCM_16", 16000, 1)), _written("WAVEX", 0.1, ("PCM_24", 48000, 4))),
    *(_written("SVX", 0.1, ("PCM_16", 16000, 1)), _written("NIST", 0.1, ("PCM_16", 16000, 1))),
    *(_written("PAF", 0.1, ("PCM_16", 16000, 1)), _written("SDS", 0.1, ("PCM_16", 16000, 1))),
    *(_written("MAT5", 0.1, ("PCM_16", 16000, 1)), _written("PVF", 0.1, ("PCM_16", 16000, 1))),
)


def _all_others() -> Sequence[bytes]:
    return [data for written in _OTHERS for data in written()]


def _one_of_each() -> Sequence[bytes]:
    return [files()[0] for files in (_WAVS, _FLACS, _OGGS, _MP3S, _AIFFS, *_OTHERS)]


TARGETS = (
    Target(
        "WAV file",
        80,
        lambda: lying((*_WAVS(), *_RF64S()), 900),
        _files("wav"),
        (
            b"RIFF",
            b"RIFX",
            b"RF64",
            b"WAVE",
            b"fmt ",
            b"data",
            b"ds64",
            b"fact",
            b"LIST",
            b"bext",
            b"guan",
            b"PEAK",
        ),
        guided=False,
    ),
    Target(
        "FLAC file",
        60,
        lambda: lying(_FLACS(), 500),
        _files("flac"),
        (b"fLaC", b"ID3", b"\xff\xf8"),
        guided=False,
    ),
    Target(
        "OGG file",
        60,
        lambda: lying(_OGGS(), 700),
        _files("ogg"),
        (b"OggS", b"vorbis", b"OpusHead", b"OpusTags", b"OggS\0\x02", b"OggS\0\x04"),
        guided=False,
    ),
    Target(
        "MP3 file",
        50,
        lambda: lying(_MP3S(), 400),
        _files("mp3"),
        (b"\xff\xfb", b"\xff\xf3", b"ID3", b"Xing", b"Info", b"LAME", b"VBRI", b"TAG", b"APETAGEX"),
        guided=False,
    ),
    Target(
        "AIFF file",
        30,
        lambda: lying(_AIFFS(), 400),
        _files("aiff"),
        (b"FORM", b"AIFF", b"AIFC", b"COMM", b"SSND", b"NONE", b"sowt", b"fl32"),
        guided=False,
    ),
    Target(
        "other sound file",
        40,
        lambda: lying(_all_others(), 900),
        _files("caf"),
        (b".snd", b"caff", b"desc", b"data", b"pakt", b"riff", b"VHDR", b"BODY", b"NIST_1A", b"sample_rate"),
        guided=False,
    ),
    Target(
        "sound file and ffmpeg",
        4,
        lambda: lying(_one_of_each(), 900),
        _files("x", "ffmpeg"),
        (b"ftyp", b"moov", b"mdat", b"#EXTM3U", b"file ", b"concat:", b"\x1aE\xdf\xa3", b"OggS", b"fLaC"),
        guided=False,
    ),
    Target(
        "raw pipe",
        30,
        lambda: ((_RAW * 32767).astype("<i2").tobytes(), b"\0", b"RIFF" + b"\0" * 40),
        _pipes,
        guided=False,
    ),
)
