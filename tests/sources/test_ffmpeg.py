"""What libsndfile does not read is decoded by ffmpeg, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.errors import UnsupportedFormat
from detector.sources.ffmpeg import probe
from detector.sources.recording import Recording, length_and_start

RATE = 16000
needs_program = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def tone(tmp_path):
    """A stereo WAV of 3 s at 48 kHz; converted to another kind where a name is given."""

    def make(name="tone.wav", *options):
        wave = np.sin(2 * np.pi * 1000 * np.arange(3 * 48000) / 48000) / 2
        soundfile.write(tmp_path / "tone.wav", np.stack([wave, wave], axis=1), 48000)
        if name != "tone.wav":
            command = ["ffmpeg", "-y", "-v", "error", "-i", tmp_path / "tone.wav", *options, tmp_path / name]
            subprocess.run(command, check=True)
        return tmp_path / name

    return make


def samples(path: Path, **more):
    source = Recording(path=path, sample_rate=RATE, block_length=4000, **more)
    blocks = list(source.blocks())
    assert [block.start for block in blocks] == [4000 * n for n in range(len(blocks))]
    return np.concatenate([block.samples for block in blocks])


@needs_program
def test_the_content_decides_not_the_ending(tone):
    assert abs(len(samples(tone("a.m4a").rename(tone().with_name("memo.mp3")))) / RATE - 3) < 0.15
    assert abs(len(samples(tone("a.m4a").rename(tone().with_name("memo")))) / RATE - 3) < 0.15
    assert len(samples(tone().rename(tone().with_name("film.mp4")))) / RATE == 3


@needs_program
@pytest.mark.parametrize("name", ["a.m4a", "b.mp4", "-c d.mkv", "http:e.webm"])
def test_a_tone_is_a_tone_whatever_its_container_is_called(tone, name):
    heard = samples(tone("x" + Path(name).suffix).rename(tone().with_name(name)))
    assert heard.dtype == np.int16
    assert abs(len(heard) / RATE - 3) < 0.15
    spectrum = np.abs(np.fft.rfft(heard[RATE : 2 * RATE]))
    assert np.argmax(spectrum) == 1000
    assert abs(np.abs(heard[RATE : 2 * RATE]).max() / 16384 - 1) < 0.1


@needs_program
def test_length_and_start_are_probed(tone):
    length, start = length_and_start(tone("a.m4a", "-metadata", "creation_time=2026-11-20T14:30:00Z"))
    assert abs(length - 3) < 0.15
    assert start == 1795185000.0
    assert probe(tone("b.mkv"))[1] == ""
    assert length_and_start(tone("b.mkv"))[1] is None


def test_without_ffprobe_nothing_is_known(tone):
    assert probe(tone(), program="no-such-program") == (None, "")


@needs_program
def test_a_film_without_sound_is_told(tmp_path):
    path = tmp_path / "silent.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=16x16:duration=1", path]
    subprocess.run(command, check=True)
    with pytest.raises(UnsupportedFormat, match=r"silent\.mp4: it has no sound track"):
        samples(path)


@needs_program
def test_what_is_no_sound_is_told_in_one_line(tmp_path):
    path = tmp_path / "note.m4a"
    path.write_text("this is no sound")
    with pytest.raises(UnsupportedFormat, match=r"cannot decode .*note\.m4a: .+") as error:
        samples(path)
    assert "\n" not in str(error.value)


@needs_program
def test_a_playlist_in_disguise_fetches_nothing(tmp_path):
    path = tmp_path / "list.m4a"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/sound.ts\n")
    with pytest.raises(UnsupportedFormat, match=r"list\.m4a"):
        samples(path)


@pytest.mark.parametrize(
    ("make", "says"),
    [(Path.mkdir, "is a folder"), (Path.touch, "is empty"), (lambda path: None, "No such file")],
)
def test_what_cannot_be_read_is_told(tmp_path, make, says):
    path = tmp_path / "x.m4a"
    make(path)
    with pytest.raises(UnsupportedFormat, match=says):
        samples(path)


def test_missing_ffmpeg_is_told_with_what_to_do(tmp_path):
    path = tmp_path / "x.m4a"
    path.write_bytes(b"x")
    with pytest.raises(UnsupportedFormat, match=r"other kinds need ffmpeg, .* apt-get install ffmpeg"):
        samples(path, program="no-such-program")


@needs_program
def test_leaving_early_ends_ffmpeg(tone):
    source = Recording(path=tone("a.m4a"), sample_rate=RATE, block_length=100)
    blocks = source.blocks()
    next(blocks)
    process = source._decoder._process
    source.close()
    assert process.poll() is not None
    blocks.close()


@needs_program
def test_sound_that_starts_late_is_late(tone):
    """A track that begins 2 s after the picture has its times in the film."""
    picture = ["-f", "lavfi", "-i", "color=size=16x16:rate=10:duration=5"]
    film = tone().with_name("film.mkv")
    shifted = ["-itsoffset", "2", "-i", tone(), "-map", "0:v", "-map", "1:a", "-c:a", "pcm_s16le"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, *shifted, film], check=True)
    heard = samples(film)
    assert len(heard) / RATE == pytest.approx(5, abs=0.1)
    assert np.flatnonzero(np.abs(heard) > 1000)[0] / RATE == pytest.approx(2, abs=0.05)


@needs_program
def test_a_recording_is_dated_by_what_its_container_says(tone):
    path = tone("a.m4a", "-metadata", "creation_time=2026-11-20T14:30:00Z")
    first = next(Recording(path=path, sample_rate=RATE, block_length=RATE, dated=True).blocks())
    assert first.time == 1795185001.0
    assert next(Recording(path=path, sample_rate=RATE, block_length=RATE).blocks()).time is None


@needs_program
def test_ffmpeg_goes_on_where_libsndfile_stops(tmp_path, caplog):
    """Damage in the middle of a FLAC: what follows is heard too, and that something is missing is told."""
    noise = np.random.default_rng(1).integers(-8000, 8000, 4 * RATE).astype(np.int16)
    path = tmp_path / "a.flac"
    soundfile.write(path, noise, RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    source = Recording(path=path, sample_rate=RATE, block_length=RATE)
    got = np.concatenate([block.samples for block in source.blocks()])
    assert 3.5 * RATE < len(got) < 4 * RATE
    assert np.array_equal(got[-RATE // 2 :], noise[-RATE // 2 :])
    assert source.damage
    assert "source.truncated" in caplog.text
    alone = Recording(path=path, sample_rate=RATE, block_length=RATE, program="no-such-program")
    assert 1.5 * RATE < sum(len(block.samples) for block in alone.blocks()) < 2.1 * RATE
    assert alone.damage
