"""Blocks in, events out: the stages of the walk, in one thread and without waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from detector.audio.framing import Framer
from detector.audio.gain import Gain
from detector.audio.gate import Gate
from detector.audio.level import Level, LevelMeter
from detector.audio.ring import Ring
from detector.audio.windows import WindowGrid
from detector.events.boundaries import UNHEARD_DBFS, LevelHistory
from detector.events.heads import HeadStage
from detector.events.tracker import EventTracker
from detector.interfaces import Classifier
from detector.records import Block, Counts, Event, Label, Scores, Span, Window


class Pipeline:
    """push(block) -> events, flush() -> the events that end with the stream.

    The same object serves the microphone and the recording; any cutting of the same samples
    into blocks gives the same events. `gap_limit` [samples]: a longer gap ends open events.
    `gain` None leaves the level alone; `heads` None leaves the scores to the classifier. `keep` is given the
    scores of every window, as the tracker gets them.
    """

    def __init__(
        self,
        *,
        framer: Framer,
        meter: LevelMeter,
        gate: Gate,
        gain: Gain | None,
        ring: Ring,
        grid: WindowGrid,
        classifier: Classifier,
        heads: HeadStage | None = None,
        keep: Callable[[Scores], None] | None = None,
        history: LevelHistory,
        tracker: EventTracker,
        labels: Sequence[Label],
        gap_limit: int,
    ) -> None:
        self._framer = framer
        self._meter = meter
        self._gate = gate
        self._gain = gain
        self._ring = ring
        self._grid = grid
        self._classifier = classifier
        self._heads = heads
        self._keep = keep
        self._history = history
        self._tracker = tracker
        self._gap_limit = gap_limit
        self.labels = tuple(labels)
        """What events may carry."""
        self._level_dbfs = UNHEARD_DBFS
        self._counts = Counts()

    @property
    def counts(self) -> Counts:
        """What was done and what was lost so far."""
        self._counts.gate_openings = self._gate.openings
        self._counts.events = self._tracker.started
        return self._counts

    @property
    def stop(self) -> int:
        """One past the newest sample that was processed."""
        return self._ring.stop

    @property
    def level_dbfs(self) -> float:
        """Level of the newest frame [dBFS]."""
        return self._level_dbfs

    @property
    def gain_db(self) -> float:
        """Gain in front of the classifier now [dB]; 0 where it is off."""
        return 0.0 if self._gain is None else self._gain.current()

    def push(self, block: Block, /) -> list[Event]:
        """Take one block, return the events that its samples start, continue or end."""
        events: list[Event] = []
        frames = self._framer.push(block)
        for frame, level in zip(frames, self._meter.measure_all(frames), strict=True):
            if frame.start != self._ring.stop:
                events += self._bridge(frame.start)
            events += self._process(frame, level)
        return events

    def flush(self) -> list[Event]:
        """The stream ended: classify its tail and end open events at the last sample."""
        self._framer.flush()
        events: list[Event] = []
        for span in self._grid.last(self._ring.stop):
            events += self._classify(span)
        return events + self._tracker.flush()

    @property
    def history(self) -> LevelHistory:
        """The levels from which onsets and offsets are found."""
        return self._history

    def retune(self, tracker: EventTracker, labels: Sequence[Label]) -> list[Event]:
        """Go on with other rules, without losing a sample; returns the ends of the events that were open."""
        events = self._tracker.flush()
        self._tracker, self.labels = tracker, tuple(labels)
        return events

    def exchange_heads(self, heads: HeadStage | None) -> None:
        """Use other heads from the next window on; the tracker must be exchanged with them."""
        self._heads = heads

    def interrupt(self) -> list[Event]:
        """No more sound for now: end open events at the last sample; a later block goes on."""
        self._framer.flush()
        return self._tracker.flush()

    def _process(self, frame: Block, level: Level) -> list[Event]:
        span = level.span
        self._ring.append(frame)
        self._level_dbfs = level.dbfs
        self._history.push(span, level.dbfs, level.bands)
        if self._gain is not None:
            self._gain.push(level)
        is_open = self._gate.push(frame, level, hold=self._tracker.active)
        events: list[Event] = []
        for due in self._grid.push(span, is_open=is_open):
            events += self._classify(due)
        return events

    def _bridge(self, start: int) -> list[Event]:
        """Samples between the newest and `start` are missing."""
        lost = start - self._ring.stop
        self._counts.samples_lost += lost
        events: list[Event] = []
        if lost > self._gap_limit:
            events = self._tracker.flush()
            self._history.forget()
        self._gate.reset()
        self._grid.gap(start)
        return events

    def _classify(self, span: Span) -> list[Event]:
        samples = self._ring.read(span)
        gain_db = self.gain_db
        if gain_db:
            samples *= np.float32(10 ** (gain_db / 20))
            np.clip(samples, -1.0, 1.0, out=samples)
        self._counts.windows += 1
        scores = self._classifier.scores(Window(span, samples))
        if self._heads is not None:
            scores = self._heads.push(scores)
        if self._keep is not None:
            self._keep(scores)
        return self._tracker.push(scores)
