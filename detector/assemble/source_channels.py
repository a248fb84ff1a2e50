"""Each source with its pipeline, from the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from detector.assemble.channels import ChannelSettings, channels_of, make_quiet_hours
from detector.assemble.endpoints import make_named_source, make_source
from detector.assemble.stages import hop_length, make_label_map, make_pipeline
from detector.audio.health import HealthMeter
from detector.audio.level_minute import LevelMinute
from detector.audio.minute_meter import MinuteMeter
from detector.config.settings import Settings
from detector.modelstore import Model
from detector.pipeline import Pipeline
from detector.records import ModelSpec
from detector.service.live_sound import LiveSound
from detector.service.source_channel import SourceChannel
from detector.sinks.live_taps import LiveTaps
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verdict_stage import VerdictStage

if TYPE_CHECKING:
    from detector.clips.clip_keeper import ClipKeeper
    from detector.history.picture_table import EventPicture

BLOCK_SECONDS = 0.13
"""Longest block: a longer one gives the reader more slack, but may delay events."""
NEVER_HEARD_SECONDS = 2.0
"""A microphone that is muted from the start is reported after this: opening it takes two seconds, too."""
QUEUE_SECONDS = 5.0
"""How much sound may wait for a busy worker before a live source loses blocks."""
STREAM_QUEUE_SECONDS = 60.0
"""The same for a stream: HLS begins with half a minute at once."""


def make_pipelines(settings: Settings, model: Model) -> dict[str, Pipeline]:
    """Build the stages of each source, by its name; all share the model's networks.

    ConfigError where labels are named that the model does not have.
    """
    pipelines = {}
    for stream, channel in enumerate(channels_of(settings)):
        with channel.locating_keys():
            pipelines[channel.name] = make_pipeline(
                channel.settings, model.classifier, model.heads, stream=stream
            )
    return pipelines


def make_channel(
    channel: ChannelSettings,
    pipelines: Mapping[str, Pipeline],
    spec: ModelSpec,
    *,
    run_id: str,
    keeper: ClipKeeper | None,
    book: VerdictBook | None,
    taps: LiveTaps,
    keep_picture: Callable[[EventPicture], None] | None,
    keep_levels: Callable[[Sequence[LevelMinute]], None] | None,
) -> SourceChannel:
    """Build a source, not opened, and what belongs to it alone; `pipelines` are those of all sources.

    Unless its sound is a recording's at full speed, `taps` gets one more. `keep_picture` stores pictures of
    its events, `keep_levels` its sound levels.
    """
    settings = channel.settings
    block = block_length(hop_length(settings, spec), spec.sample_rate)
    form = {"sample_rate": spec.sample_rate, "block_length": block}
    if channel.source is None:
        source = make_source(settings.source, **form)
    else:
        source = make_named_source(channel.name, channel.source, **form)
    is_stream = channel.source is not None and channel.source.is_stream
    recorder = None
    if keeper is not None:  # else nothing of clips is loaded
        from detector.assemble.clip_making import make_clip_recorder

        recorder = make_clip_recorder(settings, spec, keeper, is_live=source.live)
    levels = None
    if keep_levels is not None:
        levels = MinuteMeter(
            source=source.name,
            sample_rate=spec.sample_rate,
            bins_hz=pipelines[channel.name].bins_hz,
            keep=keep_levels,
        )
    pictures = None
    if keep_picture is not None:
        from detector.service.event_pictures import EventPictures

        pictures = EventPictures(sample_rate=spec.sample_rate, keep=keep_picture)
    seconds = STREAM_QUEUE_SECONDS if is_stream else QUEUE_SECONDS
    live = None
    if not channel.is_at_full_speed:
        live = LiveSound(taps.add(lambda: source.name), sample_rate=spec.sample_rate)
    return SourceChannel(
        source=source,
        pipeline=pipelines[channel.name],
        sample_rate=spec.sample_rate,
        event_ids=f"{run_id}-{channel.name}" if channel.name else run_id,
        queue_blocks=max(2, round(seconds * spec.sample_rate / block)),
        health=make_health_meter(spec.sample_rate) if source.live else None,
        clips=recorder,
        pictures=pictures,
        verdicts=None if book is None else VerdictStage(book),
        quiet=make_quiet_hours(channel, make_label_map(settings.events, spec)),
        live=live,
        levels=levels,
        is_stream=is_stream,
        is_alone=len(pipelines) == 1,
    )


def make_health_meter(sample_rate: int) -> HealthMeter:
    """Build what tells whether a microphone is muted or overdriven."""
    return HealthMeter(sample_rate=sample_rate, never_heard_seconds=NEVER_HEARD_SECONDS)


def block_length(hop: int, sample_rate: int) -> int:
    """Choose the longest whole fraction of the hop below BLOCK_SECONDS, so that blocks end where windows do.

    Both lengths are in samples.
    """
    longest = int(BLOCK_SECONDS * sample_rate)
    parts = -(-hop // longest)
    while hop % parts and parts < hop:
        parts += 1
    length = hop // parts
    return length if length >= 0.03 * sample_rate else longest
