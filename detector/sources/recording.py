"""A recording as a source: whatever libsndfile reads, or ffmpeg where that fails, streamed.

The content decides how a file is read, not its name. A file that breaks off is delivered as far as it can be
read, with a warning; one without a single sample is an error. Memory does not grow with the file.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from detector.config.wording import nearest_file
from detector.errors import UnsupportedFormat
from detector.records import Block
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter
from detector.sources.ffmpeg import HOW_TO_INSTALL, NO_TRACK, FfmpegDecoder, probe
from detector.sources.file_parts import read_parts
from detector.sources.sndfile import Decoded, SndfileDecoder, Undecodable, header_seconds
from detector.sources.sound_place import Place
from detector.sources.starttime import start_in_tag, start_of

log = logging.getLogger(__name__)

SLACK_SECONDS = 0.001
"""Lengths that differ by less are equal."""


class Recording:
    """Read one file, at full speed or, with `realtime`, at the speed of its sound.

    `dated`: blocks have the time at which they were recorded, where the file's name or content tells that; a
    file that is played in real time is dated as it is played. `program` is asked where libsndfile fails.
    """

    def __init__(
        self,
        *,
        path: str | Place,
        sample_rate: int,
        block_length: int,
        realtime: bool = False,
        name: str | None = None,
        dated: bool = False,
        program: str = "ffmpeg",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._path = Path(path) if isinstance(path, str) else path
        self._sample_rate = sample_rate
        self._block_length = block_length
        self._realtime = realtime
        self._name = name or str(path)
        self._clock = clock
        self._sleep = sleep
        self._dated = dated
        self._program = program
        self._decoder: SndfileDecoder | FfmpegDecoder | None = None
        self.damage = ""
        """What is missing or damaged, once the end was reached; empty where nothing is."""

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
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

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
        self.damage = ""
        check_readable(self._path)
        start = self._start()
        conversion = _Conversion(self.name, self._sample_rate, self._block_length)
        for block in self._converted(conversion):
            if start is None:
                yield block
            else:
                yield Block(block.start, block.samples, start + block.stop / self._sample_rate)

    def _start(self) -> float | None:
        """UTC seconds at which the recording began, where events are to be dated by it."""
        return None if not self._dated or self._realtime else length_and_start(self._path)[1]

    def _converted(self, conversion: _Conversion) -> Iterator[Block]:
        try:
            parts = read_parts(self._path)
        except OSError as error:
            raise _unreadable(self._path, error) from error
        if not parts.kind and self._path.suffix.lower() == ".raw":
            raise UnsupportedFormat(f"{self._path} has no header; send raw samples with --input - and --rate")
        sndfile = SndfileDecoder(self._path, parts, block_seconds=self._block_length / self._sample_rate)
        self._decoder = sndfile
        try:
            for decoded in sndfile.decode():
                yield from conversion.push(decoded)
        except Undecodable as error:
            self._check_still_there()
            yield from self._converted_by_ffmpeg(conversion, str(error), parts.kind)
        finally:
            self.close()
        yield from conversion.flush()
        if not conversion.seconds:
            raise UnsupportedFormat(f"{self._path} holds 0 samples; expected at least one")
        if not isinstance(self._path, Path):
            self._path.check_unchanged()
        self._judge(conversion.seconds, sndfile)

    def _converted_by_ffmpeg(self, conversion: _Conversion, failure: str, kind: str) -> Iterator[Block]:
        """Go on where libsndfile could not, for the reason given."""
        before = conversion.seconds
        decoder = FfmpegDecoder(self._path, program=self._program)
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = decoder
        if before and not decoder.installed:
            self.damage = failure
            return
        try:
            for decoded in decoder.decode(skip_seconds=before):
                yield from conversion.push(decoded)
        except Undecodable as error:
            if not conversion.seconds:
                raise UnsupportedFormat(self._undecodable(failure, str(error), decoder)) from error
        # libsndfile dislikes how recorders that begin a new OGG every hour end one; there ffmpeg decides.
        self.damage = decoder.damage or (failure if before and kind != "OGG" else "")

    def _undecodable(self, failure: str, complaint: str, decoder: FfmpegDecoder) -> str:
        if not decoder.installed:
            return (
                f"cannot decode {self._path}: {failure}; expected WAV, FLAC, OGG or MP3; "
                f"other kinds need ffmpeg, which is not installed: {HOW_TO_INSTALL}"
            )
        if complaint == NO_TRACK:
            return f"cannot decode {self._path}: {complaint}"
        return (
            f"cannot decode {self._path}: {failure}; expected WAV, FLAC, OGG or MP3, or what ffmpeg reads "
            f"(it says: {complaint})"
        )

    def _check_still_there(self) -> None:
        """Raise UnsupportedFormat where a file breaks off because its share went away."""
        if isinstance(self._path, Path):
            check_readable(self._path)
            try:
                with self._path.open("rb") as file:
                    file.seek(-1, os.SEEK_END)
                    file.read(1)
            except OSError as error:
                raise _unreadable(self._path, error) from error

    def _judge(self, seconds: float, sndfile: SndfileDecoder) -> None:
        """Say what is missing, and what the header does not know of."""
        missing = sndfile.expected_seconds - seconds > SLACK_SECONDS
        if missing:
            self._check_still_there()
        if missing or self.damage:
            expected = max(seconds, sndfile.expected_seconds)
            error = f" error={self.damage}" if self.damage else ""
            self.damage = self.damage or "it breaks off"
            log.warning(
                "source.truncated source=%s read_seconds=%.3f expected_seconds=%s%s",
                self.name,
                seconds,
                f"{expected:.3f}" if missing else "unknown",
                error,
            )
        elif sndfile.understated_seconds > SLACK_SECONDS:
            log.warning(
                "source.header_short source=%s header_seconds=%.3f read_seconds=%.3f: "
                "the file holds more sound than its header says; all of it was read",
                self.name,
                max(0.0, seconds - sndfile.understated_seconds),
                seconds,
            )


class _Conversion:
    """Decoded frames to blocks; whoever decodes them, and also where their rate changes."""

    def __init__(self, name: str, sample_rate: int, block_length: int) -> None:
        self._name = name
        self._sample_rate = sample_rate
        self._cutter = Cutter(block_length=block_length, sample_rate=sample_rate)
        self._converter: Converter | None = None
        self._form = (0, 0)
        self._warned: set[str] = set()
        self.seconds = 0.0
        """Length of what was pushed."""

    def push(self, decoded: Decoded) -> Iterator[Block]:
        """Take the next frames."""
        form = (decoded.rate, decoded.samples.shape[1])
        if self._converter is None or form != self._form:
            if self._converter is not None:
                yield from self._cutter.push(self._converter.flush())
            self._form = form
            self._converter = Converter(input_rate=form[0], output_rate=self._sample_rate, channels=form[1])
        self.seconds += len(decoded.samples) / decoded.rate
        yield from self._cutter.push(self._converter.push(decoded.samples))
        if self._converter.non_finite:
            self._warn("source.not_finite", "NaN or infinite samples are read as silence")
        if self._converter.channel_fault:
            self._warn("source.channels", self._converter.channel_fault)

    def flush(self) -> Iterator[Block]:
        """The recording has ended."""
        if self._converter is not None:
            yield from self._cutter.push(self._converter.flush())
        yield from self._cutter.flush()

    def _warn(self, event: str, text: str) -> None:
        if event not in self._warned:
            self._warned.add(event)
            log.warning("%s source=%s: %s", event, self._name, text)


def length_and_start(path: Place) -> tuple[float | None, float | None]:
    """Seconds, and UTC seconds of its beginning, as the file's name and content tell them; None: unknown.

    Raises UnsupportedFormat where there is no regular file, DetectorError where its place does not answer.
    """
    check_readable(path)
    length, start = header_seconds(path), start_of(path)
    if length is not None:
        return length, start
    if not isinstance(path, Path) and read_parts(path).kind:
        return None, start  # no reason to copy it
    length, tag = probe(path)
    return length, start_in_tag(tag) if start is None else start


def check_readable(path: Place) -> None:
    """Raise UnsupportedFormat where there is no regular file with something in it."""
    if not isinstance(path, Path):
        path.check()
        return
    try:
        status = path.stat()
        if S_ISDIR(status.st_mode) and not os.access(path, os.R_OK | os.X_OK):
            raise UnsupportedFormat(f"cannot read the folder {path}: Permission denied")
        if S_ISDIR(status.st_mode):
            raise UnsupportedFormat(f"{path} is a folder; expected a sound file")
        if not S_ISREG(status.st_mode):
            raise UnsupportedFormat(
                f"{path} is not a regular file; save the sound as a file first, or send raw samples to "
                "`sound-detector --input -`"
            )
        with path.open("rb"):
            pass
    except OSError as error:
        raise _unreadable(path, error) from error
    if status.st_size == 0:
        raise UnsupportedFormat(f"{path} is empty (0 bytes); expected a sound file")


def _unreadable(path: Place, error: OSError) -> UnsupportedFormat:
    hint = nearest_file(path) if isinstance(path, Path) and isinstance(error, FileNotFoundError) else ""
    return UnsupportedFormat(f"cannot read {path}: {error.strerror}; {hint or 'expected a sound file'}")
