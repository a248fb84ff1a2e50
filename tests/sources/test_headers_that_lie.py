"""Sound files that hold more than their headers say: all of it is read, by libsndfile alone."""

import io
import logging
import struct
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
import soundfile

from detector.demo import recording_path
from detector.sources.file_part import PartReader
from detector.sources.file_parts import read_parts
from detector.sources.recording import Recording
from tests.support import ROOT
from tests.support.elsewhere import held_file

RATE = 16000
NOISE = np.random.default_rng(1).integers(-8000, 8000, RATE).astype(np.int16)
OTHER = NOISE[::-1].copy()


def encoded(samples=NOISE, **form):
    data = io.BytesIO()
    soundfile.write(data, samples, RATE, **form)
    return data.getvalue()


@pytest.fixture
def read(tmp_path, caplog):
    """All samples of a file of these bytes, which are the same where it lies elsewhere; without ffmpeg."""

    def samples_of(place):
        source = Recording(path=place, sample_rate=RATE, block_length=1600, program="no-such-program")
        got = np.concatenate([block.samples for block in source.blocks()])
        assert source.damage == ""
        return got

    def samples(data, name="a.wav"):
        path = tmp_path / name
        path.write_bytes(data)
        got = samples_of(path)
        logged = len(caplog.records)
        with closing(held_file(data, name)[0]) as elsewhere:
            assert np.array_equal(samples_of(elsewhere), got)
        del caplog.records[logged:]
        return got

    return samples


def with_bytes(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def wav(claim, behind=b""):
    return with_bytes(encoded(format="WAV"), 40, struct.pack("<I", claim)) + behind


@pytest.mark.parametrize("claim", [0, 44, 3200, 2 * RATE - 4000])
def test_a_wav_is_read_to_its_end_whatever_size_it_claims(read, claim, caplog):
    assert np.array_equal(read(wav(claim)), NOISE)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"header_seconds={claim / 2 / RATE:.3f} read_seconds=1.000" in record.getMessage()


CHUNK = b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"


@pytest.mark.parametrize(
    "behind",
    [
        b"",
        CHUNK,
        CHUNK * 3,
        CHUNK[:14],
        b"bext" + struct.pack("<I", 602) + bytes(602),
        b"TAG" + b"x" * 125,
        b"ID3\4\0\0\0\0\0\x0a" + b"x" * 10,
        bytes(512),
        b"\n",
    ],
    ids=["nothing", "chunk", "chunks", "cut", "bext", "id3v1", "id3v2", "padding", "newline"],
)
def test_what_follows_the_sound_is_no_sound(read, behind, caplog):
    assert np.array_equal(read(wav(2 * RATE, behind)), NOISE)
    assert not caplog.records


def test_a_size_that_wrapped_is_no_size(tmp_path, caplog):
    """4 GiB and a second: the size says one second. The file has a hole, so that it takes no room."""
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(wav(2 * RATE))
        file.seek((1 << 32) - 1, io.SEEK_CUR)
        file.write(b"\1")
    source = Recording(path=path, sample_rate=RATE, block_length=RATE)
    blocks = source.blocks()
    assert np.array_equal(next(blocks).samples, NOISE)
    assert len(next(blocks).samples) == RATE
    source.close()
    blocks.close()
    (part,) = read_parts(path).parts
    with soundfile.SoundFile(PartReader(path, part)) as whole:
        assert whole.frames == (1 << 31) + RATE


def test_a_64_bit_wav_of_a_killed_recorder_is_read_to_its_end(read):
    data = encoded(format="RF64")
    size_at = data.index(b"ds64") + 16
    if data[:4] == b"RF64":
        data = with_bytes(data, size_at, struct.pack("<Q", 3200))
    assert np.array_equal(read(data), NOISE)


@pytest.mark.parametrize("claim", [0, 3200])
def test_an_au_is_read_to_its_end(read, claim):
    assert np.array_equal(read(with_bytes(encoded(format="AU"), 8, struct.pack(">I", claim)), "a.au"), NOISE)


@pytest.mark.parametrize("claim", [8, 3208])
def test_an_aiff_is_read_to_its_end(read, claim):
    data = encoded(format="AIFF")
    at = data.index(b"SSND") + 4
    assert np.array_equal(read(with_bytes(data, at, struct.pack(">I", claim)), "a.aiff"), NOISE)


@pytest.mark.parametrize("claim", [3204, 2 * RATE + 4, -1])
def test_a_caf_is_read_to_its_end(read, claim, caplog):
    data = encoded(format="CAF")
    at = data.index(b"data") + 4
    assert np.array_equal(read(with_bytes(data, at, struct.pack(">q", claim)), "a.caf"), NOISE)
    assert ("header_short" in caplog.text) is (claim == 3204)


def test_chunks_behind_the_sound_of_a_caf_are_no_sound(read, caplog):
    assert np.array_equal(
        read(encoded(format="CAF") + b"info" + struct.pack(">q", 200) + bytes(200), "a.caf"), NOISE
    )
    assert not caplog.records


def test_wavs_that_were_joined_are_all_read(read):
    assert np.array_equal(
        read(encoded(format="WAV") + encoded(OTHER, format="WAV")), np.concatenate([NOISE, OTHER])
    )


def flac(claim):
    data = encoded(format="FLAC")
    return with_bytes(data, 21, bytes([data[21] & 0xF0]) + struct.pack(">I", claim))


@pytest.mark.parametrize("claim", [0, RATE // 2, RATE])
def test_a_flac_is_read_to_its_end_whatever_length_it_claims(read, claim, caplog):
    assert np.array_equal(read(flac(claim), "a.flac"), NOISE)
    assert [("source.header_short" in record.getMessage()) for record in caplog.records] == (
        [True] if claim == RATE // 2 else []
    )


def test_flacs_that_were_joined_are_all_read(read):
    data = encoded(format="FLAC") + encoded(OTHER, format="FLAC")
    assert np.array_equal(read(data, "a.flac"), np.concatenate([NOISE, OTHER]))


@pytest.mark.parametrize(("format", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_streams_that_were_joined_are_all_read(read, format, subtype):
    one, other = (encoded(samples, format=format, subtype=subtype) for samples in (NOISE, OTHER))
    apart = np.concatenate([read(one), read(other)])
    assert np.array_equal(read(one + other), apart)
    assert len(apart) == pytest.approx(2 * RATE, abs=4000)


def test_an_mp3_without_a_count_of_frames_is_not_called_truncated(read, caplog):
    """Quiet, then loud, at a variable bit rate: an estimate from the first frames is far too long."""
    data = io.BytesIO()
    sound = np.concatenate([np.zeros(5 * RATE), np.random.default_rng(1).normal(0, 0.2, 2 * RATE)])
    soundfile.write(data, sound, RATE, format="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    whole = data.getvalue()
    start = whole.index(b"\xff", 100)
    while whole[start + 1] & 0xE0 != 0xE0 or start < 100:
        start = whole.index(b"\xff", start + 1)
    got = read(whole[start:], "a.mp3")
    assert len(got) > 6.5 * RATE
    assert not caplog.records


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("counted", [None, 0])
def test_an_mp3_without_a_count_of_frames_is_read_to_its_end(tmp_path, rate, counted):
    """Loud, then quiet, at a variable bit rate: an estimate from the first frames is far too short.

    None: as recorders write it that stream; 0: the header is there, its writer was killed.
    """
    sound = np.concatenate([np.random.default_rng(1).normal(0, 0.2, 2 * rate), np.zeros(5 * rate)])
    path = tmp_path / "a.mp3"
    soundfile.write(path, sound, rate, bitrate_mode="VARIABLE", compression_level=0.3)
    data = path.read_bytes()
    at = data.index(b"Xing")
    if counted is None:
        frame = data.rindex(b"\xff", 0, at)
        data = data[data.index(data[frame : frame + 2], at) :]
    else:
        data = with_bytes(data, at + 8, bytes(8))
    path.write_bytes(data)
    source = Recording(path=path, sample_rate=16000, block_length=1600, program="no-such-program")
    assert sum(len(block.samples) for block in source.blocks()) / 16000 == pytest.approx(7.0, abs=0.4)


@pytest.mark.parametrize("litter", [".AppleDouble/a", "._", "._a.mp3"])
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\0\0\0\0\0\0"])
def test_what_a_mac_left_in_the_folder_does_not_hide_an_mp3(read, tmp_path, monkeypatch, litter, tag):
    (tmp_path / litter).parent.mkdir(exist_ok=True)
    (tmp_path / litter).write_bytes(bytes(4096))
    monkeypatch.chdir(tmp_path)
    assert len(read(tag + encoded(format="MP3"), "a.mp3")) == pytest.approx(RATE, abs=3000)


def test_an_intact_mp3_writes_nothing_to_standard_error(read, capfd):
    read(encoded(format="MP3"), "a.mp3")
    assert capfd.readouterr().err == ""


def test_a_name_does_not_make_an_mp3(read):
    assert np.array_equal(read(encoded(format="FLAC"), "a.mp3"), NOISE)


WITHOUT_CALLBACKS = """
import ctypes, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
from detector.sources.recording import Recording
source = Recording(path=sys.argv[1], sample_rate=16000, block_length=1920)
print(sum(len(block.samples) for block in source.blocks()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")
def test_a_recording_is_read_where_no_memory_may_be_written_and_run():
    """As the service runs, by MemoryDenyWriteExecute: libsndfile cannot call Python there."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_CALLBACKS, str(recording_path())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel cannot forbid it")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10 * 16000
