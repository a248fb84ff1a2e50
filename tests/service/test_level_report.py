"""The levels of the last minute, as the report shows them."""

import numpy as np

from detector.audio.level import Level
from detector.audio.minute_meter import MinuteMeter
from detector.records import Span
from detector.service.level_report import LEVEL_GAUGES, level_report

NOW = 1_785_593_000.0


def heard(mean_square, *, at=NOW):
    """A meter that has just heard a steady sound."""
    meter = MinuteMeter(
        source="Mic", sample_rate=16000, bins_hz=np.array([1000.0]), keep=lambda minutes: None
    )
    meter.follow(lambda sample: at + sample / 16000, listens=True)
    power = np.float32([mean_square])
    meter.push([Level(Span(n * 480, n * 480 + 480), 0.0, (0.0,) * 4, 0.0, power) for n in range(100)])
    meter.flush()
    return meter


def test_without_levels_there_are_none():
    nothing = dict.fromkeys(LEVEL_GAUGES)
    assert level_report([], NOW) == level_report([None], NOW) == nothing
    assert level_report([heard(1e-5, at=NOW - 600)], NOW) == nothing


def test_of_several_sources_it_is_the_loudest():
    found = level_report([heard(1e-6), None, heard(1e-5), heard(1e-2, at=NOW - 600)], NOW)
    assert found["laeq_dbfs"] == found["max_dbfs"] == -50.0
    assert -50.3 <= found["l90_dbfs"] == found["l10_dbfs"] <= -49.7
