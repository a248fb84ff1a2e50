"""A live source that the worker is late with: fewer windows, then less sound, and its events all the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, GateSettings, LevelSettings, Preset, Settings
from detector.records import Block, Window
from detector.service.pacing import CALM_SECONDS, FACTORS, LATE_SECONDS, LOST_SECONDS, PATIENCE_SECONDS
from detector.service.source_channel import SourceChannel
from detector.service.source_load import DETAIL, LOSS_DETAIL
from detector.wire.message import EventBody
from tests.support.fakes import FakeClassifier, FakeSource, cut, make_spec

RATE = 16000
BLOCK = 1920
HOP = 2 * BLOCK
ROOM = np.random.default_rng(0).normal(0, 30, 30 * RATE).astype(np.int16)
SOUND = np.random.default_rng(1).normal(0, 3000, 6 * RATE).astype(np.int16)


def loudness(window: Window) -> list[float]:
    return [float(np.abs(window.samples).max() > 0.05)]


class Late:
    """A live source whose blocks are taken so late; time goes on with the blocks."""

    def __init__(self, *, preset: Preset = "home", live: bool = True) -> None:
        self.classifier = FakeClassifier(make_spec("Siren"), loudness)
        settings = Settings(
            gate=GateSettings(mode="off"),
            level=LevelSettings(enabled=False),
            events=EventSettings(preset=preset),
        )
        self.channel = SourceChannel(
            source=FakeSource([], live=live),
            pipeline=make_pipeline(settings, self.classifier),
            sample_rate=RATE,
            event_ids="run",
            queue_blocks=9,
        )
        self.at = 0
        self.labels: list[str] = []

    def hear(self, *pieces: NDArray[np.int16], late: float) -> None:
        for block in cut(np.concatenate(pieces), BLOCK, start=self.at):
            assert isinstance(block, Block)
            self.at = block.stop
            self.channel.capture.arrived_at = block.stop / RATE
            for body in self.channel.take(block, block.stop / RATE + late):
                if isinstance(body, EventBody):
                    self.labels.append(body.kind)

    @property
    def distances(self) -> set[int]:
        return set(np.diff(self.classifier.stops).tolist())


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
    assert source.channel.load.detail == DETAIL


def test_a_source_that_is_gone_is_late_no_more() -> None:
    source = Late()
    source.hear(ROOM, late=LATE_SECONDS + 1)
    load, gone_at = source.channel.load, len(ROOM) / RATE + LATE_SECONDS + 1
    assert load.burden(gone_at + 1).is_thinned
    burden = load.burden(gone_at + CALM_SECONDS)
    assert not burden.is_thinned
    assert burden.skipped == source.channel.counts.windows_skipped > 0
    assert (load.detail, load.late_seconds) == ("", 0.0)


def test_what_can_wait_leaves_nothing_out() -> None:
    """Whoever writes into a pipe waits; nobody minds how late a recording is."""
    source = Late(live=False)
    source.hear(ROOM, late=100.0)
    assert source.distances == {HOP}
    assert source.channel.counts.blocks_dropped == 0
