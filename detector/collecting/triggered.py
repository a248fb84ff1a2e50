"""Clips cut by the program's own level detector: each sound, with a little before and after it."""

from __future__ import annotations

from collections import deque

from detector.audio.gate import LevelDetector
from detector.audio.level import Level
from detector.collecting.taking import Cue, Take, joined
from detector.records import Block


class Triggered:
    """Cuts out the sounds that stand out from the background; all lengths in samples.

    A take begins `preroll` before its first active frame and ends `postroll` after the last one; it has
    ended when `release` (not less than `postroll`) passes without an active frame. A sound longer than
    `longest` is cut into parts of one stretch, of which a last one shorter than `shortest` is dropped.
    """

    def __init__(
        self,
        *,
        preroll: int,
        postroll: int,
        release: int,
        longest: int,
        shortest: int,
        detector: LevelDetector | None = None,
    ) -> None:
        if release < postroll:
            raise ValueError(f"release must be at least postroll, {postroll} samples, not {release}")
        self._preroll = preroll
        self._postroll = postroll
        self._release = release
        self._longest = longest
        self._shortest = shortest
        self._detector = detector or LevelDetector()
        self._held: deque[Block] = deque()
        self._open = False
        self._last_active = 0
        self._stretch = 0
        self._part = 0

    @property
    def cue(self) -> Cue:
        """Waiting for a sound, or hearing one."""
        return Cue("hear" if self._open else "wait")

    def push(self, frame: Block, level: Level) -> list[Take]:
        """Take one frame, return the take it completes."""
        active = self._detector.is_active(level)
        self._held.append(frame)
        if not self._open:
            if not active:
                self._forget(frame.stop - self._preroll)
                return []
            self._open, self._stretch, self._part = True, self._stretch + 1, 0
        if active:
            self._last_active = frame.stop
        if frame.stop - self._last_active >= self._release:
            return self._close()
        if frame.stop - self._held[0].start >= self._longest:
            self._part += 1
            return [self._take(frame.stop)]
        return []

    def flush(self) -> list[Take]:
        """The stream has ended, and the sound that goes on with it."""
        return self._close() if self._open and self._held else []

    def reset(self) -> None:
        """Forget the background and the sound that was being heard."""
        self._detector.reset()
        self._held.clear()
        self._open = False

    def _close(self) -> list[Take]:
        """The sound is over: what follows its end may be the pre-roll of the next one."""
        self._open = False
        stop = min(self._last_active + self._postroll, self._held[-1].stop)
        if self._part == 0:
            return [self._take(stop)]
        self._part += 1
        if stop - self._held[0].start >= self._shortest:
            return [self._take(stop)]
        self._forget(stop)
        return []

    def _take(self, stop: int) -> Take:
        """Cut what is held up to `stop`, in whole frames."""
        blocks = []
        while self._held and self._held[0].start < stop:
            blocks.append(self._held.popleft())
        return Take(blocks[0].start, joined(blocks), self._stretch, self._part or None)

    def _forget(self, start: int) -> None:
        """Drop the frames that lie before `start`."""
        while self._held and self._held[0].start < start:
            self._held.popleft()
