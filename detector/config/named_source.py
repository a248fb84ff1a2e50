"""The settings of one of several sources: where its sound comes from, and what differs for it alone.

`sources` maps names to these. A text stands for one with nothing but its sound: `mic:USB Audio`,
`file:night.flac`, `pipe:-`, `rtsp://camera.local/stream`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated
from urllib.parse import urlsplit

from detector.config.constraints import Limit
from detector.config.hours import Hours, parse_hours
from detector.config.label_settings import LabelSettings, ThresholdOff, ThresholdOn
from detector.config.wording import did_you_mean, either, show
from detector.errors import ConfigError
from detector.files.home import expand_home, names_no_home

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a source may be called: it is a part of topics and file names."""

SCHEMES = ("rtsp", "rtsps", "http", "https")

KINDS = ("device", "file", "pipe", "url", "url_file")
"""The keys that say where the sound comes from; one of them, or none for the default microphone."""

FORMS = (
    "mic",
    "mic:DEVICE",
    "file:PATH",
    "pipe:PATH",
    "rtsp://HOST/PATH",
    "http://HOST/PATH",
    "url-file:PATH",
)


@dataclass(frozen=True, slots=True)
class NamedSource:
    """One of several sources; a key of its events that is None has the value of `events` or `gate`."""

    device: Annotated[int, Limit(0, 9999)] | str | None = None
    """Capture device: its index, its name or part of that; the default one if no other key gives a source."""
    file: str | None = None
    """A recording."""
    pipe: str | None = None
    """Raw s16le: `-` is standard input, else the path of a named pipe."""
    url: str | None = None
    """A stream, read by ffmpeg; without a password."""
    url_file: str | None = None
    """A file with the address of a stream, which may hold a password; not readable by others."""
    rate: Annotated[int, Limit(4000, 384000, "Hz")] = 16000
    """Sample rate of a pipe [Hz]."""
    channels: Annotated[int, Limit(1, 64)] = 1
    """Channels of a pipe, mixed to mono."""
    realtime: bool = False
    """Play a recording at the speed of its sound instead of as fast as possible."""
    min_level_dbfs: Annotated[float, Limit(-120, 0, "dBFS")] | None = None
    """Sound below this level does not open this source's gate."""
    threshold_on: ThresholdOn | None = None
    """Score 0..1 that starts an event."""
    threshold_off: ThresholdOff | None = None
    """Score below which the event ends."""
    include: tuple[str, ...] | None = None
    """Labels to report."""
    exclude: tuple[str, ...] | None = None
    """Labels not to report."""
    labels: Mapping[str, LabelSettings] = field(default_factory=dict)
    """Label or group name -> its own settings; other labels keep those of `events`."""
    quiet_hours: str | None = None
    """`22:00-07:00`, local time: sounds that begin then are not reported."""
    quiet_keep: tuple[str, ...] = ()
    """Labels and groups that are reported in quiet hours too."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        for key in ("file", "pipe", "url_file"):
            if (path := getattr(self, key)) is not None:
                object.__setattr__(self, key, expand_home(path))

    @classmethod
    def from_text(cls, text: str) -> NamedSource:
        """Read what follows `--source NAME=`; raises ConfigError for another form."""
        kind, colon, rest = text.partition(":")
        if rest.startswith("//"):
            return cls(url=text)
        if text == "mic":
            return cls()
        if colon and rest and kind == "mic":
            return cls(device=int(rest) if rest.isdecimal() else rest)
        if colon and rest and kind == "file":
            return cls(file=rest)
        if colon and rest and kind == "pipe":
            return cls(pipe=rest)
        if colon and rest and kind == "url-file":
            return cls(url_file=rest)
        hint = did_you_mean(kind, ("mic", "file", "pipe", "url-file")) if colon else ""
        raise ConfigError(f"expected {either(FORMS)}, got {show(text)}{hint and '; ' + hint}")

    @property
    def is_stream(self) -> bool:
        """Whether ffmpeg reads it."""
        return self.url is not None or self.url_file is not None

    @property
    def is_microphone(self) -> bool:
        """Whether a capture device is opened."""
        return not any(getattr(self, key) is not None for key in KINDS if key != "device")

    @property
    def exclusive(self) -> str:
        """What no other source can have too, in words: a microphone, a pipe; empty for anything else."""
        if self.is_microphone:
            return "the default microphone" if self.device is None else f"the microphone {self.device}"
        return f"the pipe {self.pipe}" if self.pipe is not None else ""

    @property
    def hours(self) -> Hours | None:
        """The quiet hours; None without any."""
        hours = parse_hours(self.quiet_hours or "")
        return hours if isinstance(hours, Hours) else None

    def fault(self) -> tuple[str, str] | None:
        """Find the first key that cannot be, and say what is wrong with it; no file is read."""
        given = [key for key in KINDS if getattr(self, key) is not None]
        if len(given) > 1:
            return given[1], f"{given[0]} is given too: one source has one of {either(KINDS)}"
        if self.url is not None and (message := url_fault(self.url)):
            return "url", message
        if self.url is not None and urlsplit(self.url).password is not None:
            return "url", (
                "it holds a password, which everybody could see in the settings or a list of processes: "
                "write the whole address into a file that only you can read (chmod 600), and name it: "
                "url_file: PATH, or --source NAME=url-file:PATH"
            )
        for key in ("file", "pipe", "url_file"):
            if (path := getattr(self, key)) and (message := names_no_home(path)):
                return key, message
        for key, kind in (("rate", "pipe"), ("channels", "pipe"), ("realtime", "file")):
            default = next(item.default for item in fields(self) if item.name == key)
            if getattr(self, key) != default and getattr(self, kind) is None:
                return key, f"is for a {kind}: delete it"
        if self.quiet_hours is not None and isinstance(wrong := parse_hours(self.quiet_hours), str):
            return "quiet_hours", f"{wrong}, got {show(self.quiet_hours)}"
        if self.quiet_keep and self.quiet_hours is None:
            return "quiet_keep", "is for quiet_hours, which are not given: delete it, or give them"
        return None


def keys_of_text(text: str) -> dict[str, object]:
    """The keys that a source has that is given as a text; none where it is no source."""
    try:
        source = NamedSource.from_text(text)
    except ConfigError:
        return {}
    return {key: value for key in KINDS if (value := getattr(source, key)) is not None}


def url_fault(url: str) -> str:
    """What is wrong with the address of a stream; empty where nothing is. It quotes no password."""
    if any(ord(character) <= 32 for character in url):
        return "expected an address without spaces, got one: write %20 for a space"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "expected an address such as rtsp://camera.local:554/stream, got something else"
    if parts.scheme not in SCHEMES:
        schemes = either([f"{scheme}://" for scheme in SCHEMES])
        return f"expected an address that begins with {schemes}, got {show(parts.scheme)}"
    if not host:
        return f"expected a host, as in {parts.scheme}://camera.local/stream, got none"
    return ""
