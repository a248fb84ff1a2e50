"""Settings of each source: those of all, with what `sources` says of it alone."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detector.config.named_source import NamedSource
from detector.config.settings import EventSettings, Settings
from detector.errors import ConfigError
from detector.events.quiet import QuietHours

if TYPE_CHECKING:  # whoever reads the settings needs no numpy
    from detector.events.labels import AskedLabels, LabelMap

OWN_KEYS = ("threshold_on", "threshold_off", "include", "exclude", "labels")
"""Keys of `events` that a source can have too."""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What one source and its pipeline are made from."""

    name: str
    """Empty for the single source of `source`, which has no name in the settings."""
    settings: Settings
    """With the source's own `events` and `gate`."""
    source: NamedSource | None
    """None for the single source."""

    @property
    def is_recording(self) -> bool:
        """Whether a file is read."""
        return self.settings.source.is_recording if self.source is None else self.source.file is not None

    @property
    def is_at_full_speed(self) -> bool:
        """Whether a file is read as fast as possible."""
        realtime = self.settings.source.realtime if self.source is None else self.source.realtime
        return self.is_recording and not realtime

    @property
    def is_live(self) -> bool:
        """Whether its sound does not wait: neither a pipe nor a file at full speed."""
        pipe = self.settings.source.input == "-" if self.source is None else self.source.pipe is not None
        return not pipe and not self.is_at_full_speed

    @contextmanager
    def locating_keys(self) -> Iterator[None]:
        """Let a ConfigError about a key of `events` that the source itself has name the source's key."""
        try:
            yield
        except ConfigError as error:
            section, _, key = error.key.partition(".")
            own = key.partition(".")[0].partition("[")[0]
            label = key.partition(".")[2]
            given = self.source is not None and section == "events" and own in OWN_KEYS
            if given and own == "labels":
                given = self.source is not None and label in self.source.labels
            elif given:
                given = getattr(self.source, own) is not None
            if not given:
                raise
            raise ConfigError(error.message, key=f"sources.{self.name}.{key}") from error


def channels_of(settings: Settings) -> tuple[ChannelSettings, ...]:
    """The settings of each source, in their order; one without a name where `sources` has none."""
    if not settings.sources:
        return (ChannelSettings("", settings, None),)
    return tuple(
        ChannelSettings(name, _merged(settings, source), source) for name, source in settings.sources.items()
    )


def _merged(settings: Settings, source: NamedSource) -> Settings:
    gate = settings.gate
    if source.min_level_dbfs is not None:
        gate = replace(gate, min_level_dbfs=source.min_level_dbfs)
    return replace(settings, gate=gate, events=_own_events(settings.events, source))


def _own_events(events: EventSettings, source: NamedSource) -> EventSettings:
    """A label that the source reports is not excluded by `events`."""
    include = events.include if source.include is None else source.include
    exclude = events.exclude if source.exclude is None else source.exclude
    if source.include is not None and source.exclude is None:
        exclude = tuple(name for name in exclude if name not in source.include)
    return replace(
        events,
        threshold_on=events.threshold_on if source.threshold_on is None else source.threshold_on,
        threshold_off=events.threshold_off if source.threshold_off is None else source.threshold_off,
        include=include,
        exclude=exclude,
        labels={**events.labels, **source.labels},
    )


def make_quiet_hours(channel: ChannelSettings, labels: LabelMap) -> QuietHours | None:
    """Build what leaves out the events of a source's quiet hours; ConfigError for an unknown label."""
    source = channel.source
    if source is None or source.hours is None:
        return None
    key = f"sources.{channel.name}.quiet_keep"
    kept = [index for name in source.quiet_keep for index in labels.find_all(key, name)]
    return QuietHours(
        source.hours,
        kept={labels.reported[index].class_id for index in kept},
        minute_of=local_minute,
    )


def local_minute(moment: float) -> int:
    """The local minute of the day at `moment` [UTC seconds since 1970]."""
    local = time.localtime(moment)
    return 60 * local.tm_hour + local.tm_min


def asked_of_any(each: Sequence[LabelMap], names: Collection[str]) -> AskedLabels:
    """What somebody gets who asks for events by these names, of any source: `each` has the labels of one."""
    answers = [labels.asked(names) for labels in each]
    known = {
        name
        for answer in answers
        for name in names
        if name not in answer.unknown and name not in answer.reported_as
    }
    return each[0].asked([name for name in names if name not in known])
