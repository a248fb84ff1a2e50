"""One source and everything that belongs to it alone: its capture, pipeline, device state and clock.

A channel takes what its capture delivers and returns what is to be published. It publishes nothing itself and
starts no thread but its capture's: the daemon gives each channel its turn.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.audio.health import HealthMeter
from detector.audio.minute_meter import MinuteMeter
from detector.errors import DeviceLost
from detector.events.quiet import QuietHours
from detector.events.timeline import SoundTimes, Timeline
from detector.interfaces import Body, Source
from detector.pipeline import Pipeline
from detector.records import Block, Counts, Event
from detector.service.capture import SourceFailure, make_capture
from detector.service.device_state import (
    HEARD,
    DeviceObservation,
    DeviceState,
    retry_seconds,
    stream_retry_seconds,
)
from detector.service.live_sound import LiveSound
from detector.service.source_load import SourceLoad
from detector.service.source_status import SourceStatus
from detector.sinks.context import InputState
from detector.verdicts.verdict_stage import VerdictStage
from detector.wire.message import StatusBody, event_body, utc_text

if TYPE_CHECKING:
    from detector.clips.clip_recorder import ClipRecorder
    from detector.service.event_pictures import EventPictures
    from detector.service.sound_recorder import SoundRecorder

STALL_SECONDS = 3.0
"""A device that has delivered sound and delivers nothing for this long hangs."""
OPENING_SECONDS = 15.0
"""The same for a device that is being opened: a sound server may take two seconds to start."""

STREAM_AHEAD_SECONDS = 60.0
"""So long may a stream that is ahead of the clock be held back without a fault (sources.stream)."""


class SourceChannel:
    """Turns one source's blocks into messages, through a pipeline of its own.

    `queue_blocks` is how many blocks may wait between capture and worker (about 5 s); a live
    source loses what does not fit, which is counted and shows up as a gap; a recording waits.
    A live device that goes away, or is not there yet, is opened again until it is there.
    `event_ids` begins the `id` of its events; `clips` keeps the sound around them and `pictures` a picture of
    each, `verdicts` may veto or rename them, `levels` measures the sound level by minute, `live` shows it to
    those who watch it. `is_stream`: it can always be closed, so it never hangs. `is_alone` is False where
    other sources go on without it.
    """

    def __init__(
        self,
        *,
        source: Source,
        pipeline: Pipeline,
        sample_rate: int,
        event_ids: str,
        queue_blocks: int,
        health: HealthMeter | None = None,
        clips: ClipRecorder | None = None,
        pictures: EventPictures | None = None,
        verdicts: VerdictStage | None = None,
        quiet: QuietHours | None = None,
        live: LiveSound | None = None,
        levels: MinuteMeter | None = None,
        is_stream: bool = False,
        is_alone: bool = True,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pipeline = pipeline
        """Its own stages."""
        self.failure: Exception | None = None
        """What ended it early."""
        self.is_paused = False
        """Whether its sound is thrown away unheard; any thread may set it."""
        self.has_listened = False
        """Whether a block ever came."""
        self.capture = make_capture(
            source,
            queue_blocks=queue_blocks,
            waits=source.live,
            retry=stream_retry_seconds if is_stream else retry_seconds,
            monotonic=monotonic,
        )
        """What reads the source."""
        self._source = source
        self._rate = sample_rate
        self._event_ids = event_ids
        self._health = health
        self._recorders: list[SoundRecorder] = [each for each in (clips, pictures) if each is not None]
        self._verdicts = verdicts
        if clips is not None:
            pipeline.watch(clips.hear)
        self.levels = levels
        """What measures its sound level; None where that is not kept."""
        if levels is not None:
            pipeline.watch_levels(levels.push)
        self._quiet, self._live = quiet, live
        self._is_stream = is_stream
        self.device = SourceStatus(source, is_stream=is_stream, is_alone=is_alone)
        """The state of what delivers the sound."""
        self._clock = clock
        self._timeline = Timeline(sample_rate=sample_rate, start=clock())
        self._times = SoundTimes()
        self._last_block_at, self._is_excused = 0.0, False
        self.load = SourceLoad(source, self.capture, pipeline, sample_rate=sample_rate)
        """Whether the worker keeps up with it."""
        self._load_told = ""

    @property
    def name(self) -> str:
        """What events call the source."""
        return self._source.name

    @property
    def state(self) -> DeviceState:
        """What the source is doing."""
        return self.device.state

    @property
    def is_live(self) -> bool:
        """Whether its sound does not wait."""
        return self._source.live

    @property
    def counts(self) -> Counts:
        """What was done and what was lost so far."""
        counts = self.pipeline.counts
        counts.blocks_dropped = self.capture.dropped
        return counts

    @property
    def heard_seconds(self) -> float:
        """Length of the stream so far, gaps included [s]."""
        return self.pipeline.stop / self._rate

    @property
    def level_dbfs(self) -> float:
        """Level of the newest frame [dBFS]; NaN while the source is not heard."""
        is_heard = self.state in HEARD and not self.is_paused
        return self.pipeline.level_dbfs if is_heard else math.nan

    @property
    def lost_seconds(self) -> float:
        """Sound that is missing from the stream [s]."""
        return self.pipeline.counts.samples_lost / self._rate

    @property
    def gain_db(self) -> float:
        """Gain in front of the classifier now [dB]."""
        return self.pipeline.gain_db

    @property
    def input_state(self) -> InputState:
        """What a line for people shows of the source now."""
        of_load = self.load.detail
        return InputState(
            state=self.state.value,
            detail="; ".join(part for part in (self.device.detail, of_load) if part),
            level_dbfs=self.pipeline.meter_dbfs,
            gate_is_open=self.pipeline.gate_is_open,
            is_overloaded=bool(of_load),
        )

    def is_expected_later(self, now: float) -> bool:
        """Whether a stream is gone and asked for again, or came at once and is held back at its end."""
        is_held_back = now - self._last_block_at < STREAM_AHEAD_SECONDS
        return self._is_stream and (self.state is not DeviceState.LISTENING or is_held_back)

    def start(self, now: float) -> None:
        """Begin to read, at `now` on a steady clock [s]."""
        self._last_block_at = now
        self.capture.start()

    def take(self, item: Block | SourceFailure, now: float) -> list[Body]:
        """Take what the capture delivered at `now` [s]; return what is to be published."""
        self._is_excused, self._last_block_at = False, now
        is_heard = self.is_live and not self.is_paused
        if is_heard and isinstance(item, Block) and self.load.gives_up(item, now):
            return []
        if isinstance(item, SourceFailure):
            interrupted = self.bodies(self.pipeline.interrupt())
            self._finish_records()
            return interrupted + self._observe(DeviceObservation.FAILED, item.reason)
        self._anchor(item)
        if self.levels is not None:
            listens = not self.is_paused and self.state is not DeviceState.SILENT
            self.levels.follow(self._timeline.utc, listens=listens)
        if self.is_paused:
            interrupted = self.bodies(self.pipeline.pass_over(item))
            self._finish_records()
            return interrupted + self._observe(DeviceObservation.PAUSED)
        seen = DeviceObservation.SOUND if self._health is None else DeviceObservation(self._health.push(item))
        for recorder in self._recorders:
            recorder.push(item)
        told = self._observe(seen) + self.bodies(self.pipeline.push(item))
        for recorder in self._recorders:
            recorder.submit_due()
        if self._live is not None:
            self._live.push(item, to_utc=self._timeline.utc, level_dbfs=self.pipeline.meter_dbfs)
        return told

    def end(self, reason: str = "") -> list[Body]:
        """No more blocks are taken: end open events and say that the source has stopped, and why; once."""
        if self.state is DeviceState.STOPPED:
            return []
        ended = self.bodies(self.pipeline.flush())
        self._finish_records()
        return ended + self._observe(DeviceObservation.END, str(self.failure or reason))

    def excuse(self, now: float) -> None:
        """The program itself stood still, as by SIGSTOP: once, the device is not to blame."""
        if not self._is_excused:
            self._is_excused, self._last_block_at = True, now

    def stalled(self, now: float) -> list[Body]:
        """Messages that say so where no block came for too long; only a new process gets the device back."""
        opening = self.state in (DeviceState.OPENING, DeviceState.WAITING, DeviceState.LOST)
        limit = OPENING_SECONDS if opening else STALL_SECONDS
        if not self._source.live or self._is_stream or now - self._last_block_at < limit:
            return []
        self.failure = DeviceLost(
            f"{self._source.name} has delivered nothing for {limit:.0f} s and cannot be closed; "
            "restart the program"
        )
        return self._observe(DeviceObservation.STALLED)

    def news_of_load(self) -> list[Body]:
        """A message where what is left out has changed since the last one."""
        return [self._status()] if self.load.detail != self._load_told else []

    def bodies(self, events: list[Event]) -> list[Body]:
        """Describe events of this source for the wire, as the verdicts in force make them.

        Those of quiet hours are left out.
        """
        if self._verdicts is not None:
            events = self._verdicts.push(events)
        found: list[Body] = []
        for event in events:
            to_utc = self._times.of(event, self._timeline)
            body = event_body(
                event,
                to_utc=to_utc,
                sample_rate=self._rate,
                source=self._source.name,
                run_id=self._event_ids,
            )
            is_reported = self._quiet is None or self._quiet.reports(event, to_utc(event.onset))
            if is_reported:
                found.append(body)
            for recorder in self._recorders:
                recorder.note(event, body, is_reported=is_reported and body.vetoed is None)
        return found

    def _finish_records(self) -> None:
        """No more sound for now: what is kept of it ends here."""
        for recorder in self._recorders:
            recorder.finish()
        if self.levels is not None:
            self.levels.flush()

    def _anchor(self, block: Block) -> None:
        """Tie samples to the clock: by the source's own time, else by the first block's arrival."""
        if not self.has_listened:
            self.has_listened = True
            began = self._clock() - block.stop / self._rate
            self._timeline = Timeline(sample_rate=self._rate, start=began)
        if block.time is not None:
            self._timeline.observe(block.stop, block.time)

    def _observe(self, observation: DeviceObservation, reason: str = "") -> list[Body]:
        """Change the state by the table; a change is returned to be published."""
        # A source that fails, or never delivered a block, ends with an error, which says enough.
        is_error = self.failure is not None or not self.has_listened
        is_told = observation is DeviceObservation.END and is_error
        if not self.device.observe(observation, reason, is_told=is_told):
            return []
        if self.state not in HEARD:
            self.load.rest()
        return [self._status()]

    def _status(self) -> StatusBody:
        """Its state now, with a line for people."""
        shown, self._load_told = self.input_state, self.load.detail
        time = utc_text(self._clock())
        return StatusBody(state=shown.state, source=self._source.name, detail=shown.detail, time=time)
