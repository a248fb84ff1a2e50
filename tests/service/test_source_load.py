"""A live source that the worker is late with: fewer windows, then less sound, and its events all the same."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from detector.config.settings import Preset
from detector.interfaces import Body
from detector.service.capture import SourceFailure
from detector.service.device_state import DeviceObservation
from detector.service.pacing import CALM_SECONDS, FACTORS, LATE_SECONDS, LOST_SECONDS, PATIENCE_SECONDS
from detector.service.source_load import DETAIL, LOSS_DETAIL
from detector.wire.message import StatusBody
from tests.support.fakes import cut
from tests.support.late_source import BLOCK, HOP, RATE, ROOM, SOUND, Late


def test_on_time_it_has_all_its_windows() -> None:
    source = Late()
    source.hear(ROOM, late=0.1)
    assert source.distances == {HOP}
    assert source.channel.load.detail == ""
    assert source.channel.counts.windows_skipped == 0


def test_late_it_has_fewer_windows_counts_those_left_out_and_says_so() -> None:
    source = Late()
    source.hear(ROOM, late=LATE_SECONDS + 1)
    assert source.distances == {factor * HOP for factor in FACTORS}
    assert source.channel.load.detail == DETAIL
    counts = source.channel.counts
    assert counts.windows + counts.windows_skipped == pytest.approx(len(ROOM) / HOP, abs=1)
    assert counts.blocks_dropped == counts.samples_lost == 0
    assert source.channel.load.late_seconds == pytest.approx(LATE_SECONDS + 1)
    assert source.channel.input_state.detail == DETAIL


@pytest.mark.parametrize("preset", ["alert", "home", "quiet"])
def test_late_it_reports_a_long_sound_all_the_same(preset: Preset) -> None:
    source = Late(preset=preset)
    source.hear(ROOM[: 10 * RATE], late=LATE_SECONDS + 1)
    source.hear(SOUND, ROOM[: 10 * RATE], late=LATE_SECONDS + 1)
    assert source.labels == ["start", "end"]


def test_much_too_late_it_gives_sound_up_until_it_is_on_time() -> None:
    source = Late()
    source.hear(ROOM, late=LOST_SECONDS + 1)
    lost = source.channel.counts.blocks_dropped
    assert lost == pytest.approx((len(ROOM) / RATE - 3 * PATIENCE_SECONDS) * RATE / BLOCK, abs=2)
    assert source.channel.load.detail == LOSS_DETAIL
    source.hear(ROOM[:RATE], late=0.0)
    assert source.channel.counts.blocks_dropped == lost
    assert source.channel.counts.samples_lost == lost * BLOCK
    assert source.channel.load.detail == LOSS_DETAIL, "for a while: sound is given up in parts"
    source.hear(ROOM, ROOM[: 6 * RATE], late=0.0)
    assert source.channel.load.detail == DETAIL
    assert source.channel.counts.blocks_dropped == lost


def test_a_source_that_is_gone_is_late_no_more() -> None:
    source = Late()
    source.hear(ROOM, late=LATE_SECONDS + 1)
    load, gone_at = source.channel.load, len(ROOM) / RATE + LATE_SECONDS + 1
    assert load.burden(gone_at + 1).is_behind
    burden = load.burden(gone_at + CALM_SECONDS)
    assert not burden.is_behind
    assert burden.skipped == source.channel.counts.windows_skipped > 0
    assert (load.detail, load.late_seconds) == ("", 0.0)


def test_what_a_full_queue_has_lost_is_told_too() -> None:
    source = Late()
    source.channel.capture.dropped = 3
    assert source.channel.load.burden(1.0).is_behind
    assert source.channel.load.detail == LOSS_DETAIL
    assert not source.channel.load.burden(1.0 + CALM_SECONDS).is_behind


def details(bodies: Sequence[Body]) -> list[tuple[str, str]]:
    return [(body.state, body.detail) for body in bodies if isinstance(body, StatusBody)]


def test_each_change_is_a_message_at_once_and_only_one() -> None:
    source = Late()
    channel = source.channel
    source.hear(ROOM[:RATE], late=0.0)
    assert channel.news_of_load() == []
    source.hear(ROOM, late=LATE_SECONDS + 1)
    assert details(channel.news_of_load()) == [("listening", DETAIL)]
    assert channel.news_of_load() == []
    source.hear(ROOM, ROOM, ROOM, late=0.0)
    assert details(channel.news_of_load()) == [("listening", "")]


def test_a_message_about_the_device_says_it_too() -> None:
    source = Late()
    source.hear(ROOM, late=LATE_SECONDS + 1)
    source.channel.device.observe(DeviceObservation.CLIPPED)
    detail = source.channel.input_state.detail
    assert detail == f"the microphone is overdriven: lower its gain; {DETAIL}"


@pytest.mark.parametrize("end", ["lost", "paused", "ended"])
def test_of_a_source_that_is_not_heard_nothing_is_left_out(end: str) -> None:
    source = Late()
    channel = source.channel
    source.hear(ROOM, late=LATE_SECONDS + 1)
    channel.news_of_load()
    if end == "lost":
        told = channel.take(SourceFailure("unplugged"), 40.0)
    elif end == "paused":
        channel.is_paused = True
        (block, *_) = cut(ROOM, BLOCK, start=source.at)
        told = channel.take(block, 100.0)
    else:
        told = channel.end()
    assert all(DETAIL not in detail for _, detail in details(told))
    assert not channel.input_state.is_overloaded
    assert channel.load.late_seconds == 0.0
    assert channel.news_of_load() == []
    assert not channel.load.burden(100.0).is_behind


def test_what_can_wait_leaves_nothing_out() -> None:
    """Whoever writes into a pipe waits; nobody minds how late a recording is."""
    source = Late(live=False)
    source.hear(ROOM, late=100.0)
    assert source.distances == {HOP}
    assert source.channel.counts.blocks_dropped == 0


def test_a_source_is_called_by_the_name_that_it_has_once_it_is_open(caplog: pytest.LogCaptureFixture) -> None:
    """A microphone is asked for by its number, and then known by its name."""
    late = Late(name="1")
    late.source.name = "default"
    with caplog.at_level(logging.INFO):
        late.hear(ROOM[:BLOCK], late=0.0)
    assert "daemon.listening source='default'" in caplog.messages
    assert late.channel.load.burden(late.at / RATE).source == late.channel.name == "default"
