"""A paused source: its sound is thrown away unheard, and that is said."""

import numpy as np

from detector.assemble.stages import make_pipeline
from detector.config.settings import GateSettings, Settings
from detector.records import Block
from detector.service.capture import SourceFailure
from detector.service.source_channel import SourceChannel
from tests.support.fakes import FakeClassifier, FakeSource, HandClock, make_spec

HOP = 3840


def make_channel():
    classifier = FakeClassifier(make_spec("Siren"), lambda window: [1.0])
    channel = SourceChannel(
        source=FakeSource([], live=True),
        pipeline=make_pipeline(Settings(gate=GateSettings(mode="off")), classifier),
        sample_rate=16000,
        event_ids="run",
        queue_blocks=4,
        clock=HandClock(),
    )
    return channel, classifier


def told(channel, *numbers):
    """What the blocks of these numbers bring: states, and kinds of events."""
    loud = np.random.default_rng(0).normal(0, 3000, HOP).astype(np.int16)
    bodies = [body for n in numbers for body in channel.take(Block(n * HOP, loud), float(n))]
    return [getattr(body, "state", body.kind) for body in bodies]


def test_a_pause_ends_what_goes_on_and_the_end_of_the_pause_begins_anew():
    channel, classifier = make_channel()
    assert told(channel, *range(8)) == ["listening", "start"]
    heard = len(classifier.windows)
    channel.is_paused = True
    assert told(channel, *range(8, 20)) == ["end", "paused"]
    assert len(classifier.windows) == heard
    channel.is_paused = False
    assert told(channel, *range(20, 28)) == ["listening", "start"]
    assert channel.counts.samples_lost == 0


def test_while_paused_the_level_is_unknown():
    channel, _ = make_channel()
    told(channel, 0)
    assert channel.level_dbfs > -60
    channel.is_paused = True
    assert np.isnan(channel.level_dbfs)


def test_a_device_that_is_lost_while_paused_is_lost_and_paused_again_when_it_is_back():
    channel, classifier = make_channel()
    channel.is_paused = True
    assert told(channel, 0) == ["paused"]
    (body,) = channel.take(SourceFailure("unplugged"), 1.0)
    assert body.state == "device_lost"
    assert told(channel, 9) == ["paused"]
    assert classifier.windows == []


def test_sound_that_is_really_lost_during_a_pause_still_counts():
    channel, _ = make_channel()
    told(channel, 0, 1)
    channel.is_paused = True
    told(channel, 2, 3, 6)
    channel.is_paused = False
    told(channel, 7)
    assert channel.counts.samples_lost == 2 * HOP
    assert channel.lost_seconds == 2 * HOP / 16000
