"""Every setting: frozen, with its unit, range and default, in the order of config.yaml.

An annotation says which values a setting takes: `constraints` reads it. `loading.load_settings` fills this
tree, `checks.check` finds what is wrong with it. Each kind of sink has its own settings, in its file of
`sinks/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from detector.config.constraints import Limit
from detector.config.label_settings import LabelSettings, ThresholdOff, ThresholdOn, UpToADay
from detector.config.named_source import NamedSource
from detector.config.notify_settings import NotifySettings
from detector.config.sink_settings import SinkSettings
from detector.config.web_settings import WebSettings
from detector.files.home import expand_home

Preset = Literal["alert", "home", "quiet", "responsive", "balanced", "sure"]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """The source of sound: a microphone unless `input` is given."""

    device: Annotated[int, Limit(0, 9999)] | str | None = None
    """Capture device: its index, its name or part of that; None is the system's default."""
    input: str | None = None
    """A recording to read instead of a microphone; `-` is raw s16le mono on standard input."""
    rate: Annotated[int, Limit(4000, 384000, "Hz")] = 16000
    """Sample rate of raw standard input [Hz]."""
    channels: Annotated[int, Limit(1, 64)] = 1
    """Channels of raw standard input, mixed to mono."""
    realtime: bool = False
    """Play a recording at the speed of its sound instead of as fast as possible."""
    name: str | None = None
    """Name of the source in events; None is the name of the device or file."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        if self.input is not None:
            object.__setattr__(self, "input", expand_home(self.input))

    @property
    def is_microphone(self) -> bool:
        """Whether a capture device is opened."""
        return self.input is None

    @property
    def is_recording(self) -> bool:
        """Whether a file is read: its sound is over, unlike that of a microphone or a pipe."""
        return self.input not in (None, "-")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model that classifies windows."""

    name: str = "auto"
    """A bundle or a path to one, or several with +; `auto`: yamnet+mn04, or yamnet where mn04 is missing."""
    heads: tuple[str, ...] | None = None
    """Heads to run too; None is every head in the user's models folder that fits, unless `name` has some."""
    runtime: Literal["auto", "tflite", "onnx"] = "auto"
    """`tflite`, `onnx`, or `auto`: the first that the bundle has a file for and that is installed."""
    threads: Annotated[int, Limit(1, 64)] = 1
    """Threads that the runtime may use."""
    prior: bool = True
    """Subtract the model's prior, its scores for sounds that are not there, where it has one."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """When windows are classified: while the gate is open."""

    mode: Literal["both", "webrtcvad", "level", "off"] = "both"
    """`webrtcvad`, `level`, `both` (either opens it) or `off` (always open)."""
    vad_mode: Annotated[int, Limit(0, 3)] = 2
    """Aggressiveness of webrtcvad, 0..3; higher opens less often."""
    hangover_seconds: Annotated[float, Limit(0, 60, "s")] = 1.5
    """How long the gate stays open after the last active frame."""
    preroll_seconds: Annotated[float, Limit(0, 10, "s")] = 0.24
    """Windows that ended up to this long before the gate opened are classified too."""
    min_level_dbfs: Annotated[float, Limit(-120, 0, "dBFS")] | None = None
    """Sound below this level does not open the gate; None is no limit."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How often a window is classified; the model decides its length."""

    hop_seconds: Annotated[float, Limit(0.03, 10, "s")] = 0.24
    """From one window's end to the next while something may begin."""
    steady_hop_seconds: Annotated[float, Limit(0.03, 10, "s")] = 0.48
    """The same where nothing new sounds; rounded to a multiple of `hop_seconds`, and never less."""


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """The slow gain in front of the classifier, for quiet microphones."""

    enabled: bool = True
    """Whether the gain is applied."""
    target_dbfs: Annotated[float, Limit(-60, 0, "dBFS")] = -24.0
    """Level that the loudest recent sound is raised to; louder sound is not changed."""
    max_gain_db: Annotated[float, Limit(0, 60, "dB")] = 40.0
    """The highest gain."""


@dataclass(frozen=True, slots=True)
class EventSettings:
    """Which labels are reported, and when their scores become an event."""

    preset: Preset = "home"
    """`alert` misses least, `quiet` is wrong least, `home` lies between; the older names mean the same."""
    threshold_on: ThresholdOn | None = None
    """Score 0..1 that starts an event; None takes the model's own thresholds."""
    threshold_off: ThresholdOff | None = None
    """Score below which the event ends; None is half of `threshold_on`."""
    release_seconds: Annotated[float, Limit(0, 60, "s")] = 1.5
    """How long the score must stay below `threshold_off` before the event ends."""
    min_duration_seconds: UpToADay = 0.0
    """Shorter sounds are not reported."""
    refractory_seconds: UpToADay = 0.0
    """After an event's end its label is not reported for this long."""
    update_seconds: UpToADay = 10.0
    """A sound that goes on is reported again this often; 0 is never."""
    include: tuple[str, ...] = ()
    """Labels to report; empty is all."""
    exclude: tuple[str, ...] = ()
    """Labels not to report."""
    background: bool = False
    """Also report background labels (Silence, Inside, ...)."""
    everyday: bool = True
    """Report kinds under everyday names (Bark under Dog); False is every label by its own name."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Group name -> labels that are reported under it, and no longer by themselves."""
    labels: Mapping[str, LabelSettings] = field(default_factory=dict)
    """Label or group name -> its own settings."""


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """Alarms that are known by their rhythm, without a network."""

    patterns: bool = True
    """Whether smoke alarms (T3), carbon monoxide alarms (T4) and low-battery chirps are looked for."""


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """The file in which all events are kept."""

    enabled: bool | None = None
    """None: on for a microphone and a pipe, off for a recording."""
    path: str | None = None
    """The file; None is `history.db` in the service's or the user's state folder."""
    keep_days: Annotated[int, Limit(1, 36500, "days")] = 90
    """Older events are deleted."""
    max_megabytes: Annotated[int, Limit(1, 1_000_000, "MB")] = 500
    """Size of the file beyond which the oldest events are deleted."""
    levels: bool = True
    """Whether the sound level of each minute is kept, too."""
    pictures: Annotated[int, Limit(0, 100_000)] = 2000
    """Pictures that are kept, of the newest events; 0: none."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        if self.path is not None:
            object.__setattr__(self, "path", expand_home(self.path))


@dataclass(frozen=True, slots=True)
class VerdictSettings:
    """What people said of events, and whether it decides on the next ones."""

    use: bool = True
    """Whether verdicts veto and rename events; they can be given all the same."""
    keep: Annotated[int, Limit(0, 100_000, "events")] = 1000
    """Events whose embedding the history keeps, 1 KB each: on these a verdict can be given; 0 is none."""


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """The sound around events, kept in files."""

    folder: str | None = None
    """Where clips are kept; None keeps none."""
    enabled: bool = True
    """False keeps no clips, though there is a folder for them."""
    speech: Literal["drop", "keep"] = "drop"
    """`drop`: a clip with speech anywhere in it is never written; `keep`: nothing is judged."""
    labels: tuple[str, ...] = ()
    """Labels or groups that get clips; empty is all but speech."""
    preroll_seconds: Annotated[float, Limit(0, 30, "s")] = 3.0
    """Sound kept from before an event's onset."""
    postroll_seconds: Annotated[float, Limit(0, 30, "s")] = 3.0
    """Sound kept from after an event's end."""
    max_seconds: Annotated[float, Limit(1, 60, "s")] = 60.0
    """The longest clip; more than pre-roll and post-roll together."""
    format: Literal["flac", "wav", "opus"] = "flac"
    """`flac` and `wav` lose nothing, `opus` is a fifth of the size."""
    keep_days: Annotated[int, Limit(1, 36500, "days")] = 30
    """Older clips are deleted."""
    max_megabytes: Annotated[int, Limit(1, 1_000_000, "MB")] = 1000
    """Size of all clips beyond which the oldest are deleted."""
    min_free_megabytes: Annotated[int, Limit(0, 1_000_000, "MB")] = 500
    """Room on the disk below which the oldest clips are deleted, and no new one is written."""
    min_per_label: Annotated[int, Limit(0, 10_000)] = 10
    """So many newest clips of each label are never deleted; nor are locked ones."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        if self.folder is not None:
            object.__setattr__(self, "folder", expand_home(self.folder))

    @property
    def is_used(self) -> bool:
        """Whether clips are kept."""
        return self.enabled and self.folder is not None


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The counts of `sound-detector status` for Prometheus."""

    port: Annotated[int, Limit(0, 65535)] | None = None
    """Port on 127.0.0.1 for GET /metrics; 0 is any free port, None is no endpoint."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    source: SourceSettings = SourceSettings()
    sources: Mapping[str, NamedSource] = field(default_factory=dict)
    """Name -> one of several sources, in place of `source`."""
    model: ModelSettings = ModelSettings()
    gate: GateSettings = GateSettings()
    windows: WindowSettings = WindowSettings()
    level: LevelSettings = LevelSettings()
    events: EventSettings = EventSettings()
    alarms: AlarmSettings = AlarmSettings()
    sinks: tuple[SinkSettings, ...] | None = None
    """None is stdout, and for a live source also the default socket."""
    history: HistorySettings = HistorySettings()
    verdicts: VerdictSettings = VerdictSettings()
    clips: ClipSettings = ClipSettings()
    metrics: MetricsSettings = MetricsSettings()
    notify: NotifySettings = field(default_factory=NotifySettings)
    web: WebSettings = field(default_factory=WebSettings)
