"""Raw samples on a pipe."""

import io
import logging

import numpy as np
import pytest

from detector.errors import UnsupportedFormat
from detector.sources.pipe import Pace, Pipe

RAMP = np.arange(-2000, 2000).astype("<i2")


class Trickle(io.BytesIO):
    """Gives a few bytes at a time, as an unbuffered pipe does."""

    def read(self, size=-1):
        return super().read(min(size, 7))


def pipe(data, *, kind=io.BytesIO, **changes):
    settings = {"sample_rate": 16000, "input_rate": 16000, "channels": 1, "block_length": 480}
    return Pipe(stream=kind(data), **settings | changes)


def samples_of(source):
    return np.concatenate([block.samples for block in source.blocks()])


@pytest.mark.parametrize("kind", [io.BytesIO, Trickle])
def test_every_sample_arrives_unchanged_however_the_pipe_is_cut(kind):
    blocks = list(pipe(RAMP.tobytes(), kind=kind).blocks())
    assert np.array_equal(np.concatenate([block.samples for block in blocks]), RAMP)
    assert [len(block.samples) for block in blocks] == [480] * 8 + [160]
    assert [block.start for block in blocks] == list(range(0, 4000, 480))


def test_half_a_sample_at_the_end_is_dropped():
    assert np.array_equal(samples_of(pipe(RAMP.tobytes() + b"\x01")), RAMP)


def test_half_a_frame_at_the_end_is_dropped():
    stereo = np.stack([RAMP, RAMP], axis=1)
    assert np.array_equal(samples_of(pipe(stereo.tobytes() + b"abc", channels=2)), RAMP)


def test_another_rate_is_converted():
    assert len(samples_of(pipe(bytes(2 * 48000), input_rate=48000))) == 16000


def test_a_pipe_that_gives_all_at_once_has_no_times():
    assert [block.time for block in pipe(RAMP.tobytes() * 20).blocks()] == [None] * 167


class Writer(io.RawIOBase):
    """Writes blocks of 480 samples, each after a time that the reader's two clocks see."""

    def __init__(self, waits, steps=()):
        self.waits, self.steps = list(waits), dict(steps)
        self.now, self.offset, self.written = 0.0, 1e9, 0

    def read(self, size=-1):
        if self.written == len(self.waits):
            return b""
        self.now += self.waits[self.written]
        self.offset += self.steps.get(self.written, 0.0)
        self.written += 1
        return bytes(960)

    def source(self):
        return Pipe(
            stream=self,
            sample_rate=16000,
            input_rate=16000,
            block_length=480,
            clock=lambda: self.now + self.offset,
            monotonic=lambda: self.now,
        )

    def blocks(self):
        return list(self.source().blocks())


def test_a_pipe_at_the_speed_of_sound_is_dated_by_arrival_after_a_pause():
    """4 s of sound, a pause of 8 s, and more: what comes behind the pause has its own time."""
    blocks = Writer([0.03] * 133 + [8.0] + [0.03] * 10).blocks()
    assert blocks[10].time is None  # whether it runs at that speed cannot be known so early
    assert blocks[132].time == pytest.approx(1e9 + 3.99)
    assert blocks[133].time == pytest.approx(1e9 + 11.99)
    assert blocks[143].time == pytest.approx(1e9 + 12.29)


def test_a_pipe_at_the_speed_of_sound_follows_a_clock_that_is_set():
    blocks = Writer([0.03] * 200, steps={150: 3600.0}).blocks()
    assert blocks[149].time == pytest.approx(1e9 + 4.5)
    assert blocks[150].time == pytest.approx(1e9 + 3604.53)


def test_a_pipe_that_is_faster_than_sound_has_no_times_for_good():
    blocks = Writer([0.003] * 2000).blocks()
    assert {block.time for block in blocks} == {None}


def test_sound_that_comes_in_bursts_is_dated_by_the_arrival_of_each():
    """3.2 s of sound at once, a pause of 8 s, and again."""
    burst = [0.0] * 107
    blocks = Writer([*burst, 8.0, *burst, 4.0, *burst]).blocks()
    assert [(n, block.time) for n, block in enumerate(blocks) if block.time is not None] == [
        (107, pytest.approx(1e9 + 8.0)),
        (215, pytest.approx(1e9 + 12.0)),
    ]


def test_a_clock_that_is_set_during_a_pause_is_followed():
    blocks = Writer([*[0.0] * 107, 4.0, 0.0], steps={107: 1.8e9}).blocks()
    assert blocks[107].time == pytest.approx(2.8e9 + 4.0)


def test_a_pause_of_the_writer_that_stays_ahead_of_the_clock_changes_nothing():
    """A recording from a slow disk."""
    blocks = Writer([*[0.001] * 1000, 5.0, *[0.001] * 1000, 10.0, *[0.001] * 1000]).blocks()
    assert {block.time for block in blocks} == {None}


def test_a_slow_reader_of_a_recording_sees_no_pause():
    """Behind the clock because of the reader: the samples were there at once."""
    writer = Writer([0.0] * 400)
    times = set()
    for number, block in enumerate(writer.source().blocks()):
        writer.now += 1.0 if number > 200 else 0.0
        times.add(block.time)
    assert times == {None}


def test_a_sound_card_that_is_a_little_too_fast_is_no_recording():
    """By 100 ppm for two days."""
    pace = Pace()
    dated = [pace.is_dated(1.0, second * (1 - 1e-4), 0.9) for second in range(2 * 86400)]
    assert all(dated[4:])


def test_a_short_burst_first_does_not_make_it_a_recording():
    """A sender that fills its buffer first, and is then as fast as sound."""
    blocks = Writer([0.0] * 60 + [0.03] * 150).blocks()
    assert blocks[-1].time == pytest.approx(1e9 + 4.5)


@pytest.mark.parametrize("data", [b"", b"\x01"])
def test_an_empty_pipe_is_one_clear_error(data):
    with pytest.raises(UnsupportedFormat, match="stdin ended before the first sample; expected raw signed"):
        list(pipe(data).blocks())


MAGICS = [
    (b"RIFF", "WAV"),
    (b"RF64", "WAV"),
    (b"fLaC", "FLAC"),
    (b"OggS", "OGG"),
    (b"ID3", "MP3"),
    (b"\xff\xfb", "MP3"),
    (b"FORM", "AIFF"),
    (b".snd", "AU"),
    (b"riff", "W64"),
    (b"\xff\xf1", "AAC"),
    (b"\xff\xfd", "MP2"),
    (b"\x0bw", "AC-3"),
    (b"#!AMR", "AMR"),
    (b"wvpk", "WavPack"),
    (b"0&\xb2u", "WMA"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (bytes(4) + b"ftyp", "MP4 or M4A"),
]


@pytest.mark.parametrize(("magic", "kind"), MAGICS)
@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
def test_a_file_piped_in_by_mistake_is_pointed_out_once(magic, kind, stream, caplog):
    samples_of(pipe(magic + bytes(4000), kind=stream))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"begins like a {kind} file" in record.getMessage()


def test_raw_samples_need_no_warning(caplog):
    samples_of(pipe(RAMP.tobytes()))
    assert not caplog.records


def test_a_pipe_can_wait_and_is_called_stdin_unless_named():
    assert not pipe(b"").live
    assert pipe(b"").name == "stdin"
    assert pipe(b"", name="kitchen").name == "kitchen"
