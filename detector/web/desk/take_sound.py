"""The sound of a take without numpy: 16-bit WAV made and read, its loudness measured, uploads checked."""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from dataclasses import dataclass

from detector.datasets.clip_quality import (
    CLIPPED_SAMPLES,
    FLOOR_PERCENTILE,
    FULL_SCALE,
    LEAST_OVER_DB,
    LOWEST_DBFS,
    Verdict,
)
from detector.web.desk.refusals import Refused

MOST_BYTES = 12_000_000
"""The longest upload: a minute of 48 kHz stereo in 16 bits."""
MOST_SECONDS, LEAST_SECONDS = 60.0, 0.3
LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 8000, 192000, 8
FRAME_SECONDS = 0.03
SMOOTHING_FRAMES = 3
"""Frames in one level: the loudest 90 ms count."""
LOUD_DBFS = -30.0
"""A peak above this is no quiet sound, even one that fills the whole take."""
_FLAC_HEAD = 42
"""Bytes of the mark and the first block of a FLAC file, RFC 9639 section 8.2."""


@dataclass(frozen=True, slots=True)
class TakeFacts:
    """What is known of a take's sound."""

    seconds: float
    quality: str
    """`good`, `too quiet`, `clipped`, `digital silence`, or `not measured` for a FLAC file."""
    advice: str = ""
    over_db: float | None = None
    """The loudest 90 ms over the quietest tenth."""
    peak_dbfs: float | None = None


def wav_bytes(samples: bytes, rate: int) -> bytes:
    """A WAV file of 16-bit little-endian samples of one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples)
    return file.getvalue()


def as_take(content: bytes) -> tuple[bytes, str]:
    """What is kept of an upload, and the ending of its file's name; raises Refused where it is no good sound.

    A WAV file becomes one channel; a FLAC file stays as it is.
    """
    if content[:4] == b"fLaC":
        _check_flac(content)
        return content, ".flac"
    samples, rate = _read_wav(content)
    return wav_bytes(samples.tobytes(), rate), ".wav"


def facts_of_take(content: bytes, *, room: bool) -> TakeFacts:
    """Measure a take that `as_take` or `wav_bytes` made; `room`: it need not be louder than the room."""
    if content[:4] == b"fLaC":
        return TakeFacts(_check_flac(content), "not measured")
    samples, rate = _read_wav(content)
    seconds = len(samples) / rate
    peak = _dbfs(max(max(samples), -min(samples)) / FULL_SCALE)
    levels = _levels(samples, max(1, round(FRAME_SECONDS * rate)))
    over = max(levels) - max(LOWEST_DBFS, levels_percentile(levels))
    verdict = Verdict.GOOD
    if min(samples) == max(samples):
        verdict, over = Verdict.SILENT, 0.0
    elif sum(map(samples.count, (FULL_SCALE, -FULL_SCALE, -FULL_SCALE - 1))) >= CLIPPED_SAMPLES:
        verdict = Verdict.CLIPPED
    elif not room and over < LEAST_OVER_DB and peak < LOUD_DBFS:
        verdict = Verdict.TOO_QUIET
    return TakeFacts(round(seconds, 2), verdict.text, verdict.advice, round(over, 1), round(peak, 1))


def parts_of_take(content: bytes, seconds: float) -> list[bytes]:
    """A WAV file cut into parts of so many seconds; a rest that is shorter than half of one goes."""
    samples, rate = _read_wav(content)
    length = round(seconds * rate)
    pieces = [samples[start : start + length] for start in range(0, len(samples), length)]
    whole = [piece for piece in pieces if len(piece) * 2 >= length] or [samples]
    return [wav_bytes(piece.tobytes(), rate) for piece in whole]


def levels_percentile(levels: list[float]) -> float:
    """The level of the room: so many per cent of the levels are below it."""
    return sorted(levels)[len(levels) * FLOOR_PERCENTILE // 100]


def _levels(samples: array[int], frame: int) -> list[float]:
    """Levels of 90 ms, one for each frame [dB re full scale]."""
    powers = []
    for start in range(0, len(samples), frame):
        part = samples[start : start + frame]
        powers.append(sum(map(int.__mul__, part, part)) / len(part) / FULL_SCALE**2)
    smooth = [
        sum(powers[max(0, i - SMOOTHING_FRAMES + 1) : i + 1]) / min(i + 1, SMOOTHING_FRAMES)
        for i in range(len(powers))
    ]
    return [max(LOWEST_DBFS, 10 * math.log10(power)) if power > 0 else LOWEST_DBFS for power in smooth]


def _dbfs(peak: float) -> float:
    return max(LOWEST_DBFS, 20 * math.log10(min(peak, 1.0))) if peak > 0 else LOWEST_DBFS


def _read_wav(content: bytes) -> tuple[array[int], int]:
    """Samples of one channel and their rate; raises Refused."""
    try:
        with wave.open(io.BytesIO(content)) as reader:
            channels, width, rate = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            frames = reader.getnframes()
            if width != 2:
                raise Refused(422, f"expected a WAV file of 16 bits, got {8 * width} bits")
            _check_form(rate, channels, frames)
            samples = array("h", reader.readframes(frames)[: 2 * channels * frames])
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:
        reason = f": {error}" if str(error) else ""
        raise Refused(422, f"expected a WAV or FLAC file, got something else{reason}") from error
    if sys.byteorder == "big":
        samples.byteswap()
    if channels > 1:
        frames = len(samples) // channels
        columns = [samples[channel : frames * channels : channels] for channel in range(channels)]
        samples = array("h", (sum(row) // channels for row in zip(*columns, strict=True)))
    _check_form(rate, 1, len(samples))
    return samples, rate


def _check_flac(content: bytes) -> float:
    """The length [s] of a FLAC file by its own head; raises Refused."""
    if len(content) < _FLAC_HEAD or content[4] & 0x7F or int.from_bytes(content[5:8], "big") != 34:
        raise Refused(422, "expected a WAV or FLAC file, got a damaged one")
    packed = int.from_bytes(content[18:26], "big")
    rate, channels, frames = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    _check_form(rate, channels, frames)
    return round(frames / rate, 2)


def _check_form(rate: int, channels: int, frames: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE or not 1 <= channels <= MOST_CHANNELS:
        raise Refused(
            422, f"expected {LOWEST_RATE} to {HIGHEST_RATE} Hz and at most {MOST_CHANNELS} channels"
        )
    if not LEAST_SECONDS <= frames / rate <= MOST_SECONDS:
        raise Refused(
            422, f"expected {LEAST_SECONDS} to {MOST_SECONDS:.0f} s of sound, got {frames / rate:.1f}"
        )
