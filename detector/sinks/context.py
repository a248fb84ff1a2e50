"""What the daemon offers to the sinks that it makes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from detector.interfaces import Archive
from detector.sinks.live_taps import LiveTaps
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.socket.control_desk import TakeControl
from detector.sinks.socket.limits import SubscriberCounts
from detector.wire.message import HelloBody, ReportBody, VerdictBody
from detector.wire.request import VerdictLine

if TYPE_CHECKING:  # whoever reads the settings of sinks needs no numpy
    from detector.events.labels import AskedLabels


def nothing_asked(names: Collection[str]) -> AskedLabels:
    """What a subscriber gets where no labels are known."""
    from detector.events.labels import AskedLabels

    return AskedLabels()


@dataclass(frozen=True, slots=True)
class InputState:
    """What the source is doing, for people who look at it."""

    state: str
    """As in `status` messages."""
    detail: str
    """A line for people, or empty."""
    level_dbfs: float
    """Level of the newest sound; it falls slowly [dBFS]."""
    gate_is_open: bool
    """Whether windows are classified now."""
    is_overloaded: bool = False
    """Whether some of its sound is left out now, since this machine cannot keep up."""


@dataclass(frozen=True, slots=True)
class SourceTraits:
    """One source, as far as sinks treat it differently."""

    name: str = ""
    """Empty for the only one, if it has no name in the settings."""
    is_news: bool = True
    """Whether its sound is heard as it happens; that of a recording at full speed is not."""
    can_pause: bool = False
    """Whether it may stop to listen for a while."""


@dataclass(frozen=True, slots=True)
class NotifyReport:
    """What became of notifications: names and counts of each rule, and of each target."""

    rules: tuple[Mapping[str, object], ...]
    """`rule`, then what became of the events that it wanted."""
    targets: tuple[Mapping[str, object], ...]
    """`name`, then what became of its notices."""


@dataclass(frozen=True, slots=True)
class SinkContext:
    """The same for all sinks of a process."""

    hello: Callable[[], HelloBody]
    """Tells who this daemon is, now."""
    report: Callable[[], ReportBody]
    """Gives what `status` shows."""
    input_state: Callable[[], InputState] | None = None
    """Tells what the source is doing now; None where it is read faster than anybody could look."""
    subscribers: list[SubscriberCounts] = field(default_factory=list)
    """What each socket counts; a new socket adds its own."""
    notifiers: list[Callable[[], NotifyReport]] = field(default_factory=list)
    """The notifications in force, where there are some: a new sink takes the place of the old."""
    brokers: list[BrokerCounts] = field(default_factory=list)
    """What each MQTT sink counts; an open one adds its own."""
    archive: Archive | None = None
    """Events of the past; None where no history is kept."""
    asked_labels: Callable[[Collection[str]], AskedLabels] = nothing_asked
    """Tells what a subscriber gets who asks for events of these names."""
    give_verdict: Callable[[VerdictLine], VerdictBody] | None = None
    """Stores what somebody says of an event, or raises DetectorError. None where no history is kept."""
    live: LiveTaps = field(default_factory=LiveTaps)
    """The sources that can be watched as they sound."""
    take_control: TakeControl | None = None
    """Does what somebody wants of the daemon; None where there is none yet."""
    state_folder: Path | None = None
    """Where a sink may keep a file of its own; None: nowhere."""
    sources: tuple[SourceTraits, ...] = (SourceTraits(),)
    """The sources, in order."""
    pause: Callable[[bool, str], None] = lambda paused, source: None
    """Stops the source of this name from listening (True), or ends that (False)."""
    tells_sources_apart: bool = False
    """Whether people are shown which source an event is from."""
    verbose: bool = False
    """Whether people are shown updates too."""
