"""What the bytes of a sound file say about how much sound it holds, beside what its header says.

Recorders that are killed, sizes that wrap at 4 GiB and files that were joined leave headers that speak of
less than the file holds. Decoders believe the header, and the rest is never heard. Here a file becomes parts:
ranges of bytes, each a whole file to libsndfile, with corrections of its header.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from detector.sources.chunked_files import aiff, au, caf, wav
from detector.sources.file_part import FilePart, bytes_at
from detector.sources.sound_place import Place
from detector.sources.stream_files import (
    after_id3,
    flac,
    flac_to,
    is_mpeg_frame,
    mp3,
    ogg,
    ogg_to,
)


@dataclass(frozen=True, slots=True)
class FileParts:
    """A sound file as it is to be read."""

    kind: str
    """`WAV`, `RF64`, `AU`, `AIFF`, `CAF`, `FLAC`, `OGG`, `MP3`; empty for all others."""
    parts: tuple[FilePart, ...]


def read_parts(path: Place) -> FileParts:
    """Look into a file; raises OSError, and DetectorError of one elsewhere.

    A file of this machine is searched for joined FLAC or Ogg files. One elsewhere is not read twice for that:
    its only part ends at a mark, and `following_part` is what begins there.
    """
    is_here = isinstance(path, Path)
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        head = bytes_at(file, 0, 12)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:] == b"WAVE":
            return FileParts("RF64" if head[:4] == b"RF64" else "WAV", tuple(wav(file, 0, size)))
        if head[:4] in (b".snd", b"dns."):
            return FileParts("AU", (au(file, size),))
        if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
            return FileParts("AIFF", (aiff(file, size),))
        if head[:4] == b"caff":
            return FileParts("CAF", (caf(file, size),))
        if head[:4] == b"OggS":
            return FileParts("OGG", tuple(ogg(file, size)) if is_here else (ogg_to(file, 0, size),))
        at = after_id3(file, 0)
        if bytes_at(file, at, 4) == b"fLaC":
            return FileParts("FLAC", tuple(flac(file, at, size)) if is_here else (flac_to(file, at, size),))
        if is_mpeg_frame(bytes_at(file, at, 4)):
            return FileParts("MP3", tuple(mp3(file, at, size)))
        return FileParts("", (FilePart(0, size),))


def following_part(path: Place, kind: str, start: int) -> FilePart:
    """The part that begins at a mark; raises OSError, DetectorError."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        return flac_to(file, start, size) if kind == "FLAC" else ogg_to(file, start, size)
