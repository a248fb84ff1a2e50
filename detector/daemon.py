"""The running detector: a capture thread, a worker loop, and what signals ask for."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from detector.dispatch import Dispatcher
from detector.events.timeline import Timeline
from detector.interfaces import Source
from detector.pipeline import Pipeline
from detector.records import Block, Counts, Event
from detector.sinks.message import event_fields, status_fields

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.25
"""How soon a stop is noticed while no sound arrives."""


class Daemon:
    """Runs one source through one pipeline to the sinks, until the source ends or `stop` is called.

    `queue_blocks` is how many blocks may wait between capture and worker (about 5 s); a live
    source loses what does not fit, counted, and the loss shows up as a gap; a recording waits.
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
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._pipeline = pipeline
        self._dispatcher = dispatcher
        self._rate = sample_rate
        self._run_id = run_id
        self._clock = clock
        self._blocks: queue.Queue[Block | None] = queue.Queue(queue_blocks)
        self._stopping = threading.Event()
        self._reopening = threading.Event()
        self._capture_thread = threading.Thread(target=self._capture, name="capture", daemon=True)
        self._failure: BaseException | None = None
        self._timeline = Timeline(sample_rate=sample_rate, start=clock())
        self._listening = False
        self._dropped = 0

    @property
    def counts(self) -> Counts:
        """What was done and what was lost so far."""
        counts = self._pipeline.counts
        counts.blocks_dropped = self._dropped
        return counts

    def run(self) -> None:
        """Listen until the end; raises the SourceError that ended it, after all is delivered."""
        self._dispatcher.start()
        try:
            self._capture_thread.start()
            self._work()
            self._publish_all(self._pipeline.flush())
            self._tell("stopped", str(self._failure or ""))
        finally:
            self.stop()
            self._capture_thread.join(PATIENCE_SECONDS * 4)
            self._dispatcher.close()
            if self._listening:
                self._report()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End soon: what is queued is dropped, open events end; safe in a signal handler."""
        self._stopping.set()

    def reopen(self) -> None:
        """Let the sinks take their files anew; safe in a signal handler."""
        self._reopening.set()

    def _capture(self) -> None:
        """The capture thread: read, hand over, count what does not fit."""
        try:
            for block in self._source.blocks():
                if not self._hand_over(block):
                    break
        except Exception as error:  # handed to the worker, which raises it
            self._failure = error
        finally:
            self._source.close()
            self._put_waiting(None)

    def _hand_over(self, block: Block) -> bool:
        if not self._source.live:
            return self._put_waiting(block)
        try:
            self._blocks.put_nowait(block)
        except queue.Full:
            self._dropped += 1
        return not self._stopping.is_set()

    def _put_waiting(self, item: Block | None) -> bool:
        while not self._stopping.is_set():
            try:
                self._blocks.put(item, timeout=PATIENCE_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                block = self._blocks.get(timeout=PATIENCE_SECONDS)
            except queue.Empty:
                block = None
                if self._capture_thread.is_alive() or not self._blocks.empty():
                    self._obey()
                    continue
            if block is None:
                return
            self._anchor(block)
            self._publish_all(self._pipeline.push(block))
            self._obey()

    def _obey(self) -> None:
        if self._reopening.is_set():
            self._reopening.clear()
            log.info("sinks.reopen")
            self._dispatcher.reopen()

    def _anchor(self, block: Block) -> None:
        """Tie samples to the clock: by the source's own time, else by the first block's arrival."""
        if not self._listening:
            self._listening = True
            began = self._clock() - block.stop / self._rate
            self._timeline = Timeline(sample_rate=self._rate, start=began)
            log.info("daemon.listening source=%r", self._source.name)
            self._tell("listening")
        if block.time is not None:
            self._timeline.observe(block.stop, block.time)

    def _publish_all(self, events: list[Event]) -> None:
        for event in events:
            self._dispatcher.publish(
                event_fields(
                    event,
                    to_utc=self._timeline.utc,
                    sample_rate=self._rate,
                    source=self._source.name,
                    run_id=self._run_id,
                )
            )

    def _tell(self, state: str, detail: str = "") -> None:
        fields = status_fields(state, source=self._source.name, time=self._clock(), detail=detail)
        self._dispatcher.publish(fields)

    def _report(self) -> None:
        counts = self.counts
        log.info(
            "daemon.stopped seconds=%.1f windows=%d events=%d blocks_dropped=%d samples_lost=%d",
            self._pipeline.stop / self._rate,
            counts.windows,
            counts.events,
            counts.blocks_dropped,
            counts.samples_lost,
        )


def run_with_signals(daemon: Daemon) -> None:
    """Run until the end; SIGINT and SIGTERM stop it (a second one at once), SIGHUP reopens the sinks."""

    def on_stop(number: int, frame: FrameType | None) -> None:
        daemon.stop()
        signal.signal(number, signal.SIG_DFL)

    def on_reopen(number: int, frame: FrameType | None) -> None:
        daemon.reopen()

    handlers = {signal.SIGINT: on_stop, signal.SIGTERM: on_stop}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = on_reopen
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        daemon.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
