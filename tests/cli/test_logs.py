"""Lines about one thing are few, and what was left out is counted."""

import logging

from detector.cli.logs import FIRST_LINES, RepeatLimit
from tests.support.fakes import HandClock


def line(text, *values):
    return logging.LogRecord("detector", logging.WARNING, "file", 1, text, values, None)


def test_after_the_first_few_lines_one_a_minute_is_written_and_says_how_many_were_left_out():
    clock = HandClock()
    limit = RepeatLimit(clock)
    written = []
    for _ in range(600):
        record = line("source.samples_lost source=%s seconds=%.3f", "Mic", clock.now)
        if limit.filter(record):
            written.append(record.getMessage())
        clock.now += 1.0
    assert FIRST_LINES + 9 <= len(written) <= FIRST_LINES + 10
    assert written[-1].endswith("(59 more like it)")
    assert "more" not in written[0]


def test_other_things_and_reloads_are_not_held_back():
    limit = RepeatLimit(HandClock())
    assert [limit.filter(line("daemon.%s source=%r", "waiting", "x")) for _ in range(9)].count(
        True
    ) == FIRST_LINES
    assert limit.filter(line("daemon.%s source=%r", "listening", "x"))
    assert all(limit.filter(line("daemon.reloaded")) for _ in range(100))
