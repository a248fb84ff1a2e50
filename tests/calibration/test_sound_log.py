"""Laws of the log: what goes in comes out, as often as one likes."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from detector.calibration.sound_log import LEAST_SCORE, Break, Frame, SoundLog
from tests.support.scripted_room import frame, scores


def test_items_come_back_in_order_twice():
    items = [frame(0, -60.5), scores(0, 0.25, 0.0, 1.0), frame(1, -30.0, is_active=True), Break()]
    with closing(SoundLog(3)) as log:
        for item in items:
            log.add(item)
        for _ in range(2):
            first, said, second, end = log
            assert (first, second, end) == (items[0], items[2], items[3])
            assert said.span == items[1].span
            assert np.array_equal(said.values, items[1].values)


def test_scores_too_small_for_any_threshold_are_not_kept():
    with closing(SoundLog(2)) as log:
        log.add(scores(0, LEAST_SCORE / 2, LEAST_SCORE * 2))
        (said,) = log
    assert said.values.tolist() == [0.0, np.float32(LEAST_SCORE * 2)]


def test_frames_far_into_a_stream():
    far = Frame(frame(10**12).span, -50.1, True, (0.1, 0.2, 0.3, 0.4))
    with closing(SoundLog(1)) as log:
        log.add(far)
        assert list(log) == [far]
