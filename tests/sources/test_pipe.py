"""Raw samples on a pipe."""

import io
import logging

import numpy as np
import pytest

from detector.errors import UnsupportedFormat
from detector.sources.pipe import Pipe

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


def test_a_pipe_has_no_clock_of_its_own():
    assert next(pipe(RAMP.tobytes()).blocks()).time is None


@pytest.mark.parametrize("data", [b"", b"\x01"])
def test_an_empty_pipe_is_one_clear_error(data):
    with pytest.raises(UnsupportedFormat, match="stdin ended before the first sample; expected raw signed"):
        list(pipe(data).blocks())


@pytest.mark.parametrize(("magic", "kind"), [(b"RIFF", "WAV"), (b"fLaC", "FLAC"), (b"OggS", "OGG")])
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
