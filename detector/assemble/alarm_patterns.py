"""The alarms that are known by their rhythm, from the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from detector.alarms.alarm_stage import AlarmStage
from detector.alarms.pattern_detector import PatternDetector
from detector.audio.level import LevelMeter
from detector.config.settings import Settings
from detector.events.labels import LabelMap
from detector.records import Label


def reported_labels(settings: Settings, labels: LabelMap) -> tuple[Label, ...]:
    """What events may carry: the labels of the model, groups, and patterns if they are looked for."""
    return (*labels.reported, *labels.others) if settings.alarms.patterns else labels.reported


def alarm_stage_maker(
    settings: Settings, labels: LabelMap, meter: LevelMeter, *, sample_rate: int, frame_length: int
) -> Callable[[Callable[[], int]], AlarmStage] | None:
    """What builds the stage, given what gives the next event's id; None where no pattern is looked for."""
    if not settings.alarms.patterns:
        return None
    events = settings.events
    detector = PatternDetector(
        meter.bins_hz,
        sample_rate=sample_rate,
        frame_length=frame_length,
        gap_limit=round(events.release_seconds * sample_rate),
    )
    update = round(events.update_seconds * sample_rate)
    return partial(AlarmStage, detector, labels.others, update=update)
