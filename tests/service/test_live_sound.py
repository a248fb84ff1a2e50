"""Live messages of a source: made only for those who watch, paused with the source, timed by its clock."""

import base64

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.audio.decimate import DELAY, halved
from detector.audio.mel_columns import MelColumns
from detector.config.settings import GateSettings, Settings
from detector.errors import SinkError
from detector.records import Block
from detector.service.capture import SourceFailure
from detector.service.live_sound import LiveSound
from detector.service.source_channel import SourceChannel
from detector.sinks.live_taps import LiveTaps
from tests.support.fakes import FakeClassifier, FakeSource, HandClock, make_spec

RATE = 16000
HOP = 1920
NOISE = np.random.default_rng(7).normal(0, 3000, 100 * HOP).astype(np.int16)
NOON = 1_785_585_600.0


class Watched:
    """A channel whose blocks are numbered; `seen` are the bodies that a watcher got."""

    def __init__(self, rate=RATE):
        self.taps, self.seen = LiveTaps(), []
        self.tap = self.taps.add(lambda: "porch")
        self.channel = SourceChannel(
            source=FakeSource([], live=True),
            pipeline=make_pipeline(
                Settings(gate=GateSettings(mode="off")), FakeClassifier(make_spec("Siren"), lambda _: [0.0])
            ),
            sample_rate=RATE,
            event_ids="run",
            queue_blocks=4,
            live=LiveSound(self.tap, sample_rate=rate),
            clock=HandClock(),
        )

    def watch(self, kind="spectrogram"):
        return self.taps.find("").watch(kind, lambda message: self.seen.append(message.body))

    def take(self, *numbers, samples=NOISE):
        told = []
        for n in numbers:
            block = Block(n * HOP, samples[n * HOP :][:HOP], time=NOON + (n + 1) * HOP / RATE)
            told += self.channel.take(block, n * HOP / RATE)
        return [body.kind for body in told]


def test_a_watcher_sees_the_columns_of_all_that_comes_and_no_other_sink_hears_of_them():
    watched = Watched()
    watched.watch()
    assert watched.take(*range(50)) == ["status"]
    columns = [np.frombuffer(base64.b64decode(body.data), np.uint8).reshape(-1, 64) for body in watched.seen]
    assert {each.shape for each in columns} == {(2, 64)}
    whole = MelColumns(sample_rate=RATE)(NOISE[: 50 * HOP])
    got = np.concatenate(columns)
    assert len(got) == len(whole) - len(whole) % 2
    assert (got == whole[: len(got)]).all()


def test_what_is_sent_says_what_it_is():
    watched = Watched()
    watched.watch()
    watched.take(0, 1, 2)
    body = watched.seen[0]
    assert (body.source, body.bands, body.columns, body.columns_per_second) == ("porch", 64, 2, 20)
    assert (body.low_hertz, body.high_hertz) == (50.0, 8000.0)
    assert body.time == "2026-08-01T12:00:00.114Z"  # 1024 + 800 samples
    assert -30 < body.level_dbfs < -15


def test_nothing_is_computed_before_somebody_watches_nor_after():
    watched = Watched()
    watched.take(*range(10))
    leave = watched.watch()
    watched.take(10, 11, 12)
    seen = len(watched.seen)
    assert seen
    leave()
    leave()
    assert not watched.tap.is_watched("spectrogram")
    watched.take(*range(13, 30))
    assert len(watched.seen) == seen


def test_no_columns_while_paused_and_they_go_on_by_themselves():
    watched = Watched()
    watched.watch()
    watched.take(*range(10))
    seen = len(watched.seen)
    watched.channel.is_paused = True
    assert watched.take(*range(10, 20)) == ["status"]
    assert len(watched.seen) == seen
    watched.channel.is_paused = False
    watched.take(*range(20, 30))
    again = watched.seen[seen]
    # the first columns after the pause have no sample from before it
    assert again.time == "2026-08-01T12:00:02.514Z"


def test_after_a_lost_device_they_go_on_too():
    watched = Watched()
    watched.watch()
    watched.take(0, 1, 2)
    watched.channel.take(SourceFailure("unplugged"), 1.0)
    seen = len(watched.seen)
    watched.take(*range(30, 35))
    assert len(watched.seen) > seen


def test_digital_silence_has_no_level():
    watched = Watched()
    watched.watch()
    watched.take(*range(60), samples=np.zeros(100 * HOP, np.int16))
    assert watched.seen[-1].level_dbfs is None
    assert not any(base64.b64decode(watched.seen[-1].data))


def test_sources_are_found_by_name_and_the_first_is_the_default():
    taps = LiveTaps()
    with pytest.raises(SinkError, match="nothing that can be watched"):
        taps.find("")
    porch, yard = taps.add(lambda: "porch"), taps.add(lambda: "yard")
    assert (taps.find(""), taps.find("porch"), taps.find("yard")) == (porch, porch, yard)
    with pytest.raises(SinkError, match="'porch', 'yard', got 'cellar'"):
        taps.find("cellar")


def heard(bodies):
    """All samples of consecutive messages, and where they begin."""
    assert [body.start for body in bodies[1:]] == [body.start + body.samples for body in bodies[:-1]]
    samples = np.concatenate([np.frombuffer(base64.b64decode(body.data), "<i2") for body in bodies])
    assert len(samples) == sum(body.samples for body in bodies)
    return bodies[0].start, samples


def test_a_listener_gets_every_sample_as_it_was():
    watched = Watched()
    watched.take(0, 1)
    leave = watched.watch("sound")
    watched.take(*range(2, 10))
    leave()
    watched.take(10)
    start, samples = heard(watched.seen)
    assert start == 2 * HOP
    assert (samples == NOISE[2 * HOP : 10 * HOP]).all()
    assert watched.seen[0].sample_rate == 16000
    assert watched.seen[0].time == "2026-08-01T12:00:00.360Z"


def test_a_stream_of_twice_the_rate_is_halved():
    watched = Watched(rate=32000)
    watched.watch("sound")
    watched.take(*range(10))
    start, samples = heard(watched.seen)
    assert {body.sample_rate for body in watched.seen} == {16000}
    assert start == DELAY // 2
    assert np.abs(samples - np.rint(halved(NOISE[: 10 * HOP].astype(np.float32)))).max() <= 1


def test_full_sound_has_the_streams_own_rate_beside_halved_sound():
    watched = Watched(rate=32000)
    watched.watch("sound")
    watched.watch("full sound")
    watched.take(*range(10))
    full = [body for body in watched.seen if body.sample_rate == 32000]
    assert len(full) == 10 and len(watched.seen) > 10
    start, samples = heard(full)
    assert start == 0 and (samples == NOISE[: 10 * HOP]).all()


def test_a_paused_source_is_not_heard():
    watched = Watched()
    watched.watch("sound")
    watched.channel.is_paused = True
    watched.take(*range(5))
    assert watched.seen == []
