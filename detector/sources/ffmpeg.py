"""Sound by ffmpeg: what libsndfile does not read (mp4, m4a, ...), and what it cannot read to the end."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from detector.sources.sndfile import RATES_HZ, Decoded, Undecodable
from detector.sources.sound_place import Place, local_path

LOCAL_ONLY = ("-protocol_whitelist", "file,pipe")
"""A playlist in disguise must not fetch anything."""

DEMUXERS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,dsf,eac3,flac,flv,gsm,iff,ircam,loas,matroska,mlp,mov,"
    "mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,rm,shn,sox,tak,truehd,tta,voc,w64,wav,webm,wtv,wv,xwma"
)
"""Containers that are read: none of those that name other files, and no pictures or texts."""

READ_BYTES = 1 << 16

HOW_TO_INSTALL = "apt-get install ffmpeg (macOS: brew install ffmpeg)"

NO_TRACK = "it has no sound track"
"""What is said of a film without sound."""

DAMAGE = re.compile(
    r"error while decoding|invalid data found|ended prematurely|partial file|truncat|corrupt",
    re.IGNORECASE,
)
"""What ffmpeg says of files that are damaged, and of no others."""


AU_HEAD_BYTES = 24
"""Magic, where the samples begin, their number, their coding, rate, channels."""


@dataclass(frozen=True, slots=True)
class AuForm:
    """What the head of an AU file says; ffmpeg writes one, since its length may be unknown."""

    rate: int
    """Hertz."""
    channels: int
    skipped: int
    """Bytes between the head and the first sample."""


def read_au_head(head: bytes) -> AuForm:
    """Read the first AU_HEAD_BYTES; raises Undecodable for a rate that is none."""
    start, _, _, rate, channels = struct.unpack(">5I", head[4:])
    if rate not in RATES_HZ:
        raise Undecodable(f"it claims {rate} Hz; expected {RATES_HZ[0]} to {RATES_HZ[-1]} Hz")
    return AuForm(rate, channels, max(0, start - AU_HEAD_BYTES))


class FfmpegDecoder:
    """Decodes a file's first sound track; `program` is looked for in $PATH.

    It reads files of this machine alone: one elsewhere is copied first.
    """

    def __init__(self, path: Place, *, program: str = "ffmpeg") -> None:
        self._path = path
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.damage = ""
        """What ffmpeg says is wrong with the file; known at its end."""

    @property
    def installed(self) -> bool:
        """Whether there is such a program."""
        return shutil.which(self._program) is not None

    def decode(self, *, skip_seconds: float = 0.0) -> Iterator[Decoded]:
        """Yield the track's frames, but for those of its first seconds; raises Undecodable.

        Gaps in the track, and time before it begins, become silence, as a player would make them. Behind
        `skip_seconds` time stamps are left aside: the frames before were counted without them.
        """
        program = shutil.which(self._program)
        if program is None:
            raise Undecodable(f"ffmpeg is not installed: {HOW_TO_INSTALL}")
        with tempfile.TemporaryFile() as messages:
            path = local_path(self._path)
            process = self._process = self._start(program, path, messages, timed=not skip_seconds)
            try:
                got = yield from self._read(process, skip_seconds)
                status = process.wait()
            finally:
                self.close()
            messages.seek(0)
            complaint, damaged = _complaint(messages.read(100_000), path)
        if status or damaged:
            self.damage = complaint or f"ffmpeg ended with {status}"
        if not got:
            raise Undecodable(complaint or "it holds no sound")

    def close(self) -> None:
        """End ffmpeg."""
        process, self._process = self._process, None
        if process is not None and process.stdout is not None:
            process.kill()
            process.stdout.close()
            process.wait()

    def _start(
        self, program: str, path: Path, messages: IO[bytes], *, timed: bool
    ) -> subprocess.Popen[bytes]:
        options = [
            "-nostdin",
            "-v",
            "error",
            *LOCAL_ONLY,
            "-format_whitelist",
            DEMUXERS,
            "-i",
            _url(path),
        ]
        filters = ["-af", "aresample=async=1:first_pts=0"] if timed else []
        shape = ["-map", "0:a:0", *filters, "-c:a", "pcm_s16be", "-f", "au", "pipe:1"]
        return subprocess.Popen(
            [program, *options, *shape], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
        )

    def _read(self, process: subprocess.Popen[bytes], skip_seconds: float) -> Generator[Decoded, None, int]:
        """Yield what comes out, which is an AU file; return how many frames that were, skipped ones too."""
        output = process.stdout
        head = output.read(AU_HEAD_BYTES) if output else b""
        if output is None or len(head) < AU_HEAD_BYTES:
            return 0
        form = read_au_head(head)
        output.read(form.skipped)
        rate, channels = form.rate, form.channels
        frame_bytes = 2 * channels
        rest, got, skip = b"", 0, round(skip_seconds * rate)
        while data := output.read(READ_BYTES):
            data = rest + data
            whole = len(data) - len(data) % frame_bytes
            rest = data[whole:]
            samples = np.frombuffer(data[:whole], ">i2").astype(np.int16).reshape(-1, channels)
            left_out = max(0, min(len(samples), skip - got))
            got += len(samples)
            if left_out < len(samples):
                yield Decoded(samples[left_out:], rate)
        return got


def probe(path: Place, program: str = "ffprobe") -> tuple[float | None, str]:
    """Length [s] and the tag that says when it was made, as ffprobe knows them; None and "" for unknown."""
    found = shutil.which(program)
    if found is None:
        return None, ""
    wanted = ["-show_entries", "format=duration:format_tags=creation_time,date", "-of", "json"]
    ended = subprocess.run(
        [found, "-v", "quiet", *LOCAL_ONLY, "-format_whitelist", DEMUXERS, *wanted, _url(local_path(path))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        fields = json.loads(ended.stdout)["format"]
        tags = {name.lower(): str(value) for name, value in fields.get("tags", {}).items()}
        length = float(fields["duration"]) if "duration" in fields else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, ""
    return length, tags.get("creation_time") or tags.get("date", "")


def _url(path: Path) -> str:
    """No file's name is an option or an address to ffmpeg."""
    return f"file:{path}"


def _complaint(messages: bytes, path: Path) -> tuple[str, bool]:
    """ffmpeg's last message, in one line without the path; and whether it is about damage."""
    text = messages.decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    if "matches no streams" in text:
        return NO_TRACK, False
    if "whitelist" in text:
        return "it is no sound file", False
    last = lines[-1].replace(_url(path), "").lstrip(": ") if lines else ""
    return " ".join(last.split()), DAMAGE.search(text) is not None
