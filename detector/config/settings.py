"""Every setting: frozen, with its unit, range and default, in the order of config.yaml.

`configcheck.check` holds them to these tables, `configfile.load_settings` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What to listen to: a microphone unless `input` is given."""

    device: int | str | None = None
    """Capture device: an index, or a text: its name or part of it; None is the system's default."""
    input: str | None = None
    """A recording to read instead of a microphone; `-` is raw s16le mono on standard input."""
    rate: int = 16000
    """Sample rate of raw standard input [Hz]."""
    channels: int = 1
    """Channels of raw standard input, mixed to mono."""
    realtime: bool = False
    """Play a recording at the speed of its sound instead of as fast as possible."""
    name: str | None = None
    """What events call this source; None is the device's or file's own name."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which classifier."""

    name: str = "yamnet"
    """A bundle in the models folders, or a path to one; several with + between them."""
    heads: tuple[str, ...] | None = None
    """Heads that listen too; None is all in the user's models folder that can, unless `name` has some."""
    runtime: str = "auto"
    """`tflite`, `onnx`, or `auto`: the first that the bundle has a file for and that is installed."""
    threads: int = 1
    """Threads the runtime may use."""
    prior: bool = True
    """Subtract what the model hears in everything, where it brings a table of that."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """When there is something to classify."""

    mode: str = "both"
    """`webrtcvad`, `level`, `both` (either opens it) or `off` (always open)."""
    vad_mode: int = 2
    """webrtcvad's aggressiveness, 0..3."""
    hangover_seconds: float = 1.5
    """How long it stays open after the last active frame."""
    preroll_seconds: float = 0.24
    """Windows that ended up to this long before it opened are classified too."""
    min_level_dbfs: float | None = None
    """Quieter sound does not open it; None is no such floor."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How often a window is classified; its length is the model's."""

    hop_seconds: float = 0.24
    """From one window's end to the next while the gate is open."""


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """The slow gain in front of the classifier, for quiet microphones."""

    enabled: bool = True
    """Switch."""
    target_dbfs: float = -24.0
    """Loudest recent level that the gain aims for; louder sound is left alone."""
    max_gain_db: float = 40.0
    """The gain never exceeds this."""


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """Settings of one label or group; None takes the value of `events`."""

    threshold_on: float | None = None
    """Score that starts an event."""
    threshold_off: float | None = None
    """Score below which it ends."""
    min_duration_seconds: float | None = None
    """Shorter sounds are not reported."""
    refractory_seconds: float | None = None
    """Silence of this label after an event's end."""


@dataclass(frozen=True, slots=True)
class EventSettings:
    """When scores become an event, and which."""

    preset: str = "balanced"
    """`responsive` 1 of 1, `balanced` 2 of 2, `sure` 3 of 4 windows must score, over higher thresholds."""
    threshold_on: float | None = None
    """Score 0..1 that starts an event; None takes the model's own thresholds."""
    threshold_off: float | None = None
    """Score below which it ends; None is half of `threshold_on`."""
    release_seconds: float = 1.5
    """How long the score must stay below `threshold_off` before the event ends."""
    min_duration_seconds: float = 0.0
    """Shorter sounds are not reported."""
    refractory_seconds: float = 0.0
    """After an event's end the same label stays quiet for this long."""
    update_seconds: float = 10.0
    """A sound that goes on is reported again this often; 0 is never."""
    include: tuple[str, ...] = ()
    """Labels to report; empty is all."""
    exclude: tuple[str, ...] = ()
    """Labels not to report."""
    background: bool = False
    """Also report background labels (Silence, Inside, ...)."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """One name for several labels, which are then not reported by themselves."""
    labels: Mapping[str, LabelSettings] = field(default_factory=dict)
    """Label or group name -> its own settings."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One destination."""

    kind: str
    """`stdout`, `log` or `socket`."""
    target: str = ""
    """`log`: a path. `socket`: `unix://PATH` or `tcp://HOST:PORT`; empty is the default socket."""
    format: str = "auto"
    """`stdout`: `text`, `json` or `auto` (text on a terminal)."""
    max_bytes: int = 10_000_000
    """`log`: size at which the file is rotated; 0 is never."""
    backups: int = 5
    """`log`: rotated files to keep."""
    group: str | None = None
    """Unix socket: the group that may connect; None is the daemon's own."""
    token_file: str | None = None
    """TCP socket: a file with the token that subscribers must show; not readable by others."""
    certificate: str | None = None
    """TCP socket: a PEM file with the certificate for TLS."""
    key: str | None = None
    """TCP socket: a PEM file with its private key; not readable by others."""
    insecure: bool = False
    """TCP socket: serve other machines without TLS."""


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """The file in which every event is kept."""

    enabled: bool | None = None
    """None: on for a microphone and a pipe, off for a recording."""
    path: str | None = None
    """The file; None is `history.db` in the service's or the user's state folder."""
    keep_days: int = 90
    """Older events are deleted."""
    max_megabytes: int = 500
    """Size of the file beyond which the oldest events are deleted."""


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The same counts as `sound-detector status`, for Prometheus."""

    port: int | None = None
    """Port on 127.0.0.1 where GET /metrics is answered; None is none, 0 any that is free."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole tree."""

    source: SourceSettings = SourceSettings()
    model: ModelSettings = ModelSettings()
    gate: GateSettings = GateSettings()
    windows: WindowSettings = WindowSettings()
    level: LevelSettings = LevelSettings()
    events: EventSettings = EventSettings()
    sinks: tuple[SinkSettings, ...] | None = None
    """None: stdout, and for a live source also the default socket."""
    history: HistorySettings = HistorySettings()
    metrics: MetricsSettings = MetricsSettings()


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number may be; both ends belong to it unless `above` says that the lower one does not."""

    low: float
    high: float
    unit: str = ""
    above: bool = False

    def __str__(self) -> str:
        """`0..60 dB`, `more than 0, at most 1`."""
        span = f"more than {self.low}, at most {self.high}" if self.above else f"{self.low}..{self.high}"
        return f"{span} {self.unit}".rstrip()

    def holds(self, value: float) -> bool:
        """Whether the value is within."""
        return self.low <= value <= self.high and not (self.above and value == self.low)


CHOICES: Mapping[str, tuple[str, ...]] = {
    "model.runtime": ("auto", "tflite", "onnx"),
    "gate.mode": ("both", "webrtcvad", "level", "off"),
    "events.preset": ("responsive", "balanced", "sure"),
    "sinks.*.kind": ("stdout", "log", "socket"),
    "sinks.*.format": ("auto", "text", "json"),
}
"""Pattern of a dotted key -> the words it takes; `*` stands for any name or index."""

_SCORE_ON = Limit(0, 1, above=True)
_SCORE_OFF = Limit(0, 1)
_DAY = Limit(0, 86400, "s")

LIMITS: Mapping[str, Limit] = {
    "source.device": Limit(0, 9999),
    "source.rate": Limit(4000, 384000, "Hz"),
    "source.channels": Limit(1, 64),
    "model.threads": Limit(1, 64),
    "gate.vad_mode": Limit(0, 3),
    "gate.hangover_seconds": Limit(0, 60, "s"),
    "gate.preroll_seconds": Limit(0, 10, "s"),
    "gate.min_level_dbfs": Limit(-120, 0, "dBFS"),
    "windows.hop_seconds": Limit(0.03, 10, "s"),
    "level.target_dbfs": Limit(-60, 0, "dBFS"),
    "level.max_gain_db": Limit(0, 60, "dB"),
    "events.threshold_on": _SCORE_ON,
    "events.threshold_off": _SCORE_OFF,
    "events.release_seconds": Limit(0, 60, "s"),
    "events.min_duration_seconds": _DAY,
    "events.refractory_seconds": _DAY,
    "events.update_seconds": _DAY,
    "events.labels.*.threshold_on": _SCORE_ON,
    "events.labels.*.threshold_off": _SCORE_OFF,
    "events.labels.*.min_duration_seconds": _DAY,
    "events.labels.*.refractory_seconds": _DAY,
    "sinks.*.max_bytes": Limit(0, 1_000_000_000_000, "bytes"),
    "sinks.*.backups": Limit(0, 1000),
    "history.keep_days": Limit(1, 36500, "days"),
    "history.max_megabytes": Limit(1, 1_000_000, "MB"),
    "metrics.port": Limit(0, 65535),
}
"""Pattern of a dotted key -> its range."""
