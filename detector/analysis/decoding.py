"""Recordings that libsndfile does not read (mp4, m4a, ...), decoded by ffmpeg and streamed through a pipe."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from detector.analysis.recording_files import SNDFILE_SUFFIXES
from detector.analysis.starttime import start_in_tag
from detector.errors import UnsupportedFormat
from detector.interfaces import Source
from detector.records import Block
from detector.sources.cutting import Cutter

log = logging.getLogger(__name__)

LOCAL_ONLY = ("-protocol_whitelist", "file,pipe")
"""A playlist in disguise must not fetch anything."""

READ_BYTES = 1 << 16


def open_recording(path: Path, *, sample_rate: int, block_length: int) -> Source:
    """Return the source for a file, by its ending: libsndfile's or ffmpeg's; nothing is opened yet."""
    if needs_ffmpeg(path):
        return FfmpegRecording(path, sample_rate=sample_rate, block_length=block_length)
    from detector.sources.recording import Recording

    return Recording(path=path, sample_rate=sample_rate, block_length=block_length)


def needs_ffmpeg(path: Path) -> bool:
    """Whether a file is one for ffmpeg; without an ending, libsndfile looks inside."""
    return path.suffix.lower() not in SNDFILE_SUFFIXES | {"", ".raw"}


class FfmpegRecording:
    """A file's first sound track as mono at the rate wanted; memory does not grow with its length."""

    def __init__(self, path: Path, *, sample_rate: int, block_length: int, program: str = "ffmpeg") -> None:
        self._path = path
        self._sample_rate = sample_rate
        self._block_length = block_length
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def live(self) -> bool:
        """Never: it waits."""
        return False

    @property
    def immediate(self) -> bool:
        """Always: ffmpeg is ahead."""
        return True

    def blocks(self) -> Iterator[Block]:
        """Yield the sound as blocks of `block_length`, the last one shorter; raises UnsupportedFormat."""
        _check_readable(self._path)
        program = shutil.which(self._program)
        if program is None:
            raise UnsupportedFormat(
                f"{self._path}: {self._path.suffix} files need ffmpeg, which is not installed: "
                "apt-get install ffmpeg (macOS: brew install ffmpeg)"
            )
        with tempfile.TemporaryFile() as messages:
            process = self._process = self._start(program, messages)
            try:
                yield from self._read(process, messages)
            finally:
                self.close()

    def close(self) -> None:
        """End ffmpeg."""
        process, self._process = self._process, None
        if process is not None and process.stdout is not None:
            process.kill()
            process.stdout.close()
            process.wait()

    def _start(self, program: str, messages: IO[bytes]) -> subprocess.Popen[bytes]:
        options = ["-nostdin", "-v", "error", *LOCAL_ONLY, "-i", _url(self._path)]
        shape = ["-map", "0:a:0", "-ac", "1", "-ar", str(self._sample_rate), "-f", "s16le", "pipe:1"]
        return subprocess.Popen(
            [program, *options, *shape], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
        )

    def _read(self, process: subprocess.Popen[bytes], messages: IO[bytes]) -> Iterator[Block]:
        cutter = Cutter(block_length=self._block_length, sample_rate=self._sample_rate)
        rest, got = b"", 0
        while data := process.stdout.read(READ_BYTES) if process.stdout else b"":
            data = rest + data
            whole = len(data) - len(data) % 2
            rest, got = data[whole:], got + whole // 2
            yield from cutter.push(np.frombuffer(data[:whole], "<i2").astype(np.int16, copy=False))
        yield from cutter.flush()
        status = process.wait()
        messages.seek(0)
        complaint = _last_line(messages.read(10_000), self._path)
        if got == 0:
            raise UnsupportedFormat(f"cannot decode {self._path}: {complaint or 'it holds no sound'}")
        if status:
            log.warning(
                "source.truncated source=%s read_seconds=%.3f error=%s",
                self._path,
                got / self._sample_rate,
                complaint or f"ffmpeg ended with {status}",
            )


def probe(path: Path, program: str = "ffprobe") -> tuple[float | None, float | None]:
    """Length [s] and start [UTC seconds] as ffprobe knows them; None for what it does not."""
    found = shutil.which(program)
    if found is None:
        return None, None
    wanted = ["-show_entries", "format=duration:format_tags=creation_time,date", "-of", "json"]
    ended = subprocess.run(
        [found, "-v", "quiet", *LOCAL_ONLY, *wanted, _url(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        fields = json.loads(ended.stdout)["format"]
        tags = {name.lower(): str(value) for name, value in fields.get("tags", {}).items()}
        length = float(fields["duration"]) if "duration" in fields else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, None
    return length, start_in_tag(tags.get("creation_time") or tags.get("date", ""))


def _url(path: Path) -> str:
    """No file's name is an option or an address to ffmpeg."""
    return f"file:{path}"


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise UnsupportedFormat(f"{path} is a folder; expected a sound file")
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UnsupportedFormat(f"cannot read {path}: {error.strerror}; expected a sound file") from error
    if empty:
        raise UnsupportedFormat(f"{path} is empty (0 bytes); expected a sound file")


def _last_line(messages: bytes, path: Path) -> str:
    """ffmpeg's last message, in one line, without the path that our own message begins with."""
    lines = [line for line in messages.decode(errors="replace").splitlines() if line.strip()]
    last = lines[-1].replace(_url(path), "").lstrip(": ") if lines else ""
    if "matches no streams" in " ".join(lines):
        return "it has no sound track"
    return " ".join(last.split())
