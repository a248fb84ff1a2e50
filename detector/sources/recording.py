"""A sound file as a source: WAV, FLAC, OGG, MP3 and what else libsndfile reads, streamed.

A file that breaks off is delivered as far as it can be read, with a warning; one without a
single sample is an error. Memory does not grow with the file.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError, UnsupportedFormat
from detector.records import Block
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter

log = logging.getLogger(__name__)

RATES_HZ = range(1000, 768_001)
"""What a header may claim; beyond it the header is damaged, and would ask for absurd buffers."""

STREAMED_BYTES = 0x7FFF_F000
"""A WAV written to a pipe claims about this length or more: that is no sign of truncation."""


class SoundFile(Protocol):
    """What is used of soundfile.SoundFile."""

    frames: int
    samplerate: int
    channels: int
    extra_info: str

    def read(self, frames: int, *, dtype: str, always_2d: bool) -> NDArray[np.float32]:
        """Return up to so many frames, shape (n, channels)."""

    def close(self) -> None:
        """Release the file."""


class Recording:
    """Read one file, at full speed or, with `realtime`, at the speed of its sound."""

    def __init__(
        self,
        *,
        path: str | Path,
        sample_rate: int,
        block_length: int,
        realtime: bool = False,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._path = Path(path)
        self._sample_rate = sample_rate
        self._block_length = block_length
        self._realtime = realtime
        self._name = name or str(path)
        self._clock = clock
        self._sleep = sleep
        self._file: SoundFile | None = None

    @property
    def name(self) -> str:
        """The given name, or the file's path."""
        return self._name

    @property
    def live(self) -> bool:
        """True when played in real time."""
        return self._realtime

    @property
    def immediate(self) -> bool:
        """True at full speed."""
        return not self._realtime

    def blocks(self) -> Iterator[Block]:
        """Yield the file as blocks of `block_length`, the last one shorter; raises UnsupportedFormat."""
        return self._paced(self._decoded()) if self._realtime else self._decoded()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _paced(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Hold each block back until its last sample would have sounded; deadlines, so nothing drifts."""
        began: float | None = None
        for block in blocks:
            began = self._clock() if began is None else began
            wait = began + block.stop / self._sample_rate - self._clock()
            if wait > 0:
                self._sleep(wait)
            yield block

    def _decoded(self) -> Iterator[Block]:
        soundfile = _soundfile()
        self._check_readable()
        try:
            file: SoundFile = soundfile.SoundFile(native_path(self._path))
        except soundfile.SoundFileError as error:
            raise UnsupportedFormat(
                f"cannot decode {self._path}: {_reason(error)}; expected WAV, FLAC, OGG or MP3 "
                f"(others: ffmpeg -i {self._path.name} sound.wav)"
            ) from error
        self._file = file
        try:
            yield from self._read(file, soundfile)
        finally:
            self.close()

    def _check_readable(self) -> None:
        try:
            status = self._path.stat()
            if S_ISDIR(status.st_mode):
                raise UnsupportedFormat(f"{self._path} is a folder; expected a sound file")
            if not S_ISREG(status.st_mode):
                raise UnsupportedFormat(
                    f"{self._path} is not a regular file; a stream of raw samples goes to --input -"
                )
            with self._path.open("rb"):
                pass
        except OSError as error:
            raise UnsupportedFormat(
                f"cannot read {self._path}: {error.strerror}; expected a sound file"
            ) from error
        if status.st_size == 0:
            raise UnsupportedFormat(f"{self._path} is empty (0 bytes); expected a sound file")
        if self._path.suffix.lower() == ".raw":
            raise UnsupportedFormat(f"{self._path} has no header; send raw samples with --input - and --rate")

    def _read(self, file: SoundFile, soundfile: ModuleType) -> Iterator[Block]:
        if file.frames == 0:
            raise UnsupportedFormat(f"{self._path} holds 0 samples; expected at least one")
        if file.samplerate not in RATES_HZ:
            raise UnsupportedFormat(
                f"{self._path} claims {file.samplerate} Hz; expected {RATES_HZ[0]} to {RATES_HZ[-1]} Hz"
            )
        converter = Converter(
            input_rate=file.samplerate, output_rate=self._sample_rate, channels=file.channels
        )
        cutter = Cutter(block_length=self._block_length, sample_rate=self._sample_rate)
        frames = max(1, self._block_length * file.samplerate // self._sample_rate)
        expected, got, damage = _claimed_frames(file), 0, ""
        while True:
            try:
                samples = file.read(frames, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                damage = _reason(error)
                break
            if len(samples) == 0:
                break
            got += len(samples)
            known_bad = converter.non_finite
            yield from cutter.push(converter.push(samples))
            if converter.non_finite and not known_bad:
                log.warning(
                    "source.not_finite source=%s: NaN or infinite samples are read as silence", self._name
                )
        yield from cutter.push(converter.flush())
        yield from cutter.flush()
        if got == 0:
            raise UnsupportedFormat(f"cannot decode {self._path}: {damage or 'it holds 0 samples'}")
        if got < expected or damage:
            log.warning(
                "source.truncated source=%s read_seconds=%.3f expected_seconds=%.3f%s",
                self._name,
                got / file.samplerate,
                expected / file.samplerate,
                f" error={damage}" if damage else "",
            )


def native_path(path: Path) -> Path | bytes:
    """As soundfile takes any name: it cannot encode one that is no text."""
    return os.fsencode(path) if os.name == "posix" else path


def _soundfile() -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, libsndfile is not
        raise SourceError(
            f"sound files need the package soundfile ({error}): pip install soundfile"
        ) from error
    module: ModuleType = soundfile
    return module


def _reason(error: Exception) -> str:
    """libsndfile's own words in one line, without the path that ours begins with."""
    text = str(getattr(error, "error_string", "") or error).strip().rstrip(".")
    return " ".join(text.split()) or "the data are damaged"


def _claimed_frames(file: SoundFile) -> int:
    """How many frames the header promises: libsndfile corrects a short WAV, and only its log shows it."""
    claim = re.search(r"^data *: (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if claim is None or int(claim[1]) >= STREAMED_BYTES or int(claim[2]) == 0:
        return int(file.frames)
    return int(file.frames * int(claim[1]) / int(claim[2]))
