"""Recordings elsewhere are read as files are: the same samples, the same damage, and nothing stays behind."""

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from detector.demo import recording_path
from detector.sources.recording import Recording, length_and_start
from tests.support.elsewhere import held_file

WHOLE = Path(recording_path()).read_bytes()


def read(place):
    about = length_and_start(place)
    source = Recording(path=place, sample_rate=16000, block_length=16000)
    return about, np.concatenate([block.samples for block in source.blocks()]), source.damage


def read_both(path):
    """The same of a file and of its bytes elsewhere; returns what was asked for there."""
    here = read(path)
    file, reader = held_file(path.read_bytes(), path.name)
    with closing(file):
        there = read(file)
    assert (here[0], here[2]) == (there[0], there[2])
    assert np.array_equal(here[1], there[1])
    return here, reader.asked


@pytest.mark.parametrize("content", [WHOLE, WHOLE[:200_000], WHOLE[:150_000] + bytes(3000) + WHOLE[153_000:]])
def test_whole_cut_and_damaged(tmp_path, content):
    path = tmp_path / "20261120_143000Z.flac"
    path.write_bytes(content)
    (about, _, damage), asked = read_both(path)
    assert about == (21.0, 1_795_185_000.0)
    assert (damage == "") == (content == WHOLE)
    assert sum(stop - start for start, stop in asked) == len(content)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_what_needs_ffmpeg(tmp_path, monkeypatch):
    path = tmp_path / "a.m4a"
    made = ["-metadata", "creation_time=2026-11-20T14:30:00Z", str(path)]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(recording_path()), *made], check=True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (about, _, damage), asked = read_both(path)
    assert about[1] == 1_795_185_000.0
    assert damage == ""
    assert sum(stop - start for start, stop in asked) == path.stat().st_size
    assert list(tmp_path.iterdir()) == [path]
