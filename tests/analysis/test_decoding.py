"""What libsndfile does not read is decoded by ffmpeg, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.analysis.decoding import FfmpegRecording, needs_ffmpeg, open_recording, probe
from detector.analysis.recording_files import FFMPEG_SUFFIXES, SNDFILE_SUFFIXES
from detector.errors import UnsupportedFormat

RATE = 16000
needs_program = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def tone(tmp_path):
    """A stereo WAV of 3 s at 48 kHz; converted to another kind where a name is given."""

    def make(name="tone.wav", *options):
        wave = np.sin(2 * np.pi * 1000 * np.arange(3 * 48000) / 48000) / 2
        soundfile.write(tmp_path / "tone.wav", np.stack([wave, wave], axis=1), 48000)
        if name != "tone.wav":
            command = ["ffmpeg", "-v", "error", "-i", tmp_path / "tone.wav", *options, tmp_path / name]
            subprocess.run(command, check=True)
        return tmp_path / name

    return make


def samples(path: Path, **more):
    source = FfmpegRecording(path, sample_rate=RATE, block_length=4000, **more)
    blocks = list(source.blocks())
    assert [block.start for block in blocks] == [4000 * n for n in range(len(blocks))]
    return np.concatenate([block.samples for block in blocks])


def test_endings_are_known_once():
    assert not SNDFILE_SUFFIXES & FFMPEG_SUFFIXES


def test_endings_choose_the_decoder(tmp_path):
    assert [needs_ffmpeg(Path(name)) for name in ("a.wav", "a.FLAC", "a", "a.MP4", "a.m4a")] == [
        *(False, False, False),
        *(True, True),
    ]
    assert isinstance(open_recording(tmp_path / "a.m4a", sample_rate=RATE, block_length=9), FfmpegRecording)


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
    length, start = probe(tone("a.m4a", "-metadata", "creation_time=2026-11-20T14:30:00Z"))
    assert abs(length - 3) < 0.15
    assert start == 1795185000.0
    assert probe(tone("b.mkv"))[1] is None


def test_without_ffprobe_nothing_is_known(tone):
    assert probe(tone(), program="no-such-program") == (None, None)


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
    with pytest.raises(UnsupportedFormat, match=r"\.m4a files need ffmpeg, .* apt-get install ffmpeg"):
        samples(path, program="no-such-program")


@needs_program
def test_leaving_early_ends_ffmpeg(tone):
    source = FfmpegRecording(tone("a.m4a"), sample_rate=RATE, block_length=100)
    blocks = source.blocks()
    next(blocks)
    process = source._process
    source.close()
    assert process.poll() is not None
    blocks.close()
