"""Listens to sources one after the other, as long as was asked for, and shows how it goes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from detector.audio.health import HealthMeter
from detector.calibration.log_replay import LogReplay
from detector.calibration.room_display import RoomBar, clock
from detector.calibration.sound_log import Break, Frame, Item, SoundLog, StreamLogger
from detector.errors import SourceError
from detector.events.naming import shown
from detector.interfaces import Source
from detector.records import Event
from detector.service.capture import SourceFailure, blocks_of

QUEUE_BLOCKS = 64
SILENT_SECONDS = 10.0
"""A microphone that delivers only one value for this long is muted, and nothing can be learned from it."""

Stopped = Callable[[], bool]


class RoomListener:
    """One run: levels and scores go to the log, and to a replay with the settings in force.

    `most_seconds` None listens to the end of the sources; labels whose names are `shared` are shown with
    their model.
    """

    def __init__(
        self,
        log: SoundLog,
        replay: LogReplay,
        *,
        sample_rate: int,
        most_seconds: float | None,
        stopped: Stopped,
        quiet: bool = False,
        out: TextIO | None = None,
        shared: Collection[str] = frozenset(),
    ) -> None:
        self._log = log
        self._replay = replay
        self._rate = sample_rate
        self._most = None if most_seconds is None else round(most_seconds * sample_rate)
        self._stopped = stopped
        self._samples = 0
        self._shared = shared
        self._bar = RoomBar(most_seconds, quiet=quiet, out=out or sys.stderr)

    @property
    def seconds(self) -> float:
        """Listened so far."""
        return self._samples / self._rate

    @property
    def is_over(self) -> bool:
        """Whether the time is up, or the user has stopped it."""
        return self._stopped() or (self._most is not None and self._samples >= self._most)

    def listen(self, sources: Sequence[Source], make_logger: Callable[[], StreamLogger]) -> None:
        """Listen to each source with a logger of its own; raises SourceError."""
        try:
            for source in sources:
                if not self.is_over:
                    self._listen(source, make_logger())
        finally:
            self._bar.close()

    def _listen(self, source: Source, logger: StreamLogger) -> None:
        health = HealthMeter(sample_rate=self._rate, silent_seconds=SILENT_SECONDS)
        for item in blocks_of(source, queue_blocks=QUEUE_BLOCKS, stopped=self._stopped):
            if isinstance(item, SourceFailure):
                logger.interrupt()
                self._bar.say(f"{source.name}: {item.reason}; trying again")
                continue
            if source.live and health.push(item) == "constant":
                raise SourceError(
                    f"{source.name} delivers only digital silence: is it muted or unplugged? "
                    "`sound-detector devices` lists the others"
                )
            self._take(logger.push(item))
            self._bar.show(self.seconds, logger.level_dbfs)
            if self.is_over:
                break
        self._take(logger.flush())

    def _take(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Frame):
                self._samples += item.span.length
            self._log.add(item)
            for event in self._replay.push(item, self.seconds):
                if event.phase == "start" and not isinstance(item, Break):
                    self._show(event)

    def _show(self, event: Event) -> None:
        self._bar.say(
            f"  {clock(self.seconds):>7}  {shown(event.label, self._shared)}  {event.top_score:.2f}"
        )


@contextmanager
def stopping_on_signals() -> Iterator[Stopped]:
    """SIGINT and SIGTERM end listening but not the program; a second one ends the program too."""
    stopping = False

    def on_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        signal.signal(number, before[signal.Signals(number)])

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, on_stop)
    try:
        yield lambda: stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
