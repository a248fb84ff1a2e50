"""Sound files by libsndfile: WAV, FLAC, OGG, MP3 and what else it reads, part by part."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError, SourceError, UnsupportedFormat
from detector.files.quiet_stderr import quiet_stderr
from detector.sources.file_part import FilePart, PartReader
from detector.sources.file_parts import FileParts, following_part
from detector.sources.sound_place import Place, SoundPlace

RATES_HZ = range(1000, 768_001)
"""What a header may claim; beyond it the header is damaged, and would ask for absurd buffers."""

STREAMED_BYTES = 0x7FFF_F000
"""A WAV written to a pipe claims about this length or more: that is no sign of truncation."""

UNKNOWN_FRAMES = 1 << 60
"""libsndfile's number of frames where there is none is beyond this."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Consecutive frames of a file."""

    samples: NDArray[np.float32] | NDArray[np.int16]
    """Shape (n, channels); valid until the next ones are read."""
    rate: int
    """Hertz."""


class Undecodable(Exception):
    """A decoder cannot go on; its text says why, in one line."""


class SoundFile(Protocol):
    """What is used of soundfile.SoundFile."""

    frames: int
    samplerate: int
    channels: int
    extra_info: str

    def read(self, *, out: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fill the array with frames; return the part of it that was filled."""

    def close(self) -> None:
        """Release the file."""


class SndfileDecoder:
    """Decodes one file, all its parts one after the other."""

    def __init__(self, path: Place, file: FileParts, *, block_seconds: float) -> None:
        self._path = path
        self._kind = file.kind
        self._parts = file.parts
        self._block_seconds = block_seconds
        self._open: SoundFile | None = None
        self._reader: PartReader | None = None
        self.expected_seconds = 0.0
        """Length by the headers of the parts read so far; where they say nothing, as long as the part was."""
        self.understated_seconds = 0.0
        """How much more the file holds than its headers say, of the parts read so far."""

    def decode(self) -> Iterator[Decoded]:
        """Yield the file's frames; raises Undecodable where libsndfile cannot go on.

        UnsupportedFormat for what its header claims, DetectorError where a place elsewhere does not answer.
        """
        if _is_sample_dump(self._path):
            raise Undecodable("it is a MIDI sample dump")
        waiting = deque(self._parts)
        while waiting:
            part = waiting.popleft()
            try:
                yield from self._decode(part)
                stop = self._reader.find_stop() if self._reader and part.mark else part.stop
            except OSError as error:
                raise Undecodable(reason(error)) from error
            finally:
                self.close()
            if stop < part.stop:
                waiting.appendleft(following_part(self._path, self._kind, stop))

    def close(self) -> None:
        """Release the file."""
        if self._open is not None:
            with self._silence():
                self._open.close()
            self._open = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _decode(self, part: FilePart) -> Iterator[Decoded]:
        file = self._open_part(part)
        if file.samplerate not in RATES_HZ:
            raise UnsupportedFormat(
                f"{self._path} claims {file.samplerate} Hz; expected {RATES_HZ[0]} to {RATES_HZ[-1]} Hz"
            )
        rate, got, failure = file.samplerate, 0, ""
        frames = max(1, round(self._block_seconds * rate))
        out = np.empty((frames, file.channels), np.float32)
        while True:
            out.fill(np.nan)
            try:
                with self._silence():
                    samples = file.read(out=out)
            except module().SoundFileError as error:
                failure = reason(error)
                samples = out[: _filled(out)]
            failure = self._read_failure() or failure
            if len(samples) == 0:
                break
            got += len(samples)
            yield Decoded(samples, rate)
            if failure:
                break
        self._compare(part, file, got)
        if failure:
            raise Undecodable(failure)

    def _open_part(self, part: FilePart) -> SoundFile:
        as_it_is = not part.corrections and not part.prefix
        whole = isinstance(self._path, Path) and part.start == 0 and as_it_is and len(self._parts) == 1
        try:
            with self._silence():
                if (
                    isinstance(self._path, Path) and whole
                ):  # by its number: libsndfile believes a name that ends in .mp3
                    self._open = stream_class()(os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
                else:
                    self._reader = PartReader(self._path, part)
                    try:
                        self._open = stream_class()(self._reader)
                    except MemoryError:
                        # Where no memory may be written and run (the service), libsndfile cannot call back.
                        self._open = stream_class()(_copied(self._reader))
        except (module().SoundFileError, OSError, TypeError) as error:
            raise Undecodable(self._read_failure() or reason(error)) from error
        return self._open

    def _read_failure(self) -> str:
        """Why a part could not be read, where it is a file of this machine; elsewhere that is an error."""
        failure = None if self._reader is None else self._reader.failure
        if isinstance(failure, DetectorError):
            raise failure
        return "" if failure is None else failure.strerror or reason(failure)

    def _compare(self, part: FilePart, file: SoundFile, got: int) -> None:
        """Add up what the header says and what there was."""
        rate = file.samplerate
        claimed = _claimed_frames(file) if part.claimed_frames is None else part.claimed_frames
        # libsndfile looks for the length of an Ogg file at its end, where another one may be.
        is_joined = self._kind == "OGG" and self._reader is not None and self._reader.stop < part.stop
        known = part.length_known and 0 < claimed < UNKNOWN_FRAMES and not is_joined
        self.understated_seconds += got / rate * (1 - part.claimed_share)
        if part.claimed_frames and got > part.claimed_frames:
            self.understated_seconds += (got - part.claimed_frames) / rate
        self.expected_seconds += max(got, claimed if known else 0) / rate

    def _silence(self) -> AbstractContextManager[None]:
        """libmpg123 writes to standard error, also about intact files."""
        return quiet_stderr() if self._kind in ("MP3", "") else nullcontext()


def header_seconds(path: Place) -> float | None:
    """The length [s] in the file's header; None where libsndfile does not know it.

    Raises DetectorError where a place elsewhere does not answer.
    """
    if not isinstance(path, Path):
        return _header_seconds_elsewhere(path)
    try:
        return None if _is_sample_dump(path) else _info_seconds(native_path(path))
    except (OSError, SourceError):
        return None


def _header_seconds_elsewhere(place: SoundPlace) -> float | None:
    if _is_sample_dump(place):
        return None
    with place.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
    reader = PartReader(place, FilePart(0, size))
    try:
        seconds = _info_seconds(reader)
    finally:
        reader.close()
    if isinstance(reader.failure, DetectorError):
        raise reader.failure
    return seconds


def _info_seconds(file: Path | bytes | PartReader) -> float | None:
    try:
        with quiet_stderr():
            info = module().info(file)
        seconds = float(info.frames / info.samplerate)
    except (OSError, RuntimeError, ZeroDivisionError, TypeError):
        return None
    return seconds if 0 < info.frames < UNKNOWN_FRAMES else None


def _is_sample_dump(path: Place) -> bool:
    """Whether it is of the one format whose reader writes to standard output, where events go. OSError."""
    with path.open("rb") as file:
        head = file.read(4)
    return head[:2] == b"\xf0\x7e" and head[3:] == b"\x01"


def native_path(path: Path) -> Path | bytes:
    """As soundfile takes any name: it cannot encode one that is no text."""
    return os.fsencode(path) if os.name == "posix" else path


def module() -> ModuleType:
    """The package soundfile; raises SourceError where it cannot be imported."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, libsndfile is not
        raise SourceError(
            f"sound files need the package soundfile ({error}): pip install soundfile"
        ) from error
    loaded: ModuleType = soundfile
    return loaded


@lru_cache(maxsize=1)
def _copied(part: PartReader) -> int:
    """The descriptor of a copy that is gone when it is closed."""
    part.seek(0)
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(part, copy)
        copy.seek(0)
        return os.dup(copy.fileno())


def stream_class() -> type:
    """A SoundFile that is only read forward.

    soundfile seeks after each read, to where it is already. That fails in FLAC files whose frames do not
    count from 0, as recorders make them that start a new file every hour, and at the end of those without
    length.
    """

    class Stream(module().SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return Stream


def reason(error: Exception) -> str:
    """libsndfile's own words in one line, without the path that ours begins with."""
    text = str(getattr(error, "error_string", "") or error).strip().rstrip(".")
    if "does not exist" in text:  # said of files whose name says MP3 and whose content is something else
        text = "the format is not recognised"
    return " ".join(text.split()) or "the data are damaged"


def _filled(out: NDArray[np.float32]) -> int:
    """How many frames were written over the NaN that had been there."""
    empty = np.flatnonzero(np.isnan(out).all(axis=1))
    return int(empty[0]) if len(empty) else len(out)


def _claimed_frames(file: SoundFile) -> int:
    """How many frames the header promises: libsndfile corrects a short WAV, and only its log shows it."""
    claim = re.search(r"^data *: (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if claim is None or int(claim[1]) >= STREAMED_BYTES or int(claim[2]) == 0:
        return int(file.frames)
    return int(file.frames * int(claim[1]) / int(claim[2]))
