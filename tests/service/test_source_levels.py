"""A channel measures its sound level: while it is listened to, and with the clock of its events."""

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.audio.health import HealthMeter
from detector.audio.level_minute import all_joined
from detector.audio.minute_meter import MinuteMeter
from detector.config.settings import Settings
from detector.records import Block
from detector.service.capture import SourceFailure
from detector.service.source_channel import SourceChannel
from tests.support.fakes import FakeClassifier, FakeSource, make_spec

SECOND = 16000
T0 = 1_785_593_000.0
LOUD = np.random.default_rng(0).normal(0, 3000, SECOND).astype(np.int16)
MUTED = np.zeros(SECOND, np.int16)


class Room:
    """A channel that is given a second of sound at a time, and what it measures."""

    def __init__(self):
        self.parts = []
        pipeline = make_pipeline(Settings(), FakeClassifier(make_spec("Siren"), lambda window: [0.0]))
        self.channel = SourceChannel(
            source=FakeSource([], live=True),
            pipeline=pipeline,
            sample_rate=SECOND,
            event_ids="run",
            queue_blocks=4,
            health=HealthMeter(sample_rate=SECOND),
            levels=MinuteMeter(
                source="Mic", sample_rate=SECOND, bins_hz=pipeline.bins_hz, keep=self.parts.extend
            ),
            clock=lambda: T0,
        )
        self.number = 0

    def hear(self, samples, seconds, *, time=True):
        for _ in range(seconds):
            self.skip(1)
            at = T0 + self.number if time else None
            self.channel.take(Block((self.number - 1) * SECOND, samples, at), float(self.number))

    def skip(self, seconds):
        self.number += seconds

    def whole(self):
        return all_joined(self.parts)


@pytest.fixture
def room():
    return Room()


def test_all_is_kept_when_the_source_ends(room):
    room.hear(LOUD, 130)
    assert [part.minute - int(T0 // 60) for part in room.parts] == [0, 1]
    room.channel.end()
    assert room.whole().heard_seconds == pytest.approx(130, abs=0.1)
    assert room.whole().lost_seconds < 0.1
    assert room.whole().leq_dbfs == pytest.approx(-22, abs=2)


def test_time_without_a_device_is_lost_and_what_was_heard_before_is_kept_at_once(room):
    room.hear(LOUD, 10)
    room.channel.take(SourceFailure("unplugged"), 10.0)
    assert room.whole().heard_seconds == pytest.approx(10, abs=0.1)
    room.skip(100)
    room.hear(LOUD, 10)
    room.channel.end()
    assert room.whole().heard_seconds == pytest.approx(20, abs=0.1)
    assert room.whole().lost_seconds == pytest.approx(100, abs=0.1)


def test_a_pause_is_neither_heard_nor_lost(room):
    room.hear(LOUD, 10)
    room.channel.is_paused = True
    room.hear(LOUD, 30)
    room.channel.is_paused = False
    room.hear(LOUD, 10)
    room.channel.end()
    assert room.whole().heard_seconds == pytest.approx(20, abs=0.1)
    assert room.whole().lost_seconds == 0


def test_a_muted_microphone_is_not_heard(room):
    room.hear(LOUD, 10)
    room.hear(MUTED, 60)
    room.hear(LOUD, 10)
    room.channel.end()
    assert 19 <= room.whole().heard_seconds <= 24
    assert room.whole().lost_seconds == 0
