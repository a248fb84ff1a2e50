"""Hears sources one after the other for as long as was asked for, and shows how it goes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from detector.audio.health import HealthMeter
from detector.calibration.display import RoomBar, clock
from detector.calibration.ear import Ear
from detector.calibration.replay import LogReplay
from detector.calibration.soundlog import Break, Frame, Item, SoundLog
from detector.errors import DeviceLost, SourceError
from detector.events.naming import shown
from detector.interfaces import Source
from detector.records import Block, Event
from detector.service.capture import Capture, InlineCapture, SourceEnded, SourceFailure

PATIENCE_SECONDS = 0.25
"""How soon a Ctrl-C is noticed while no sound arrives."""
MOST_WAITS = 60
"""Waits of PATIENCE_SECONDS for a block: a sound server takes seconds to start, a hanging device for ever."""
JOIN_SECONDS = 1.0
QUEUE_BLOCKS = 64
SILENT_SECONDS = 10.0
"""A microphone that delivers only one value for this long is muted: five minutes of that teach nothing."""

Stopped = Callable[[], bool]


class Listening:
    """One run: what is heard goes to the log, and to a replay with the settings in force.

    `most_seconds` None hears the sources to their end; labels of `shared` names are told with their model.
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
        self._heard = 0
        self._shared = shared
        self._bar = RoomBar(most_seconds, quiet=quiet, out=out or sys.stderr)

    @property
    def seconds(self) -> float:
        """Heard so far."""
        return self._heard / self._rate

    @property
    def is_over(self) -> bool:
        """Whether the time is up, or the user wants it so."""
        return self._stopped() or (self._most is not None and self._heard >= self._most)

    def hear(self, sources: Sequence[Source], make_ear: Callable[[], Ear]) -> None:
        """Each source through an ear of its own; raises SourceError."""
        try:
            for source in sources:
                if not self.is_over:
                    self._hear(source, make_ear())
        finally:
            self._bar.close()

    def _hear(self, source: Source, ear: Ear) -> None:
        health = HealthMeter(sample_rate=self._rate, silent_seconds=SILENT_SECONDS)
        for item in blocks_of(source, self._stopped):
            if isinstance(item, SourceFailure):
                ear.interrupt()
                self._bar.say(f"{source.name}: {item.reason}; trying again")
                continue
            if source.live and health.push(item) == "constant":
                raise SourceError(
                    f"{source.name} delivers only digital silence: is it muted or unplugged? "
                    "`sound-detector devices` lists the others"
                )
            self._take(ear.push(item))
            self._bar.show(self.seconds, ear.level_dbfs)
            if self.is_over:
                break
        self._take(ear.flush())

    def _take(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Frame):
                self._heard += item.span.length
            self._log.add(item)
            for event in self._replay.push(item, self.seconds):
                if event.phase == "start" and not isinstance(item, Break):
                    self._tell(event)

    def _tell(self, event: Event) -> None:
        self._bar.say(
            f"  {clock(self.seconds):>7}  {shown(event.label, self._shared)}  {event.top_score:.2f}"
        )


def blocks_of(source: Source, stopped: Stopped) -> Iterator[Block | SourceFailure]:
    """The source's blocks until its end or until `stopped`; a live one is read on a thread of its own.

    Raises SourceError: what the source raises, and DeviceLost where it delivers nothing any more.
    """
    capture = InlineCapture(source) if source.immediate else Capture(source, queue_blocks=QUEUE_BLOCKS)
    capture.start()
    waits = 0
    try:
        while not stopped():
            item = capture.get(PATIENCE_SECONDS)
            if item is not None:
                waits = 0
                yield item
            elif source.live and (waits := waits + 1) >= MOST_WAITS:
                raise DeviceLost(
                    f"{source.name} has delivered nothing for {MOST_WAITS * PATIENCE_SECONDS:.0f} s; "
                    "start anew"
                )
    except SourceEnded:
        if capture.failure is not None:
            raise capture.failure from None
    finally:
        capture.stop(JOIN_SECONDS)


@contextmanager
def stopping_on_signals() -> Iterator[Stopped]:
    """SIGINT and SIGTERM end the listening but not the program; a second one ends that too."""
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
