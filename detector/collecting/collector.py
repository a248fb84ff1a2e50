"""Blocks in, clips with a verdict out: a taker cuts them, and each is compared with the room before it."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass

from detector.audio.framing import Framer
from detector.audio.level import FLOOR_DBFS, LevelMeter
from detector.collecting.clip_verdict import ROOM_SECONDS, Report, judge, peak_dbfs
from detector.collecting.taking import Cue, Take, Taker
from detector.datasets.clip_quality import LOWEST_DBFS
from detector.records import Block

FRAME_SECONDS = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class CollectedClip:
    """One take and what was measured of it."""

    take: Take
    report: Report


class Collector:
    """push(block) -> clips, flush() -> the clip that ends with the stream.

    Any cutting of the same samples into blocks gives the same clips. `longest` [samples] of a take;
    `room` as for `judge`.
    """

    def __init__(self, taker: Taker, *, sample_rate: int, longest: int, room: bool) -> None:
        frame = round(FRAME_SECONDS * sample_rate)
        self._taker = taker
        self._rate = sample_rate
        self._room = room
        self._framer = Framer(frame_length=frame)
        self._meter = LevelMeter(sample_rate=sample_rate, frame_length=frame)
        self._before = round(ROOM_SECONDS * sample_rate)
        # A triggered take is complete only a release after its end: twice its length holds that too.
        self._levels: deque[tuple[int, float]] = deque(maxlen=(self._before + 2 * longest) // frame + 1)
        self._next = 0
        self._stretch = 0
        self._room_levels: list[float] = []
        self.level_dbfs = FLOOR_DBFS
        """The loudest frame of the newest block [dBFS]."""
        self.peak_dbfs = LOWEST_DBFS
        """The largest sample of the newest block [dB re full scale]."""

    @property
    def cue(self) -> Cue:
        """What happens now."""
        return self._taker.cue

    def push(self, block: Block) -> list[CollectedClip]:
        """Take one block, return the clips it completes."""
        frames = self._framer.push(block)
        levels = self._meter.measure_all(frames)
        self.level_dbfs = max((level.dbfs for level in levels), default=self.level_dbfs)
        self.peak_dbfs = peak_dbfs(block.samples)
        clips = []
        for frame, level in zip(frames, levels, strict=True):
            if frame.start != self._next:
                self._taker.reset()
                self._levels.clear()
            self._next = frame.stop
            self._levels.append((frame.start, level.dbfs))
            clips += [self._with_verdict(take) for take in self._taker.push(frame, level)]
        return clips

    def flush(self) -> list[CollectedClip]:
        """The stream has ended."""
        self._framer.flush()
        return [self._with_verdict(take) for take in self._taker.flush()]

    def _with_verdict(self, take: Take) -> CollectedClip:
        """Compare it with what was before its stretch: before a later part of one is the sound itself."""
        starts = [start for start, _ in self._levels]
        levels = [dbfs for _, dbfs in self._levels]
        first, begin, end = (
            bisect_left(starts, at) for at in (take.start - self._before, take.start, take.stop)
        )
        if take.stretch != self._stretch:
            self._stretch, self._room_levels = take.stretch, levels[first:begin]
        report = judge(
            take.samples,
            sample_rate=self._rate,
            before=self._room_levels,
            during=levels[begin:end],
            room=self._room,
        )
        return CollectedClip(take, report)
