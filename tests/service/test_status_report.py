"""What the report says of a machine that is too slow: the same in all its parts, at every moment."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detector.delivery.dispatcher import Dispatcher
from detector.service.capture import SourceFailure
from detector.service.daemon import Daemon
from detector.service.metrics_text import prometheus_text
from detector.service.source_load import DETAIL
from detector.service.status_report import make_report
from detector.wire.message import ReportBody
from tests.support.late_source import BLOCK, RATE, ROOM, Late

PORCH = 'sound_detector_source_overloaded{source="porch"}'


def daemon_of(*sources: Late, named: bool = True) -> Daemon:
    return Daemon(
        channels=[source.channel for source in sources],
        are_named=named,
        dispatcher=Dispatcher([]),
        advice="fewer sources",
    )


def report_of(daemon: Daemon) -> ReportBody:
    return make_report(daemon, Dispatcher([]), (), model="invented", run_id="run")


def rows(report: ReportBody) -> Sequence[dict[str, object]]:
    found = report.values["sources"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("late", [0.0, 2.0, 7.0])
def test_all_parts_agree_after_each_block_while_it_is_late_and_when_it_is_not(late: float) -> None:
    porch, attic = Late(name="porch"), Late(name="attic")
    daemon, seen = daemon_of(porch, attic), set()
    for seconds in (late, 0.0):
        for at in range(0, 70 * RATE, 20 * BLOCK):
            sound = ROOM[at % len(ROOM) :][: 20 * BLOCK]
            porch.hear(sound, late=seconds)
            attic.hear(sound, late=0.0)
            report = report_of(daemon)
            overloaded = report.values["overloaded"]
            first, second = rows(report)
            assert first["overloaded"] is overloaded
            assert ("cannot keep up" in str(first["detail"])) is overloaded
            assert (second["overloaded"], second["detail"]) == (False, "")
            assert ("overload_advice" in report.values) is overloaded
            text = prometheus_text(report)
            assert f"sound_detector_overloaded {int(bool(overloaded))}\n" in text
            assert f"{PORCH} {int(bool(overloaded))}\n" in text
            notes = daemon.input_state.detail
            assert ("this machine cannot keep up" in notes) is overloaded
            seen.add(overloaded)
        assert overloaded is (seconds > 0)
    assert seen == ({True, False} if late else {False})


def test_it_is_said_as_soon_as_windows_are_left_out() -> None:
    porch = Late(name="porch")
    daemon = daemon_of(porch)
    while not report_of(daemon).values["overloaded"]:
        assert porch.channel.counts.windows_skipped == 0
        porch.hear(ROOM[:BLOCK], late=2.0)
    assert porch.at / RATE < 3
    assert rows(report_of(daemon))[0]["detail"] == DETAIL


def test_a_single_source_without_a_name_says_what_would_help() -> None:
    mic = Late()
    daemon = daemon_of(mic, named=False)
    assert "overload_advice" not in report_of(daemon).values
    mic.hear(ROOM, late=2.0)
    values = report_of(daemon).values
    assert values["overloaded"] is True
    assert values["overload_advice"] == "fewer sources would help"
    assert "sources" not in values


def test_a_source_that_is_gone_says_why_and_not_that_it_is_late() -> None:
    porch = Late(name="porch")
    daemon = daemon_of(porch)
    porch.hear(ROOM, late=2.0)
    assert rows(report_of(daemon))[0]["level_dbfs"] is not None
    porch.channel.take(SourceFailure("404 Not Found"), 40.0)
    report = report_of(daemon)
    assert rows(report)[0]["level_dbfs"] is report.values["level_dbfs"] is None
    assert report.values["overloaded"] is False
    assert str(rows(report)[0]["detail"]).startswith("404 Not Found; ")


def test_the_newest_reason_counts() -> None:
    porch = Late(name="porch")
    daemon = daemon_of(porch)
    porch.channel.take(SourceFailure("Connection refused"), 1.0)
    porch.channel.take(SourceFailure("401 Unauthorized"), 2.0)
    assert str(rows(report_of(daemon))[0]["detail"]).startswith("401 Unauthorized; ")
    porch.hear(ROOM[:BLOCK], late=0.0)
    assert rows(report_of(daemon))[0]["detail"] == ""
