"""When a recording began: from the user, its metadata or its name; None where none of them says.

What names its time zone goes before what does not, and a name goes before metadata of the same kind.
A time without a zone is the machine's own local time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO

from detector.errors import ConfigError
from detector.sources.sound_place import Place

_DATE = r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<dash>[-_.]?)(?P<month>[01]\d)(?P=dash)(?P<day>[0-3]\d)"
_WORDS = r"[^0-9]{1,20}?(?:RTSP_\d{1,3}-)?"
"""Between day and time, where the time has separators of its own: ` at `, `-birdnet-`, `-birdnet-RTSP_1-`."""
_HALF = r"(?:[ \u202f]?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
_FRACTION = r"(?:[.,]\d{1,9}|-\d{3}(?=Z))?"
_ZONE = (
    r"(?:[ _-]?(?P<utc>Z|UTC|GMT)(?![A-Za-z])"
    r"|(?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>:?(?:00|15|30|45))?(?=_\d{3}(?!\d)|[^0-9]|$))?"
)
_CLOCK = r"(?P<hour>[0-2]?\d)(?P<colon>[-_:.h])(?P<minute>[0-5]\d)"
_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        # 20261120_143000, 2026-11-20T143000.123Z, 20261120143000, 20261120_1430
        _DATE + r"(?P<join>[T _.-]{0,2})(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)"
        rf"{_FRACTION}{_HALF}{_ZONE}(?!\d)",
        _DATE + rf"(?P<join>[T _.-]{{1,2}})(?P<hour>[0-2]\d)(?P<minute>[0-5]\d){_ZONE}(?![0-9A-Za-z])",
        # 2026-11-20T14-30-00-123Z, 2026-11-20 at 11.30.45 PM, 2026-11-20-birdnet-RTSP_1-14:30:00
        _DATE + rf"(?P<join>{_WORDS}){_CLOCK}[-_:.m](?P<second>[0-5]\d){_FRACTION}{_HALF}{_ZONE}(?!\d)",
        # 2026-11-20 14.30, 2026.11.20 14h30
        _DATE + rf"(?P<join>[T _-]{{1,2}}){_CLOCK}{_HALF}{_ZONE}(?![0-9A-Za-z])",
    )
)
"""How recorders, phones and programs write a day with a time into a file's name, the strictest first."""

_AUDIOMOTH = re.compile(
    r"Recorded at (\d\d):(\d\d):(\d\d) (\d\d)/(\d\d)/(\d{4})(?: \(UTC([+-]\d+(?::\d\d)?)?\))?"
)
"""The comment that AudioMoth recorders write; those of firmware 1.0 name no zone and mean UTC."""

_GUANO = re.compile(r"^Timestamp:\s*(\S+)", re.MULTILINE)
"""The line of GUANO metadata that says when the recording began."""

_BEXT_DATE_AT = 320
"""Bytes into a WAV's `bext` chunk: 10 of date, 8 of time (EBU Tech 3285)."""

_MOST_CHUNKS = 64
"""Chunks of a WAV to look at before giving up: a damaged one may pretend to have millions."""


def parse_start(text: str) -> float:
    """UTC seconds of `2026-11-20T14:30:00`, `2026-11-20 14:30Z` or `1764945600`; raises ConfigError."""
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        moment = float(text)
        datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"expected a time such as 2026-11-20T14:30:00 (with Z or +01:00 where it is not local), "
            f"or seconds since 1970, got {text[:60]!r}"
        ) from None
    return moment


def start_of(path: Place, given: float | None = None) -> float | None:
    """UTC seconds at which a recording began; None where nobody knows."""
    if given is not None:
        return given
    found = [moment] if (moment := _in_name(path.name)) else []
    if not any(moment.tzinfo for moment in found):
        try:
            with path.open("rb") as file:
                found += _in_wav(file)
        except (OSError, struct.error):
            pass  # whoever decodes the recording says what is wrong with it
    return _best(found)


def start_in_name(name: str) -> float | None:
    """UTC seconds of the first date with a time in a file's name; None where there is none."""
    moment = _in_name(name)
    return None if moment is None else _seconds(moment)


def start_in_tag(text: str) -> float | None:
    """UTC seconds of a tag: an ISO date with a time, or AudioMoth's sentence; None for anything else."""
    moment = _in_tag(text)
    return None if moment is None else _seconds(moment)


def start_in_wav(file: BinaryIO) -> float | None:
    """UTC seconds from a WAV's `bext`, `guan` or INFO texts; None where it has none, or is no WAV."""
    return _best(_in_wav(file))


def _best(moments: Iterable[datetime]) -> float | None:
    """UTC seconds of the first that names its zone, else of the first."""
    ordered = sorted(moments, key=lambda moment: moment.tzinfo is None)
    return next((seconds for moment in ordered if (seconds := _seconds(moment)) is not None), None)


def _in_name(name: str) -> datetime | None:
    for pattern in _NAMES:
        for match in pattern.finditer(name):
            if (moment := _moment(match)) is not None:
                return moment
    return None


def _moment(match: re.Match[str]) -> datetime | None:
    """The day and time that a name's pattern found; None where there is no such day, time or zone."""
    part = match.groupdict()
    hour = int(part["hour"])
    if half := part.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half in "pP")
    try:
        day = datetime(int(part["year"]), int(part["month"]), int(part["day"]))
        moment = day.replace(hour=hour, minute=int(part["minute"]), second=int(part.get("second") or 0))
        return moment.replace(tzinfo=_zone(part, match.string[match.end() :]))
    except (ValueError, OverflowError):
        return None


def _zone(part: dict[str, str | None], rest: str) -> timezone | None:
    """The zone behind a time; a minus among other minuses, and two digits alone, may be a counter."""
    if part["utc"]:
        return UTC
    sign, hours, minutes = part["sign"], part["hours"], part["minutes"]
    if not sign or not hours:
        return None
    among_minuses = sign == "-" and "-" in ((part.get("colon") or "") + (part["join"] or ""))
    if among_minuses or not (minutes or sign == "+" or re.match(r"_\d{3}(?!\d)", rest)):
        return None
    offset = timedelta(hours=int(hours), minutes=int((minutes or "00")[-2:]))
    return timezone(-offset if sign == "-" else offset)


def _in_tag(text: str) -> datetime | None:
    if match := _AUDIOMOTH.search(text):
        hour, minute, second, day, month, year, offset = match.groups()
        hours, _, minutes = (offset or "+0").partition(":")
        zone = f"{hours[0]}{int(hours[1:]):02d}:{minutes or '00'}"
        text = f"{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"
    if len(text) < len("2026-11-20T14:30"):
        return None  # a day alone does not say when
    try:
        return datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        return None


def _in_wav(file: BinaryIO) -> list[datetime]:
    """All times in a WAV's metadata, in the order of its chunks."""
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return []
    found: list[datetime] = []
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            break
        name, size = header[:4], struct.unpack("<I", header[4:])[0]
        if name in _CHUNKS and size < 1_000_000:
            texts = _CHUNKS[name](file.read(size + size % 2)[:size])
            found += [moment for text in texts if (moment := _in_tag(text)) is not None]
        else:
            file.seek(size + size % 2, 1)
    return found


def _bext_texts(content: bytes) -> list[str]:
    text = content[_BEXT_DATE_AT : _BEXT_DATE_AT + 18].decode("ascii", "replace")
    date, time = re.sub(r"\D", "-", text[:10]), re.sub(r"\D", ":", text[10:])
    return [f"{date}T{time}"]


def _guano_texts(content: bytes) -> list[str]:
    return _GUANO.findall(content.decode("utf-8", "replace"))


def _list_texts(content: bytes) -> Iterator[str]:
    """The texts of a LIST chunk of kind INFO."""
    at = 4
    while content[:4] == b"INFO" and at + 8 <= len(content):
        size = struct.unpack_from("<I", content, at + 4)[0]
        yield content[at + 8 : at + 8 + size].split(b"\0")[0].decode("utf-8", "replace")
        at += 8 + size + size % 2


_CHUNKS = {b"bext": _bext_texts, b"guan": _guano_texts, b"LIST": _list_texts}
"""A WAV's chunk -> its texts that may be times."""


def _seconds(moment: datetime) -> float | None:
    """Seconds since 1970, a time without a zone being local; None beyond what the platform can convert."""
    try:
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
