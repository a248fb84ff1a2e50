"""Which spans to classify: integers only, no samples.

A window ends at the newest sample and reaches back, so the first one after an onset is
scored within a hop. Ends lie on a fixed grid (multiples of the hop since the stream began):
a source whose blocks divide the hop then delivers exactly at the window's end, and nothing
depends on the moment at which the gate opened.
"""

from __future__ import annotations

from detector.audio.gate import Gate
from detector.audio.level import Level
from detector.records import Block, Span


class WindowGrid:
    """Names the spans to classify while the gate is open.

    `window` and `hop` in samples; `steady_hop` [samples], a multiple of the hop: the distance of those that
    are named while nothing new sounds, None for the hop; `preroll` [samples]: when the gate opens, grid
    windows that ended at most this long before are named too, since a soft onset opens the gate late.
    """

    def __init__(self, *, window: int, hop: int, steady_hop: int | None = None, preroll: int = 0) -> None:
        if window < 1 or hop < 1 or preroll < 0:
            raise ValueError(f"window and hop must be positive, preroll >= 0: {window}, {hop}, {preroll}")
        self._steady_hop = hop if steady_hop is None else steady_hop
        if self._steady_hop < 1 or self._steady_hop % hop:
            raise ValueError(f"steady_hop must be a multiple of the hop {hop}, got {steady_hop}")
        self._window = window
        self._hop = hop
        self._preroll = preroll
        self._was_open = False
        self._scored_stop = 0
        self._stream_start = 0
        self._least_hop = hop
        self.left_out = 0
        """Windows that `thin` has left out."""

    def push(self, span: Span, *, is_open: bool, is_steady: bool = False) -> list[Span]:
        """Take the newest frame's span and the gate's state, return the windows that are due.

        `is_steady`: nothing new sounds.
        """
        opened = is_open and not self._was_open
        self._was_open = is_open
        if not is_open:
            return []
        earliest = span.start - self._preroll if opened else span.start
        earliest = max(earliest, self._scored_stop, self._stream_start)
        usual = self._steady_hop if is_steady else self._hop
        due = self._due(earliest, span.stop, max(usual, self._least_hop))
        if usual < self._least_hop:
            self.left_out += len(self._due(earliest, span.stop, usual)) - len(due)
        if due:
            self._scored_stop = due[-1].stop
        return due

    def thin(self, factor: int) -> int:
        """From now on name at most every `factor`-th window, 1 for all; returns the least hop [samples].

        No sound is left out: windows stay so close that each begins before the one before it ends.
        """
        self._least_hop = self._hop * max(1, min(factor, self._window // self._hop))
        return self._least_hop

    def gap(self, start: int) -> None:
        """The stream goes on at `start` after a loss: no pre-roll reaches across it."""
        self._stream_start = start
        self._was_open = False

    def last(self, stop: int) -> list[Span]:
        """The stream ended at `stop`: the tail after the newest grid point, if the gate is open."""
        if not self._was_open or stop <= self._scored_stop:
            return []
        self._scored_stop = stop
        return [self._ending_at(stop)]

    def _due(self, earliest: int, stop: int, hop: int) -> list[Span]:
        """The windows that end after `earliest`, up to `stop`."""
        first = (earliest // hop + 1) * hop
        return [self._ending_at(end) for end in range(first, stop + 1, hop)]

    def _ending_at(self, stop: int) -> Span:
        return Span(stop - self._window, stop)


class GatedWindows:
    """The spans to classify of a stream of frames: those that the grid names while the gate is open."""

    def __init__(self, gate: Gate, grid: WindowGrid) -> None:
        self._gate = gate
        self._grid = grid

    @property
    def openings(self) -> int:
        """How often the gate went from closed to open."""
        return self._gate.openings

    @property
    def is_open(self) -> bool:
        """Whether windows are named now."""
        return self._gate.is_open

    @property
    def left_out(self) -> int:
        """Windows that `thin` has left out."""
        return self._grid.left_out

    def thin(self, factor: int) -> int:
        """Name at most every `factor`-th window; returns their least distance [samples]."""
        return self._grid.thin(factor)

    def push(self, frame: Block, level: Level, *, hold: bool = False, is_settled: bool = False) -> list[Span]:
        """Take the next frame and its level, return the windows that are due.

        `hold` keeps an open gate open; `is_settled`: what sounds is known, so that the next window may wait.
        """
        is_open = self._gate.push(frame, level, hold=hold)
        return self._grid.push(level.span, is_open=is_open, is_steady=self._gate.is_held or is_settled)

    def gap(self, start: int) -> None:
        """The stream goes on at `start` after a loss: all is new, and no pre-roll reaches across it."""
        self._gate.reset()
        self._grid.gap(start)

    def last(self, stop: int) -> list[Span]:
        """The stream ended at `stop`: the tail after the newest grid point, if the gate is open."""
        return self._grid.last(stop)
