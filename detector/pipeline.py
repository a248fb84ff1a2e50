"""Blocks in, events out: the stages of the walk, in one thread and without waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.alarms.alarm_stage import AlarmStage
from detector.audio.framing import Framer
from detector.audio.gain import Gain
from detector.audio.gate import Gate
from detector.audio.level import Level, LevelMeter
from detector.audio.ring import Ring
from detector.audio.windows import GatedWindows, WindowGrid
from detector.events.boundaries import UNHEARD_DBFS, LevelHistory
from detector.events.heads import HeadStage
from detector.events.tracker import EventTracker
from detector.interfaces import Classifier
from detector.records import Block, Counts, Event, Label, Scores, Span, Window
from detector.verdicts.event_embeddings import EventEmbeddings

METER_FALL_DB = 0.6
"""How much a level meter falls from frame to frame, 20 dB/s: people see a click of one frame too."""


class DetectionStage:
    """From levels and scores to events: gate, grid of windows, tracker. It sees no samples.

    `score` is called for each window that is due, and returns its scores. So the same stage serves a stream,
    whose windows are classified, and a replay, whose scores are known. `gap_limit` [samples]: a longer gap
    ends open events.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        grid: WindowGrid,
        history: LevelHistory,
        tracker: EventTracker,
        gap_limit: int,
        score: Callable[[Span], Scores],
    ) -> None:
        self.windows = GatedWindows(gate, grid)
        """Which are scored."""
        self._tracker = tracker
        self._gap_limit = gap_limit
        self._score = score
        self._embeddings = EventEmbeddings()
        self._stop = 0
        self._is_settled = False
        self.history = history
        """The levels that events are dated by."""

    @property
    def openings(self) -> int:
        """How often the gate went from closed to open."""
        return self.windows.openings

    @property
    def gate_is_open(self) -> bool:
        """Whether windows are classified now."""
        return self.windows.is_open

    @property
    def started(self) -> int:
        """How many events have started."""
        return self._tracker.started

    def thin(self, factor: int) -> None:
        """From now on score at most every `factor`-th window, 1 for all: there is no time for more."""
        self._tracker.expect_hop(self.windows.thin(factor))

    def push(self, frame: Block, level: Level) -> list[Event]:
        """Take the next frame and its level, return the events that it starts, continues or ends."""
        events = self._bridge(frame.start) if frame.start != self._stop else []
        self._stop = frame.stop
        self.history.push(level.span, level.dbfs, level.bands)
        hold, is_settled = self._tracker.active, self._is_settled
        for due in self.windows.push(frame, level, hold=hold, is_settled=is_settled):
            events += self._track(due)
            self._is_settled = self._tracker.settled
        return events

    def flush(self) -> list[Event]:
        """The stream ended: score its tail and end open events at the last sample."""
        events: list[Event] = []
        for due in self.windows.last(self._stop):
            events += self._track(due)
        return events + self._tracker.flush()

    def interrupt(self) -> list[Event]:
        """No more sound for now: end open events at the last sample."""
        self._is_settled = False
        return self._tracker.flush()

    def take_id(self) -> int:
        """The id of the next event, for one that is known by other means than scores."""
        self._tracker.started += 1
        return self._tracker.started

    def retune(self, tracker: EventTracker) -> list[Event]:
        """Go on with another tracker; returns the ends of the events that were open."""
        events = self._tracker.flush()
        self._tracker, self._is_settled = tracker, False
        return events

    def _track(self, due: Span) -> list[Event]:
        scores = self._score(due)
        self._embeddings.push(scores)
        return self._embeddings.attached(self._tracker.push(scores))

    def _bridge(self, start: int) -> list[Event]:
        """Samples between the newest and `start` are missing."""
        events: list[Event] = []
        if start - self._stop > self._gap_limit:
            events = self._tracker.flush()
            self._is_settled = False
            self.history.forget()
        self.windows.gap(start)
        return events


class Pipeline:
    """push(block) -> events, flush() -> the events that end with the stream.

    The same object serves the microphone and the recording; any cutting of the same samples
    into blocks gives the same events. `gap_limit` [samples]: a longer gap ends open events.
    `gain` None leaves the level alone; `heads` None leaves the scores to the classifier. `keep` is given the
    scores of every window, as the tracker gets them. `stream` tells a shared classifier whose windows come.
    `make_alarms` builds what knows alarms by their rhythm; it is given what gives the next event's id.
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
        stream: int = 0,
        make_alarms: Callable[[Callable[[], int]], AlarmStage] | None = None,
    ) -> None:
        self._framer = framer
        self._meter = meter
        self._gain = gain
        self._ring = ring
        self._classifier = classifier
        self._stream = stream
        self._heads = heads
        self._keep = keep
        self._keep_levels: Callable[[Sequence[Level]], None] | None = None
        self._detection = DetectionStage(
            gate=gate,
            grid=grid,
            history=history,
            tracker=tracker,
            gap_limit=gap_limit,
            score=self._classify,
        )
        self.labels = tuple(labels)
        """What events may carry."""
        self._level_dbfs = self._meter_dbfs = UNHEARD_DBFS
        self._counts = Counts()
        self._passed_over = 0
        self._alarms = make_alarms(self._detection.take_id) if make_alarms else None

    @property
    def counts(self) -> Counts:
        """What was done and what was lost so far."""
        self._counts.gate_openings = self._detection.openings
        self._counts.events = self._detection.started
        self._counts.windows_skipped = self._detection.windows.left_out
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
    def meter_dbfs(self) -> float:
        """The same for the eye: it rises at once and falls slowly [dBFS]."""
        return self._meter_dbfs

    @property
    def gate_is_open(self) -> bool:
        """Whether windows are classified now."""
        return self._detection.gate_is_open

    @property
    def gain_db(self) -> float:
        """Gain in front of the classifier now [dB]; 0 where it is off."""
        return 0.0 if self._gain is None else self._gain.current()

    def push(self, block: Block, /) -> list[Event]:
        """Take one block, return the events that its samples start, continue or end."""
        events: list[Event] = []
        frames = self._framer.push(block)
        levels = self._meter.measure_all(frames)
        if self._keep_levels is not None:
            self._keep_levels(levels)
        for frame, level in zip(frames, levels, strict=True):
            events += self._process(frame, level)
        return events

    def flush(self) -> list[Event]:
        """The stream ended: classify its tail and end open events at the last sample."""
        self._framer.flush()
        return self._last(self._detection.flush())

    @property
    def history(self) -> LevelHistory:
        """The levels from which onsets and offsets are found."""
        return self._detection.history

    def retune(self, tracker: EventTracker, labels: Sequence[Label]) -> list[Event]:
        """Go on with other rules, without losing a sample; returns the ends of the events that were open."""
        self.labels = tuple(labels)
        ended = self._detection.retune(tracker)
        if self._alarms is None:
            return ended
        self._alarms.choose(labels)
        return self._alarms.pass_through(ended)

    def thin(self, factor: int) -> None:
        """From now on classify at most every `factor`-th window, 1 for all: there is no time for more."""
        self._detection.thin(factor)

    def exchange_heads(self, heads: HeadStage | None) -> None:
        """Use other heads from the next window on; the tracker must be exchanged with them."""
        self._heads = heads

    def watch(self, keep: Callable[[Scores], None]) -> None:
        """Give `keep` the scores of every window from now on, as the tracker gets them."""
        self._keep = keep

    def watch_levels(self, keep: Callable[[Sequence[Level]], None]) -> None:
        """Give `keep` the levels of each block's frames from now on; `bins_hz` has their frequencies."""
        self._keep_levels = keep

    @property
    def bins_hz(self) -> NDArray[np.float64]:
        """(bins,) the frequencies of `Level.power` [Hz]."""
        return self._meter.bins_hz

    def interrupt(self) -> list[Event]:
        """No more sound for now: end open events at the last sample; a later block goes on."""
        self._framer.flush()
        return self._last(self._detection.interrupt())

    def pass_over(self, block: Block) -> list[Event]:
        """Leave a block out on purpose, unheard: it is not kept, and not counted as lost.

        Returns the ends of the events that were open, at the last sample before it.
        """
        self._passed_over += len(block.samples)
        return self.interrupt()

    def _process(self, frame: Block, level: Level) -> list[Event]:
        self._counts.samples_lost += max(0, frame.start - self._ring.stop - self._passed_over)
        self._passed_over = 0
        self._ring.append(frame)
        self._level_dbfs = level.dbfs
        self._meter_dbfs = max(level.dbfs, self._meter_dbfs - METER_FALL_DB)
        if self._gain is not None:
            self._gain.push(level)
        events = self._detection.push(frame, level)
        return events if self._alarms is None else self._alarms.push(level, events)

    def _last(self, events: list[Event]) -> list[Event]:
        return events if self._alarms is None else self._alarms.flush(events)

    def _classify(self, span: Span) -> Scores:
        window = Window(span, self._ring.read(span), 10 ** (self.gain_db / 20), self._stream)
        self._counts.windows += 1
        scores = self._classifier.scores(window)
        if self._heads is not None:
            scores = self._heads.push(scores)
        if self._keep is not None:
            self._keep(scores)
        return scores
