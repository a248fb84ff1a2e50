"""The running detector: a loop that gives each source its turn and publishes what comes of it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from detector.delivery.dispatcher import Dispatcher
from detector.errors import DetectorError, SinkError
from detector.events.boundaries import UNHEARD_DBFS
from detector.interfaces import Body, Service
from detector.records import Counts, Event
from detector.service.capture import JOIN_SECONDS, PATIENCE_SECONDS, SourceFailure
from detector.service.device_state import ENDED_BESIDE_OTHERS, DeviceState, overall_state
from detector.service.intake import Delivery, Intake
from detector.service.overload import OverloadWatch
from detector.service.source_channel import SourceChannel
from detector.service.source_load import TOO_SLOW
from detector.service.systemd import Notifier
from detector.sinks.context import InputState
from detector.wire.message import EventBody, StatusBody

if TYPE_CHECKING:  # multiprocessing is loaded only where clips are kept
    from detector.clips.clip_keeper import ClipKeeper

log = logging.getLogger(__name__)

HELD_UP_SECONDS = 1.5
"""A look at the captures takes 0.25 s; where it takes longer than this, the program itself stood still."""

HEARD = (DeviceState.LISTENING.value, DeviceState.CLIPPING.value)
"""States of a source whose level says something."""


class Daemon:
    """Runs sources through their pipelines to the sinks, until all have ended or `stop` is called.

    The caller's thread runs all pipelines in turn: they share one classifier. A source that fails or ends
    leaves the others running; with the last one the daemon ends. `are_named` says that the settings give the
    sources names. `advice` says what would help where they are too much for this machine. `reload` is called
    on SIGHUP; it returns, for each channel, the events that the change ends, or raises DetectorError where
    the new settings are wrong.
    """

    def __init__(
        self,
        *,
        channels: Sequence[SourceChannel],
        are_named: bool = False,
        dispatcher: Dispatcher,
        notifier: Notifier | None = None,
        reload: Callable[[], Sequence[list[Event]]] | None = None,
        metrics: Service | None = None,
        clips: ClipKeeper | None = None,
        advice: str = "fewer sources",
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channels = tuple(channels)
        """The sources, in the order of the settings."""
        self.are_named = are_named
        """Whether messages and reports tell the sources apart."""
        self._intake = Intake([channel.capture for channel in channels])
        self._dispatcher = dispatcher
        self._notifier = notifier or Notifier({})
        self._reload = reload
        self._metrics = metrics
        self._clips = clips
        self._monotonic = monotonic
        # Plain values: the lock of an Event that a signal interrupts would never be given back.
        self._is_stopping = False
        self._reload_is_wanted = False
        self._reload_askers: deque[Callable[[Sequence[str]], None]] = deque()
        self._looked_at = 0.0
        self.advice = advice
        """What would help where the sources are too much for this machine."""
        self._overload = OverloadWatch(advice)
        self.started = clock()
        """UTC seconds since 1970."""

    @property
    def counts(self) -> Counts:
        """What was done and what was lost so far, by all sources together."""
        return total([channel.counts for channel in self.channels])

    @property
    def state(self) -> DeviceState:
        """The worst state of a source."""
        return overall_state(channel.state for channel in self.channels)

    @property
    def source_name(self) -> str:
        """The names of all sources, for people."""
        return ", ".join(channel.name for channel in self.channels)

    @property
    def input_state(self) -> InputState:
        """What a line for people shows of the sources now: the loudest, and who does not listen."""
        inputs = [channel.input_state for channel in self.channels]
        if not self.are_named:
            return inputs[0]
        listening = [each for each in inputs if each.state in HEARD]
        notes = [
            f"{channel.name}: {channel.state.value}"
            for channel in self.channels
            if channel.state.value not in (*HEARD, DeviceState.STOPPED.value)
        ]
        if any(each.is_overloaded for each in inputs):
            notes.append(TOO_SLOW)
        return InputState(
            state=DeviceState.LISTENING.value if listening else self.state.value,
            detail="; ".join(notes),
            level_dbfs=max((each.level_dbfs for each in listening), default=UNHEARD_DBFS),
            gate_is_open=any(each.gate_is_open for each in listening),
        )

    def run(self) -> None:
        """Listen until the end; raises the SourceError that ended it, once everything is delivered."""
        self._dispatcher.start()
        try:
            if self._metrics is not None:
                self._metrics.start()
            if self._clips is not None:
                self._clips.start()
            now = self._monotonic()
            for channel in self.channels:
                channel.start(now)
            self._work()
            self._notifier.stopping()
            for channel in self.channels:
                self._publish(channel, channel.end())
        finally:
            self.stop()
            for seconds in (0.0, JOIN_SECONDS):  # all are asked before any is waited for
                for channel in self.channels:
                    channel.capture.stop(seconds)
            if self._clips is not None:  # before the sinks, which tell of the last clips
                self._clips.close(in_time=any(channel.is_live for channel in self.channels))
            self._dispatcher.close()
            if self._metrics is not None:
                self._metrics.close()
            if any(channel.has_listened for channel in self.channels):
                self._report()
        for channel in self.channels:
            if channel.failure is not None:
                raise channel.failure
        if not any(channel.is_live for channel in self.channels):
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

    def pause(self, paused: bool, source: str = "") -> None:
        """Throw the sound of live sources away unheard, or listen again; safe from any thread.

        Of all sources, or of the one of this name.
        """
        for channel in self.channels:
            if source in ("", channel.name):
                channel.is_paused = paused and channel.is_live

    def request_reload(self, told: Callable[[Sequence[str]], None] | None = None) -> None:
        """Read the settings again and let the sinks open their files again; safe in a signal handler.

        `told` is called on the daemon's thread with what is wrong with the new settings, nothing if all is
        well; safe from any thread.
        """
        if told is not None:
            self._reload_askers.append(told)
        self._reload_is_wanted = True

    def _work(self) -> None:
        before = float("inf")
        while not self._is_stopping:
            self._apply_reload()
            looked = self._monotonic()
            delivery = self._intake.next(PATIENCE_SECONDS, looked)
            now = self._monotonic()
            if now - looked > HELD_UP_SECONDS:
                for channel in self.channels:
                    channel.excuse(now)
            if now - before > HELD_UP_SECONDS:
                for channel in self.channels:
                    channel.load.excuse(now)
            before = now
            if delivery is not None:
                self._serve(delivery, now)
            if delivery is None or now - self._looked_at >= PATIENCE_SECONDS:
                self._looked_at = now
                self._look_for_stalls(now)
                self._look_for_overload(now)
            if not self._intake.open:
                return

    def _look_for_stalls(self, now: float) -> None:
        """Give up sources that deliver nothing for too long."""
        for source in self._intake.idle():
            if stalled := self.channels[source].stalled(now):
                self._publish(self.channels[source], stalled)
                self._intake.leave(source)
        if all(self.channels[source].is_expected_later(now) for source in self._intake.open):
            self._notifier.watchdog()  # nothing can come now, which is no fault of the program

    def _look_for_overload(self, now: float) -> None:
        """Tell of sources that the worker is behind with, and of their recovery."""
        self._overload.look([channel.load.burden(now) for channel in self.channels], now)
        for channel in self.channels:
            self._publish(channel, channel.news_of_load())

    def _serve(self, delivery: Delivery, now: float) -> None:
        """Give a channel what its capture delivered."""
        channel, item = self.channels[delivery.source], delivery.item
        self._intake.begin_turn(delivery.source, now)
        if item is None:
            channel.failure = channel.capture.failure
            if self._intake.open:  # else the end of all follows
                if channel.failure is not None:
                    log.error("daemon.source_failed source=%r: %s", channel.name, channel.failure)
                self._publish(channel, channel.end(ENDED_BESIDE_OTHERS))
        elif isinstance(item, SourceFailure):
            self._publish(channel, channel.take(item, now))
            self._notifier.ready()  # up, and waiting for the device
        else:
            self._notifier.ready()
            self._publish(channel, channel.take(item, now))
        self._notifier.watchdog()

    def _apply_reload(self) -> None:
        if not self._reload_is_wanted:
            return
        self._reload_is_wanted = False
        askers = [self._reload_askers.popleft() for _ in range(len(self._reload_askers))]
        faults: list[str] = []
        with self._notifier.reloading():
            try:
                if self._reload is not None:
                    for channel, ended in zip(self.channels, self._reload(), strict=True):
                        self._publish(channel, channel.bodies(ended))
                log.info("daemon.reloaded")
            except (DetectorError, OSError) as error:
                faults = str(error).splitlines()
                for line in faults:
                    log.error("daemon.reload_refused the old settings stay: %s", line)
            self._dispatcher.reopen()
        for told in askers:
            told(faults)

    def _publish(self, channel: SourceChannel, bodies: Sequence[Body]) -> None:
        state = channel.state.value
        about = f"{channel.name} {state}" if self.are_named else state
        for body in bodies:
            if isinstance(body, StatusBody):
                self._notifier.status(f"{about}: {body.detail or body.source}")
                body = replace(body, overall=self.state.value if self.are_named else None)
            elif isinstance(body, EventBody) and body.kind == "start" and body.vetoed is None:
                self._notifier.status(f"{about}: heard {body.label} ({body.top_score:.2f})")
            self._dispatcher.publish(body)

    def _report(self) -> None:
        for channel in self.channels:
            counts = channel.counts
            log.info(
                "daemon.summary %sseconds=%.1f windows=%d events=%d blocks_dropped=%d samples_lost=%d",
                f"source={channel.name} " if self.are_named else "",
                channel.heard_seconds,
                counts.windows,
                counts.events,
                counts.blocks_dropped,
                counts.samples_lost,
            )


def total(parts: Sequence[Counts]) -> Counts:
    """Add up what several sources count."""
    names = [item.name for item in fields(Counts)]
    return Counts(**{name: sum(getattr(part, name) for part in parts) for name in names})
