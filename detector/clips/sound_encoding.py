"""Sound as the bytes of a file: FLAC, WAV or Opus."""

from __future__ import annotations

import io
import os
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.errors import ClipError

ClipFormat = Literal["flac", "wav", "opus"]

_KINDS = {"flac": ("FLAC", "PCM_16"), "wav": ("WAV", "PCM_16"), "opus": ("OGG", "OPUS")}
SUFFIXES = {"flac": ".flac", "wav": ".wav", "opus": ".opus"}

OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
"""Rates that Opus takes; other sound is resampled to the next higher one, or to the highest."""


def encoded(samples: NDArray[np.int16], rate: int, kind: ClipFormat) -> bytes:
    """Encode mono sound int16 (n,); raises ClipError where that cannot be.

    In memory, so that a full disk is a plain OSError of whoever writes the bytes. In pieces of a second:
    libsndfile ends the process where some of its encoders get more at once.
    """
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, libsndfile is not
        raise ClipError(f"clips need the package soundfile ({error}): pip install soundfile") from error
    if kind == "opus" and rate not in OPUS_RATES:
        samples, rate = _at_opus_rate(samples, rate)
    form, subtype = _KINDS[kind]

    def write(target: io.BytesIO | int) -> None:
        with soundfile.SoundFile(target, "w", rate, 1, subtype, format=form, closefd=False) as file:
            for start in range(0, len(samples), rate):
                file.write(samples[start : start + rate])

    try:
        memory = io.BytesIO()
        try:
            write(memory)
            return memory.getvalue()
        except MemoryError:  # soundfile's callbacks need memory to write and execute: MemoryDenyWriteExecute
            if not hasattr(os, "memfd_create"):
                raise
        with os.fdopen(os.memfd_create("clip"), "w+b", buffering=0) as descriptor:
            write(descriptor.fileno())
            descriptor.seek(0)
            return descriptor.read()
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise ClipError(f"{kind} cannot be encoded here: {error}") from error


def _at_opus_rate(samples: NDArray[np.int16], rate: int) -> tuple[NDArray[np.int16], int]:
    import soxr

    wanted = next((known for known in OPUS_RATES if known >= rate), OPUS_RATES[-1])
    resampled: NDArray[np.int16] = soxr.resample(samples, rate, wanted)
    return resampled, wanted
