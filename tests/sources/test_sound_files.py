"""Recordings: every format and every kind of damage."""

import errno
import io
import itertools
import logging
import os

import numpy as np
import pytest
import soundfile

from detector.errors import UnsupportedFormat
from detector.sources.recording import Recording
from detector.sources.sndfile import header_seconds

RATE = 16000
NOISE = np.random.default_rng(1).integers(-8000, 8000, RATE).astype(np.int16)


def tone(rate, seconds=1.0):
    return np.rint(10_000 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)).astype(
        np.int16
    )


def recording(path, **changes):
    return Recording(path=path, **{"sample_rate": RATE, "block_length": 1600} | changes)


def samples_of(path, **changes):
    return np.concatenate([block.samples for block in recording(path, **changes).blocks()])


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, NOISE, RATE)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_lossless_mono_at_the_wanted_rate_arrives_bit_for_bit(tmp_path, suffix):
    soundfile.write(tmp_path / f"a.{suffix}", NOISE, RATE)
    assert np.array_equal(samples_of(tmp_path / f"a.{suffix}"), NOISE)


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_lossy_formats_arrive_recognizably(tmp_path, suffix, rate):
    soundfile.write(tmp_path / f"a.{suffix}", tone(rate), rate)
    got = samples_of(tmp_path / f"a.{suffix}")
    spectrum = np.abs(np.fft.rfft(got[2000:14000]))
    assert abs(len(got) - RATE) < 1600
    assert abs(spectrum.argmax() * RATE / 12000 - 440) < 3


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channel_count_becomes_the_same_tone(tmp_path, rate, channels):
    soundfile.write(tmp_path / "a.wav", np.stack([tone(rate)] * channels, axis=1), rate)
    got = samples_of(tmp_path / "a.wav")
    assert len(got) == RATE
    assert np.abs(got[2000:14000].astype(int) - tone(RATE)[2000:14000]).max() < 30


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_any_sample_form_is_read(tmp_path, subtype):
    soundfile.write(tmp_path / "a.wav", NOISE / 32768, RATE, subtype=subtype)
    step = 256 if subtype == "PCM_U8" else 1
    assert np.abs(samples_of(tmp_path / "a.wav").astype(int) - NOISE).max() <= step


def test_blocks_are_numbered_and_the_last_one_is_shorter(wav):
    blocks = list(recording(wav, block_length=3000).blocks())
    assert [block.start for block in blocks] == list(range(0, RATE, 3000))
    assert len(blocks[-1].samples) == 1000
    assert all(block.time is None for block in blocks)


def test_it_can_be_read_twice(wav):
    source = recording(wav)
    assert len(list(source.blocks())) == len(list(source.blocks())) == 10


def test_not_a_number_and_infinity_are_silence_with_one_warning(tmp_path, caplog):
    samples = np.full(RATE, 0.25, np.float32)
    samples[[10, 5000, 9000]] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    got = samples_of(tmp_path / "a.wav")
    assert np.flatnonzero(got == 0).tolist() == [10, 5000, 9000]
    assert len(caplog.records) == 1
    assert "NaN or infinite" in caplog.text


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_a_file_that_breaks_off_is_delivered_as_far_as_it_goes_with_a_warning(tmp_path, suffix, caplog):
    whole = tmp_path / f"a.{suffix}"
    soundfile.write(whole, NOISE, RATE)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 5])
    got = samples_of(whole)
    assert 0.3 * RATE < len(got) < 0.8 * RATE
    if suffix != "mp3":
        assert np.array_equal(got, NOISE[: len(got)])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "source.truncated" in record.getMessage()


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_an_intact_file_gives_no_warning(tmp_path, suffix, caplog):
    soundfile.write(tmp_path / f"a.{suffix}", NOISE, RATE)
    samples_of(tmp_path / f"a.{suffix}")
    assert not caplog.records


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_written_to_a_pipe_claims_any_length_and_is_not_truncated(wav, length, caplog):
    data = bytearray(wav.read_bytes())
    data[40:44] = length.to_bytes(4, "little")
    wav.write_bytes(data)
    assert np.array_equal(samples_of(wav), NOISE)
    assert not caplog.records


def header_only(path):
    soundfile.write(path, NOISE, RATE)
    path.write_bytes(path.read_bytes()[:20])


def absurd_rate(path):
    soundfile.write(path, NOISE, RATE)
    data = bytearray(path.read_bytes())
    data[24:28] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)


BAD = {
    "missing": (lambda path: None, "No such file or directory"),
    "empty": (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
    "a text": (
        lambda path: path.write_text("no sound " * 50),
        "cannot decode .* expected WAV, FLAC, OGG or MP3",
    ),
    "random bytes": (lambda path: path.write_bytes(NOISE.tobytes()), "cannot decode"),
    "a header broken off": (header_only, "cannot decode"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "a named pipe": (os.mkfifo, "is not a regular file"),
    "no samples": (lambda path: soundfile.write(path, NOISE[:0], RATE), "holds 0 samples"),
    "an absurd rate": (absurd_rate, "claims 2147483647 Hz; expected 1000 to 768000 Hz"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_is_one_clear_line(tmp_path, kind):
    make, words = BAD[kind]
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(UnsupportedFormat, match=words) as caught:
        list(recording(path).blocks())
    assert "\n" not in str(caught.value)
    assert "bad.wav" in str(caught.value)


def test_a_raw_file_is_sent_to_the_pipe(tmp_path):
    (tmp_path / "a.raw").write_bytes(NOISE.tobytes())
    with pytest.raises(UnsupportedFormat, match="send raw samples with --input -"):
        list(recording(tmp_path / "a.raw").blocks())


class Clock:
    """Stands still but for those who sleep and, at each look, for `work` seconds."""

    def __init__(self, work=0.0):
        self.now, self.work, self.slept = 1000.0, work, []

    def __call__(self):
        self.now += self.work
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_in_real_time_each_block_comes_when_its_last_sample_would_have_sounded(wav):
    clock = Clock()
    source = recording(wav, realtime=True, clock=clock, sleep=clock.sleep)
    arrivals = [clock.now - 1000 for _ in source.blocks()]
    assert arrivals == pytest.approx([0.1 * i for i in range(1, 11)])


def test_real_time_does_not_drift_when_work_takes_time(wav):
    clock = Clock(work=0.01)
    source = recording(wav, realtime=True, clock=clock, sleep=clock.sleep)
    *_, last = (clock.now - 1000 for _ in source.blocks())
    assert last == pytest.approx(1.0, abs=0.03)


def test_late_blocks_are_not_held_back_further(wav):
    clock = Clock(work=10.0)
    list(recording(wav, realtime=True, clock=clock, sleep=clock.sleep).blocks())
    assert clock.slept == []


def test_only_a_recording_in_real_time_is_live(wav):
    assert [recording(wav, realtime=realtime).live for realtime in (False, True)] == [False, True]


def test_it_is_named_by_its_path_unless_named(wav):
    assert recording(wav).name == str(wav)
    assert recording(wav, name="attic").name == "attic"


def test_closing_is_fine_at_any_time_and_twice(wav):
    source = recording(wav)
    source.close()
    assert len(list(itertools.islice(source.blocks(), 3))) == 3
    source.close()
    source.close()


def test_a_sample_dump_writes_nothing_among_the_events(tmp_path, capfd):
    """libsndfile's reader of such files writes its complaints to standard output."""
    path = tmp_path / "a.sds"
    soundfile.write(path, np.zeros(1600), RATE, format="SDS", subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    with pytest.raises(UnsupportedFormat, match="it is a MIDI sample dump; expected WAV, FLAC, OGG or MP3"):
        samples_of(path, program="no-such-program")
    assert header_seconds(path) is None
    assert capfd.readouterr() == ("", "")


class FailingFile(io.FileIO):
    """A file of a disk or a share that fails from some byte on; `lost` is called first."""

    def __init__(self, path, lost):
        super().__init__(path)
        self.lost = lost

    def readinto(self, buffer):
        if self.tell() > 8000:
            self.lost()
            raise OSError(errno.EIO, "Input/output error")
        return super().readinto(buffer)


@pytest.fixture
def failing(tmp_path):
    """Makes a recording whose file fails in its middle."""

    def made(lost):
        class FailingPath(type(tmp_path)):
            def open(self, mode="r", buffering=-1, **options):
                whole = super().open(mode, buffering, **options)
                if buffering != 0:
                    return whole
                whole.close()
                return FailingFile(self, lost)

        soundfile.write(tmp_path / "a.flac", NOISE, RATE)
        return recording(FailingPath(tmp_path / "a.flac"), program="no-such-program")

    return made


def test_a_disk_that_fails_within_a_file_leaves_what_was_read(failing, capfd):
    source = failing(lambda: None)
    assert 0 < sum(len(block.samples) for block in source.blocks()) < RATE
    assert source.damage == "Input/output error"
    assert capfd.readouterr().err == ""


def test_a_share_that_goes_away_within_a_file_is_an_error(failing, tmp_path, capfd):
    source = failing((tmp_path / "a.flac").unlink)
    with pytest.raises(UnsupportedFormat, match=r"cannot read .*a\.flac: No such file"):
        list(source.blocks())
    assert capfd.readouterr().err == ""
