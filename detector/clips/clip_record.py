"""What is known of a clip besides its sound: what is to be written, and the JSON beside the sound."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = 1
"""Of the JSON; grows when a field is removed or changes its meaning."""

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
"""The second in which a clip begins, in its name."""

LONGEST_SLUG = 60
"""Letters of a label in a file's name."""

_NAME = re.compile(r"(?P<time>\d{8}T\d{6}Z)_(?P<slug>[a-z0-9-]+)_(?P<id>[A-Za-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class ClipSound:
    """One sound of a clip."""

    id: str
    """The event's, as on the wire."""
    label: str
    class_id: str
    model: str
    score: float
    """Its highest, 0..1."""
    start: float
    """Where it begins in the clip [s]."""
    end: float | None
    """Where it ends in the clip [s]; None where it goes on behind it."""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a clip is about."""

    id: str
    """Its name, without folder and ending."""
    label: str
    """That of the sound with the highest score."""
    start_time: str
    """When it begins, RFC 3339 in UTC."""
    duration: float
    """Seconds."""
    source: str
    """What events call the source."""
    sample_rate: int
    """Hertz."""
    sounds: tuple[ClipSound, ...]
    """In order of their onsets."""


@dataclass(frozen=True, slots=True)
class HeardWindow:
    """A part of a clip that the daemon has classified."""

    start: float
    """Where it begins in the clip [s]."""
    stop: float
    speech_score: float
    """The highest of a class of speech, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipRequest:
    """A clip to be judged and written."""

    facts: ClipFacts
    samples: NDArray[np.int16]
    """Shape (n,), mono, at `facts.sample_rate`."""
    was_reported_as_speech: bool
    """Whether the daemon itself reported speech in it."""
    heard: tuple[HeardWindow, ...] = ()
    """What the daemon knows of it: parts that need not be classified again, in any order."""


def clip_id(start: datetime, label: str, event_id: str) -> str:
    """The name of a clip: `20261128T150313Z_dog_3f9a-12`; two events never have the same."""
    own = re.sub(r"[^A-Za-z0-9]+", "-", event_id.partition("-")[2] or event_id).strip("-")
    return f"{start.astimezone(UTC):{TIME_FORMAT}}_{slug(label)}_{own}"


def slug(label: str) -> str:
    """A label as a part of a file's name: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", label.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-") or "sound"


def parse_clip_id(name: str) -> tuple[float, str] | None:
    """When a clip begins [UTC seconds since 1970] and its label's slug; None for another kind of name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        start = datetime.strptime(match["time"], TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return start.timestamp(), match["slug"]


def moved(time: str, seconds: float) -> datetime:
    """A moment of the wire, so many seconds later."""
    return datetime.fromisoformat(time) + timedelta(seconds=seconds)


def facts_text(facts: ClipFacts, *, speech_score: float | None) -> str:
    """The JSON beside a clip's sound; `speech_score` is None where it was not judged."""
    values = {"schema": SCHEMA, **asdict(facts), "speech_score": speech_score}
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def read_facts(text: str) -> ClipFacts:
    """Read that JSON; ValueError for anything else. What does not matter for a clip's use may be missing."""
    try:
        values = json.loads(text)
    except RecursionError:
        values = None
    if not isinstance(values, dict) or not isinstance(values.get("sounds"), list):
        raise ValueError("expected a JSON object with `sounds`")
    sounds = [_sound(sound) for sound in values["sounds"] if isinstance(sound, dict)]
    return ClipFacts(
        id=_text(values, "id"),
        label=_text(values, "label"),
        start_time=_text(values, "start_time"),
        duration=_number(values, "duration") or 0.0,
        source=_text(values, "source"),
        sample_rate=int(_number(values, "sample_rate") or 0),
        sounds=tuple(sounds),
    )


def _sound(values: Mapping[str, object]) -> ClipSound:
    texts = {item.name: _text(values, item.name) for item in fields(ClipSound)[:4]}
    return ClipSound(
        **texts,
        score=_number(values, "score") or 0.0,
        start=_number(values, "start") or 0.0,
        end=_number(values, "end"),
    )


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _number(values: Mapping[str, object], key: str) -> float | None:
    value = values.get(key)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else None
