"""The running detector: a loop that takes blocks from the capture, processes them and publishes events."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from detector.audio.health import HealthMeter
from detector.delivery.dispatcher import Dispatcher
from detector.errors import DetectorError, DeviceLost, SinkError
from detector.events.timeline import SoundTimes, Timeline
from detector.interfaces import Service, Source
from detector.pipeline import Pipeline
from detector.records import Block, Counts, Event
from detector.service.capture import JOIN_SECONDS, PATIENCE_SECONDS, SourceEnded, SourceFailure, make_capture
from detector.service.device_state import DETAIL, DeviceObservation, DeviceState, next_state
from detector.service.systemd import Notifier
from detector.sinks.context import InputState
from detector.wire.message import StatusBody, event_body, utc_text

log = logging.getLogger(__name__)

STALL_SECONDS = 3.0
"""A device that has delivered sound and delivers nothing for this long hangs."""
HELD_UP_SECONDS = 1.5
"""A look at the capture takes 0.25 s; where it takes longer than this, the program itself stood still."""
OPENING_SECONDS = 15.0
"""The same for a device that is being opened: a sound server may take two seconds to start."""


class Daemon:
    """Runs one source through one pipeline to the sinks, until the source ends or `stop` is called.

    `queue_blocks` is how many blocks may wait between capture and worker (about 5 s); a live
    source loses what does not fit, which is counted and shows up as a gap; a recording waits.
    A live device that goes away, or is not there yet, is opened again until it is there.
    `reload` is called on SIGHUP; it returns the events that the change ends, or raises DetectorError where
    the new settings are wrong.
    """

    def __init__(
        self,
        *,
        source: Source,
        pipeline: Pipeline,
        dispatcher: Dispatcher,
        sample_rate: int,
        run_id: str,
        queue_blocks: int,
        health: HealthMeter | None = None,
        notifier: Notifier | None = None,
        reload: Callable[[], list[Event]] | None = None,
        metrics: Service | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._pipeline = pipeline
        self._dispatcher = dispatcher
        self._rate = sample_rate
        self._run_id = run_id
        self._health = health
        self._notifier = notifier or Notifier({})
        self._reload = reload
        self._metrics = metrics
        self._clock = clock
        self._monotonic = monotonic
        self._capture = make_capture(source, queue_blocks=queue_blocks, waits=source.live)
        # Plain values: the lock of an Event that a signal interrupts would never be given back.
        self._is_stopping = False
        self._reload_is_wanted = False
        self._failure: Exception | None = None
        self._timeline = Timeline(sample_rate=sample_rate, start=clock())
        self._times = SoundTimes()
        self._listened = False
        self._last_block_at = 0.0
        self.state = DeviceState.OPENING
        """What the source is doing."""
        self.started = clock()
        """UTC seconds since 1970."""

    @property
    def counts(self) -> Counts:
        """What was done and what was lost so far."""
        counts = self._pipeline.counts
        counts.blocks_dropped = self._capture.dropped
        return counts

    @property
    def source_name(self) -> str:
        """What events call the source."""
        return self._source.name

    @property
    def heard_seconds(self) -> float:
        """Length of the stream so far, gaps included [s]."""
        return self._pipeline.stop / self._rate

    @property
    def level_dbfs(self) -> float:
        """Level of the newest frame [dBFS]."""
        return self._pipeline.level_dbfs

    @property
    def input_state(self) -> InputState:
        """What a line for people shows of the source now."""
        return InputState(
            state=self.state.value,
            detail=DETAIL[self.state],
            level_dbfs=self._pipeline.meter_dbfs,
            gate_is_open=self._pipeline.gate_is_open,
        )

    @property
    def gain_db(self) -> float:
        """Gain in front of the classifier now [dB]."""
        return self._pipeline.gain_db

    def run(self) -> None:
        """Listen until the end; raises the SourceError that ended it, once everything is delivered."""
        self._dispatcher.start()
        try:
            if self._metrics is not None:
                self._metrics.start()
            self._last_block_at = self._monotonic()
            self._capture.start()
            self._work()
            self._notifier.stopping()
            self._publish_all(self._pipeline.flush())
            self._update_state(DeviceObservation.END, str(self._failure or ""))
        finally:
            self.stop()
            self._capture.stop(JOIN_SECONDS)
            self._dispatcher.close()
            if self._metrics is not None:
                self._metrics.close()
            if self._listened:
                self._report()
        if self._failure is not None:
            raise self._failure
        if not self._source.live:
            self._check_delivered()

    def _check_delivered(self) -> None:
        """Raise SinkError where events of a recording or a pipe reached a sink in part only."""
        lost = [
            f"{sink.failed + sink.dropped} messages could not be written to {sink.name}"
            for sink in self._dispatcher.stats()
            if sink.failed + sink.dropped
        ]
        if lost:
            raise SinkError(f"{'; '.join(lost)}: make room, or choose another sink")

    def stop(self) -> None:
        """End soon: blocks in the queue are dropped, open events end; safe in a signal handler."""
        self._is_stopping = True

    def request_reload(self) -> None:
        """Read the settings again and let the sinks open their files again; safe in a signal handler."""
        self._reload_is_wanted = True

    def _work(self) -> None:
        excused = False
        while not self._is_stopping:
            self._apply_reload()
            looked = self._monotonic()
            try:
                item = self._capture.get(PATIENCE_SECONDS)
            except SourceEnded:
                self._failure = self._capture.failure
                return
            if item is None:
                now = self._monotonic()
                if now - looked > HELD_UP_SECONDS and not excused:
                    # The program itself stood still, as by SIGSTOP: the device is not to blame.
                    excused, self._last_block_at = True, now
                elif self._has_stalled():
                    return
                continue
            excused, self._last_block_at = False, self._monotonic()
            if isinstance(item, SourceFailure):
                self._publish_all(self._pipeline.interrupt())
                self._update_state(DeviceObservation.FAILED, item.reason)
                self._notifier.ready()  # up, and waiting for the device
            else:
                self._process(item)
            self._notifier.watchdog()

    def _process(self, block: Block) -> None:
        self._anchor(block)
        self._update_state(
            DeviceObservation.SOUND if self._health is None else DeviceObservation(self._health.push(block))
        )
        self._publish_all(self._pipeline.push(block))

    def _has_stalled(self) -> bool:
        """Whether no block came for too long; the program then ends: only a new one gets the device back."""
        opening = self.state in (DeviceState.OPENING, DeviceState.WAITING, DeviceState.LOST)
        limit = OPENING_SECONDS if opening else STALL_SECONDS
        if not self._source.live or self._monotonic() - self._last_block_at < limit:
            return False
        self._failure = DeviceLost(
            f"{self._source.name} has delivered nothing for {limit:.0f} s and cannot be closed; "
            "restart the program"
        )
        self._update_state(DeviceObservation.STALLED)
        return True

    def _apply_reload(self) -> None:
        if not self._reload_is_wanted:
            return
        self._reload_is_wanted = False
        with self._notifier.reloading():
            try:
                if self._reload is not None:
                    self._publish_all(self._reload())
                log.info("daemon.reloaded")
            except (DetectorError, OSError) as error:
                for line in str(error).splitlines():
                    log.error("daemon.reload_refused the old settings stay: %s", line)
            self._dispatcher.reopen()

    def _anchor(self, block: Block) -> None:
        """Tie samples to the clock: by the source's own time, else by the first block's arrival."""
        if not self._listened:
            self._listened = True
            began = self._clock() - block.stop / self._rate
            self._timeline = Timeline(sample_rate=self._rate, start=began)
            self._notifier.ready()
        if block.time is not None:
            self._timeline.observe(block.stop, block.time)

    def _update_state(self, observation: DeviceObservation, reason: str = "") -> None:
        """Change the state by the table; a change is logged and published."""
        state = next_state(self.state, observation)
        if state is self.state:
            return
        self.state = state
        detail = "; ".join(part for part in (reason, DETAIL[state]) if part)
        bad = state in (
            DeviceState.WAITING,
            DeviceState.LOST,
            DeviceState.HUNG,
            DeviceState.SILENT,
            DeviceState.CLIPPING,
        )
        # A source that never delivered a block ends with an error, which says enough.
        quiet = state is DeviceState.STOPPED and not self._listened
        log.log(
            logging.WARNING if bad else logging.DEBUG if quiet else logging.INFO,
            "daemon.%s source=%r%s",
            state.value,
            self._source.name,
            f" detail={detail!r}" if detail else "",
        )
        self._notifier.status(f"{state.value}: {detail or self._source.name}")
        self._dispatcher.publish(
            StatusBody(
                state=state.value, source=self._source.name, detail=detail, time=utc_text(self._clock())
            )
        )

    def _publish_all(self, events: list[Event]) -> None:
        for event in events:
            if event.phase == "start":
                self._notifier.status(f"{self.state.value}: heard {event.label.name} ({event.top_score:.2f})")
            self._dispatcher.publish(
                event_body(
                    event,
                    to_utc=self._times.of(event, self._timeline),
                    sample_rate=self._rate,
                    source=self._source.name,
                    run_id=self._run_id,
                )
            )

    def _report(self) -> None:
        counts = self.counts
        log.info(
            "daemon.summary seconds=%.1f windows=%d events=%d blocks_dropped=%d samples_lost=%d",
            self._pipeline.stop / self._rate,
            counts.windows,
            counts.events,
            counts.blocks_dropped,
            counts.samples_lost,
        )
