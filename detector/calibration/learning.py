"""One pass over what was heard: all that thresholds and floor are chosen by."""

from __future__ import annotations

from detector.calibration.floor import FloorSearch, Levels
from detector.calibration.soundlog import Frame, Item
from detector.calibration.votes import Votes
from detector.records import Scores


class Learnt:
    """Everything that is learnt of one stretch of listening, in one pass."""

    def __init__(self, votes: Votes, floor: FloorSearch) -> None:
        self.votes = votes
        self.floor = floor
        self.levels = Levels()
        self.seconds = 0.0
        """Length of it."""

    def push(self, item: Item, seconds: float) -> None:
        """Take the next item."""
        if isinstance(item, Scores):
            self.votes.push(item, seconds)
        elif isinstance(item, Frame):
            self.levels.push(item.dbfs)
            self.floor.push(item)
            self.seconds = seconds
