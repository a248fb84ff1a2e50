"""How the worker gets on with one live source: how late it is, what it leaves out, what it gives up."""

from __future__ import annotations

from dataclasses import dataclass

from detector.interfaces import Source
from detector.pipeline import Pipeline
from detector.records import Block
from detector.service.capture import Capture, InlineCapture
from detector.service.pacing import CALM_SECONDS, Pacing, Thinning

TOO_SLOW = "this machine cannot keep up"
DETAIL = f"{TOO_SLOW}: windows are left out"
LOSS_DETAIL = f"{TOO_SLOW}: sound is lost"


@dataclass(frozen=True, slots=True)
class Burden:
    """A source's share in what is too much."""

    source: str
    """Its name."""
    is_behind: bool
    """Whether windows or sound of it are left out now."""
    skipped: int
    """Windows left out since the start."""
    dropped: int
    """Blocks lost since the start."""


class SourceLoad:
    """Lets a source that is late catch up: by fewer windows, and where that is not enough, by less sound."""

    def __init__(
        self, source: Source, capture: Capture | InlineCapture, pipeline: Pipeline, *, sample_rate: int
    ) -> None:
        self.late_seconds = 0.0
        """How long the newest block had waited for the worker when it was taken [s]."""
        self.detail = ""
        """What is left out now, for people; empty where nothing is."""
        self._source = source  # its name may become another one when it is opened
        self._capture = capture
        self._pipeline = pipeline
        self._rate = sample_rate
        self._pacing, self._thinning = Pacing(), Thinning()
        self._taken_at = 0.0
        self._lost_at, self._dropped = float("-inf"), 0

    def burden(self, now: float) -> Burden:
        """What there is to tell at `now` [s]; of a source that is gone, only what was lost."""
        if now - self._taken_at >= CALM_SECONDS:
            self.late_seconds, self._thinning = 0.0, Thinning()
        self._describe(now)
        return Burden(
            self._source.name, bool(self.detail), self._pipeline.counts.windows_skipped, self._capture.dropped
        )

    def rest(self) -> None:
        """No sound of the source is heard for now: nothing of it is late or left out."""
        self.late_seconds, self._thinning = 0.0, Thinning()
        self._lost_at, self._dropped = float("-inf"), self._capture.dropped
        self.detail = ""

    def excuse(self, now: float) -> None:
        """The program itself stood still until `now` [s]: what has waited meanwhile is not late."""
        self._pacing.excuse(now)

    def gives_up(self, block: Block, now: float) -> bool:
        """Look at a live source's block that is taken at `now` [s]; whether it is too late to be heard."""
        if self._capture.arrived_at is None:
            return False
        self._taken_at = now
        seconds = len(block.samples) / self._rate
        self.late_seconds = self._pacing.late(self._capture.arrived_at, seconds, now)
        self._thinning.follow(self.late_seconds, now)
        self._pipeline.thin(self._thinning.factor)
        if self._thinning.gives_up:
            self._capture.dropped += 1
        self._describe(now)
        return self._thinning.gives_up

    def _describe(self, now: float) -> None:
        """Find the words; a loss stays in them for a while, since sound is given up in parts."""
        if self._capture.dropped > self._dropped:
            self._lost_at, self._dropped = now, self._capture.dropped
        if now - self._lost_at < CALM_SECONDS:
            self.detail = LOSS_DETAIL
        else:
            self.detail = DETAIL if self._thinning.factor > 1 else ""
