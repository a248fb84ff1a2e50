"""A room by script: frames of 30 ms at 16 kHz, a window scored every 0.24 s, and statistics of them."""

from __future__ import annotations

import numpy as np

from detector.calibration.room_statistics import LabelVotes
from detector.calibration.sound_log import Frame
from detector.records import Scores, Span

RATE = 16000
FRAME = 480
HOP = 3840
WINDOW = 15600


def scores(window, *values):
    """The scores of the n-th window."""
    stop = (window + 1) * HOP
    return Scores(Span(stop - WINDOW, stop), np.array(values, dtype=np.float32))


def frame(number, dbfs=-60.0, *, is_active=False):
    """The n-th frame."""
    return Frame(Span(number * FRAME, (number + 1) * FRAME), dbfs, is_active)


def room(rows, *, dbfs=-60.0, is_active=False):
    """Items of a room with these scores, window after window."""
    for window, values in enumerate(rows):
        said = scores(window, *values)
        for number in range(window * 8, (window + 1) * 8):
            if number == window * 8 + 7:
                yield said
            yield frame(number, dbfs, is_active=is_active)


def votes_of(rows, thresholds, *, needed=2, of=2, seconds_each=0.24):
    """What is statistics of scores, window after window."""
    votes = LabelVotes(
        lambda values: values, np.array(thresholds, dtype=np.float32), needed=needed, of=of, hop=HOP
    )
    for window, values in enumerate(rows):
        votes.push(scores(window, *values), window * seconds_each)
    return votes
