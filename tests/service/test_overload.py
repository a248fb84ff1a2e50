"""Of sources that are too much for the machine people get one line, and one when that is over."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from detector.service.overload import LOSS_SECONDS, OVER_SECONDS, SETTLE_SECONDS, OverloadWatch
from detector.service.source_load import Burden

ADVICE = "fewer sources"


def burdens(
    thinned: Iterable[int] = (), *, count: int = 16, skipped: int = 0, dropped: int = 0
) -> list[Burden]:
    """All sources; those of these numbers leave out windows, and the counts are theirs alone."""
    behind = set(thinned)
    return [
        Burden(f"room{i}", i in behind, skipped if i in behind else 0, dropped if i in behind else 0)
        for i in range(count)
    ]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_nothing_is_said_of_sources_that_are_on_time(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    for now in range(100):
        watch.look(burdens(), now)
    assert lines.messages == []


def test_one_line_names_all_that_are_late_and_what_would_help(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    watch.look(burdens([3]), 10.0)
    watch.look(burdens([3, 5]), 11.0)
    assert lines.messages == []
    watch.look(burdens([3, 5]), 10.0 + SETTLE_SECONDS)
    assert lines.messages == [
        "daemon.overloaded sources='room3, room5': this machine cannot keep up with what sounds in 2 of 16; "
        "windows are left out until it can; fewer sources would help"
    ]
    for now in (24.0, 100.0, 1000.0):
        watch.look(burdens([3, 5]), now)
    assert len(lines.messages) == 1


def test_who_joins_later_makes_no_other_line(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    watch.look(burdens([3]), 0.0)
    watch.look(burdens([3]), SETTLE_SECONDS)
    watch.look(burdens([3, 4]), 20.0)
    assert len(lines.messages) == 1


def test_the_end_is_told_once_and_what_it_cost(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    watch.look(burdens([3]), 0.0)
    watch.look(burdens([3], skipped=40), 20.0)
    after = [Burden("room3", False, 40, 0) if b.source == "room3" else b for b in burdens()]
    watch.look(after, 30.0)
    assert len(lines.messages) == 1
    watch.look(after, 20.0 + OVER_SECONDS)
    assert lines.messages[-1] == (
        "daemon.keeps_up sources='room3' seconds=20 windows_skipped=40 blocks_dropped=0: "
        "this machine keeps up again"
    )
    watch.look(after, 500.0)
    assert len(lines.messages) == 2


def test_what_comes_and_goes_is_one_episode(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    for second in range(0, 600, 5):
        watch.look(burdens([3] if second % 50 < 10 else []), float(second))
    assert len(lines.messages) == 1


def test_lost_sound_is_told_at_most_once_a_minute(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    for second in range(181):
        watch.look(burdens([1, 2], dropped=second), float(second))
    told = [line for line in lines.messages if "daemon.behind" in line]
    assert len(told) == 3
    counts = [int(line.partition("blocks_dropped=")[2].partition(":")[0]) for line in told]
    assert sum(counts) == 2 * (SETTLE_SECONDS + 2 * LOSS_SECONDS)


def test_of_many_sources_some_are_named_and_the_others_counted(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    watch.look(burdens(range(12)), 0.0)
    watch.look(burdens(range(12)), SETTLE_SECONDS)
    assert "sources='room0, room1, room2, room3 and 8 others'" in lines.messages[0]
    assert "12 of 16" in lines.messages[0]


def test_a_single_source_is_not_counted(lines: pytest.LogCaptureFixture) -> None:
    watch = OverloadWatch(ADVICE)
    watch.look(burdens([0], count=1), 0.0)
    watch.look(burdens([0], count=1), SETTLE_SECONDS)
    assert "cannot keep up with the sound;" in lines.messages[0]
