"""The picture of an event: its first seconds where they belong, once, and nothing while nothing sounds."""

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, GateSettings, LevelSettings, Settings
from detector.records import Block
from detector.service.capture import SourceFailure
from detector.service.event_pictures import EventPictures
from detector.service.source_channel import SourceChannel
from tests.support.fakes import FakeClassifier, FakeSource, HandClock, cut, make_spec
from tests.support.wire_messages import make_body, make_event

RATE = 16000
BLOCK = 1920
COLUMN = RATE // 20
HISS = np.random.default_rng(3).normal(0, 3, 60 * RATE).astype(np.int16)


def sound(*beeps):
    """A minute of faint hiss, with a tone of 1 kHz in these spans of seconds."""
    samples = HISS.copy()
    for first, last in beeps:
        n = np.arange(round(first * RATE), round(last * RATE))
        samples[n] += (8000 * np.sin(2 * np.pi * 1000 * n / RATE)).astype(np.int16)
    return samples


class Studio:
    """Hears a recording block by block; events are noted when a script says so."""

    def __init__(self, samples):
        self.pictures = []
        self.maker = EventPictures(sample_rate=RATE, keep=self.pictures.append)
        self.blocks = iter(cut(samples, BLOCK))

    def hear(self, seconds):
        """Go on to about this second; returns where that is."""
        for block in self.blocks:
            self.maker.push(block)
            self.maker.submit_due()
            if block.stop >= seconds * RATE:
                return block.stop
        raise AssertionError("the recording has ended")

    def note(self, phase, first, last=None, id=1, *, is_reported=True):
        event = make_event(phase, id, onset=round(first * RATE), offset=last and round(last * RATE))
        self.maker.note(event, make_body(phase, id), is_reported=is_reported)
        self.maker.submit_due()


def loud_columns(picture):
    """The columns in which the tone's band is loud; the picture's rows come from the top."""
    image = np.frombuffer(picture.rows, np.uint8).reshape(picture.height, picture.width)
    band = int(image.max(axis=1).argmax())
    assert 63 - band in (19, 20, 21, 22)  # 1 kHz
    return list(np.flatnonzero(image[band] > 150))


def test_a_short_sound_is_drawn_at_its_end_with_a_little_before_and_behind():
    studio = Studio(sound((10, 11)))
    studio.hear(10.5)
    studio.note("start", 10)
    studio.hear(12)
    assert studio.pictures == []
    studio.note("end", 10, 11)
    (picture,) = studio.pictures
    assert (picture.id, picture.height) == ("run-1", 64)
    assert picture.width == pytest.approx(2.0 * 20, abs=2)
    columns = loud_columns(picture)
    assert columns == list(range(columns[0], columns[-1] + 1))
    assert columns[0] == pytest.approx(10, abs=1.5)
    assert len(columns) == pytest.approx(20, abs=2)


def test_a_long_sound_is_drawn_after_five_seconds_and_not_again_at_its_end():
    studio = Studio(sound((10, 40)))
    studio.hear(10.5)
    studio.note("start", 10)
    studio.hear(14)
    assert studio.pictures == []
    studio.hear(15)
    (picture,) = studio.pictures
    assert picture.width == 100
    assert loud_columns(picture)[-1] == 99
    studio.note("update", 10)
    studio.hear(41)
    studio.note("end", 10, 40)
    studio.hear(50)
    assert len(studio.pictures) == 1


def test_a_sound_that_is_known_late_begins_with_the_oldest_that_is_held():
    studio = Studio(sound((10, 40)))
    studio.hear(30)
    studio.note("start", 10)
    studio.hear(36)
    (picture,) = studio.pictures
    assert picture.width == 100
    assert len(loud_columns(picture)) == 100


def test_a_sound_that_is_not_reported_leaves_nothing():
    studio = Studio(sound((10, 11)))
    studio.hear(10.5)
    studio.note("start", 10, is_reported=False)
    studio.hear(20)
    studio.note("end", 10, 11, is_reported=False)
    assert studio.pictures == []
    assert not studio.maker._planned


def test_each_of_two_sounds_has_its_own():
    studio = Studio(sound((10, 11), (11.5, 12)))
    studio.hear(10.5)
    studio.note("start", 10, id=1)
    studio.hear(12)
    studio.note("start", 11.5, id=2)
    studio.note("end", 10, 11, id=1)
    studio.hear(13)
    studio.note("end", 11.5, 12, id=2)
    assert [picture.id for picture in studio.pictures] == ["run-1", "run-2"]


def test_a_gap_is_black_and_a_stop_draws_what_there_is():
    studio = Studio(sound((10, 20)))
    stop = studio.hear(10.5)
    studio.note("start", 10)
    studio.maker.push(Block(stop + RATE, sound((0, 20))[:RATE]))
    studio.maker.finish()
    (picture,) = studio.pictures
    image = np.frombuffer(picture.rows, np.uint8).reshape(64, picture.width)
    assert (image == 0).all(axis=0).any()
    assert picture.width == pytest.approx((0.5 + 0.5 + 1 + 1) * 20, abs=3)
    studio.maker.finish()
    assert len(studio.pictures) == 1


def test_behind_a_stop_no_picture_shows_what_was_before_it():
    studio = Studio(sound((10, 20)))
    studio.hear(12)
    studio.maker.finish()
    stop = studio.hear(12.4)
    studio.note("start", 11)
    studio.hear(13)
    studio.note("end", 11, 13)
    (picture,) = studio.pictures
    assert stop == pytest.approx(12.4 * RATE, abs=BLOCK)
    assert picture.width == pytest.approx(1.0 * 20, abs=4)


def test_what_is_held_is_bounded():
    studio = Studio(HISS)
    studio.hear(50)
    assert sum(len(block.samples) for block in studio.maker._blocks) <= 7 * RATE


class Room:
    """A channel whose classifier hears a siren wherever it is loud."""

    def __init__(self):
        self.pictures = []
        self.channel = SourceChannel(
            source=FakeSource([], live=True),
            pipeline=make_pipeline(
                Settings(
                    gate=GateSettings(mode="off"),
                    level=LevelSettings(enabled=False),
                    events=EventSettings(preset="responsive"),
                ),
                FakeClassifier(
                    make_spec("Siren"), lambda window: [float(np.abs(window.samples).max() > 0.1)]
                ),
            ),
            sample_rate=RATE,
            event_ids="run",
            queue_blocks=4,
            pictures=EventPictures(sample_rate=RATE, keep=self.pictures.append),
            clock=HandClock(),
        )

    def take(self, blocks):
        return [body for block in blocks for body in self.channel.take(block, block.stop / RATE)]


def test_a_channel_draws_the_events_that_it_tells():
    room = Room()
    told = room.take(cut(sound((10, 11), (30, 50))[: 40 * RATE], BLOCK))
    told += room.channel.end()
    ids = [body.id for body in told if body.kind == "start"]
    assert [picture.id for picture in room.pictures] == ids
    assert len(ids) == 2
    assert 10 < len(loud_columns(room.pictures[0])) < 30
    assert room.pictures[1].width == 100


def test_a_lost_device_and_a_pause_draw_what_was_heard():
    for stop in ("lost", "paused"):
        room = Room()
        room.take(cut(sound((10, 20))[: 12 * RATE], BLOCK))
        assert room.pictures == []
        if stop == "lost":
            room.channel.take(SourceFailure("unplugged"), 12.0)
        else:
            room.channel.is_paused = True
            room.take([Block(12 * RATE, HISS[:BLOCK])])
        (picture,) = room.pictures
        assert picture.width == pytest.approx(2.5 * 20, abs=5)
