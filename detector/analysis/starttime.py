"""When a recording began: as the user says, else from its name, else from its metadata, else 1970.

A time without a zone is the machine's own local time.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from detector.errors import ConfigError

_NAMED = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)([01]\d)\2([0-3]\d)[^0-9]{0,12}"
    r"([0-2]\d)[-_:.h]?([0-5]\d)(?:[-_:.m]?([0-5]\d))?(?!\d)(Z|[+-]\d\d:?\d\d(?!\d))?"
)
"""20261120_143000, 2026-11-20T14-30-00, 2026.11.20 14.30, 20261120T143000Z, 20261120_143000+0100 ..."""

_AUDIOMOTH = re.compile(r"Recorded at (\d\d):(\d\d):(\d\d) (\d\d)/(\d\d)/(\d{4}) \(UTC([+-]\d+(?::\d\d)?)?\)")
"""The comment that AudioMoth recorders write."""

_BEXT_DATE_AT = 320
"""Bytes into a WAV's `bext` chunk: 10 of date, 8 of time (EBU Tech 3285)."""

_MOST_CHUNKS = 64
"""Chunks of a WAV to look at before giving up: a damaged one may pretend to have millions."""


def parse_start(text: str) -> float:
    """UTC seconds of `2026-11-20T14:30:00`, `2026-11-20 14:30Z` or `1764945600`; raises ConfigError."""
    try:
        return _utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        pass
    try:
        moment = float(text)
        datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"expected a time as 2026-11-20T14:30:00 (with Z or +01:00 where it is not local), "
            f"or seconds since 1970, got {text[:60]!r}"
        ) from None
    return moment


def start_of(path: Path, given: float | None = None) -> float | None:
    """UTC seconds at which a recording began; None where nobody knows."""
    if given is not None:
        return given
    if (named := start_in_name(path.name)) is not None:
        return named
    try:
        with path.open("rb") as file:
            return start_in_wav(file)
    except (OSError, struct.error):
        return None


def start_in_name(name: str) -> float | None:
    """UTC seconds of the first date with a time in a file's name; None where there is none."""
    for match in _NAMED.finditer(name):
        year, _, month, day, hour, minute, second, zone = match.groups()
        try:
            return _utc(
                datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or ''}")
            )
        except (ValueError, OverflowError):
            continue
    return None


def start_in_tag(text: str) -> float | None:
    """UTC seconds of a tag: an ISO date with a time, or AudioMoth's sentence; None for anything else."""
    if match := _AUDIOMOTH.search(text):
        hour, minute, second, day, month, year, offset = match.groups()
        hours, _, minutes = (offset or "+0").partition(":")
        zone = f"{hours[0]}{int(hours[1:]):02d}:{minutes or '00'}"
        text = f"{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"
    if len(text) < len("2026-11-20T14:30"):
        return None  # a day alone does not say when
    try:
        return _utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def start_in_wav(file: BinaryIO) -> float | None:
    """UTC seconds from a WAV's `bext` chunk or its INFO texts; None where it has neither, or is no WAV."""
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return None
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return None
        name, size = header[:4], struct.unpack("<I", header[4:])[0]
        if name in (b"bext", b"LIST") and size < 1_000_000:
            content = file.read(size + size % 2)
            found = _in_bext(content) if name == b"bext" else _in_list(content)
            if found is not None:
                return found
        else:
            file.seek(size + size % 2, 1)
    return None


def _in_bext(content: bytes) -> float | None:
    text = content[_BEXT_DATE_AT : _BEXT_DATE_AT + 18].decode("ascii", "replace")
    date, time = re.sub(r"\D", "-", text[:10]), re.sub(r"\D", ":", text[10:])
    return start_in_tag(f"{date}T{time}")


def _in_list(content: bytes) -> float | None:
    """The texts of a LIST chunk of kind INFO, tried in turn."""
    at = 4
    while content[:4] == b"INFO" and at + 8 <= len(content):
        size = struct.unpack_from("<I", content, at + 4)[0]
        text = content[at + 8 : at + 8 + size].split(b"\0")[0].decode("utf-8", "replace")
        if (found := start_in_tag(text)) is not None:
            return found
        at += 8 + size + size % 2
    return None


def _utc(moment: datetime) -> float:
    """Seconds since 1970; a time without a zone is local."""
    return moment.timestamp()
