"""Laws of the gate's floor: none where the gate rests, never far over the room."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audio.gate import Gate
from detector.audio.level import Level
from detector.calibration.floor import FloorSearch, Levels, choose_floor
from detector.records import Block
from tests.support.scripted_room import FRAME, frame

HANGOVER = 3 * FRAME
RNG = np.random.default_rng(1)


def searched(frames):
    search, levels = FloorSearch(hangover=HANGOVER), Levels()
    for one in frames:
        search.push(one)
        levels.push(one.dbfs)
    return search, levels


class Script:
    def __init__(self, frames):
        self.frames = iter(frames)

    def is_active(self, frame):
        return next(self.frames).is_active

    def reset(self):
        pass


@pytest.mark.parametrize("floor", [-70.0, -60.0, -55.5])
def test_the_search_counts_what_a_gate_with_that_floor_does(floor):
    frames = [
        frame(n, dbfs, is_active=bool(active))
        for n, (dbfs, active) in enumerate(
            zip(RNG.normal(-60, 4, 500).round(1), RNG.random(500) < 0.2, strict=True)
        )
    ]
    gate = Gate(vads=[Script(frames)], level_detector=None, hangover=HANGOVER, min_level_dbfs=floor)
    is_open = [
        gate.push(
            Block(one.span.start, np.zeros(FRAME, np.int16)), Level(one.span, one.dbfs, (0.0,) * 4, 0.0)
        )
        for one in frames
    ]
    search, _ = searched(frames)
    assert search.open_share()[list(search.floors).index(floor)] == sum(is_open) / len(frames)


def test_a_gate_that_rests_needs_no_floor():
    search, levels = searched([frame(n, -60.0, is_active=n == 500) for n in range(1000)])
    assert choose_floor(search, levels, None) is None


def test_a_steady_room_that_keeps_it_open_gets_a_floor_just_over_itself():
    search, levels = searched([frame(n, -50.2, is_active=True) for n in range(1000)])
    assert choose_floor(search, levels, None) == -50.0
    assert choose_floor(search, levels, -45.0) is None


def test_a_floor_is_never_more_than_six_decibels_over_the_room():
    loud = [frame(n, -20.0 if n % 3 == 0 else -60.0, is_active=True) for n in range(999)]
    assert choose_floor(*searched(loud), None) is None  # it would not help
    mixed = [frame(n, -20.0 if n % 300 < 100 else -60.0, is_active=True) for n in range(3000)]
    floor = choose_floor(*searched(mixed), None)
    assert -60.0 < floor <= -54.0


def test_levels_are_a_histogram():
    levels = Levels()
    for dbfs in range(-100, 0):
        levels.push(float(dbfs))
    assert levels.percentile(50) == pytest.approx(-51, abs=0.11)
    assert levels.percentile(99) == pytest.approx(-2, abs=0.11)
