"""Which recordings are meant, and what their results are called."""

from __future__ import annotations

import os

import pytest

from detector.analysis.recording_files import find_recordings
from detector.errors import UnsupportedFormat
from tests.support.closed_folders import close_folder


@pytest.fixture
def house(tmp_path):
    for name in (
        "b.wav",
        "a.FLAC",
        "a.mp3",
        "notes.txt",
        ".hidden.wav",
        "june/1.wav",
        "june/deep/2.m4a",
        ".git/3.wav",
    ):
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return tmp_path / "house"


def names(*places):
    return [recording.name for recording in find_recordings(places)]


def test_a_folder_is_all_recordings_in_it_by_name(house):
    assert names(house) == ["a.FLAC", "a.mp3", "b", "june/1", "june/deep/2"]


def test_what_a_shell_puts_in_place_of_a_command_is_refused_in_words():
    """`analyze <(cat a.wav)`: a pipe, which the processes that analyze do not have."""
    reading, writing = os.pipe()
    try:
        with pytest.raises(UnsupportedFormat, match=r"is not a regular file; save the sound as a file first"):
            find_recordings([f"/dev/fd/{reading}"])
    finally:
        os.close(reading)
        os.close(writing)


def test_a_file_is_itself_whatever_it_is(house):
    (recording,) = find_recordings([house / "notes.txt"])
    assert (recording.name, recording.path, recording.size) == ("notes", house / "notes.txt", 9)
    assert names(house / "absent.wav") == ["absent"]


def test_nothing_is_taken_twice(house):
    assert names(house / "b.wav", house, house / "june") == ["b", "a.FLAC", "a.mp3", "june/1", "june/deep/2"]


def test_files_of_one_name_in_two_folders_stay_apart(house):
    (house / "july").mkdir()
    (house / "july" / "1.wav").write_bytes(b"")
    assert names(house / "june" / "1.wav", house / "july" / "1.wav") == ["june/1", "july/1"]


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(UnsupportedFormat, match="holds no recording"):
        find_recordings([tmp_path])


@pytest.mark.parametrize("name", ["summary", "Summary", "analysis", "index"])
def test_a_recording_called_like_a_file_about_all_keeps_its_ending(house, name):
    (house / f"{name}.wav").touch()
    assert f"{name}.wav" in names(house)


def test_a_folder_that_may_not_be_read_is_complained_about(house, monkeypatch):
    close_folder(house / "june", monkeypatch)
    assert house / "june" in [recording.path for recording in find_recordings([house])]


def test_a_folder_given_by_name_that_may_not_be_read_is_complained_about(house, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", scandir)
    (recording,) = find_recordings([house])
    assert (recording.path, recording.name) == (house, "house")


def test_a_place_where_one_may_not_look_is_kept_to_be_complained_about(house):
    """A name that is too long stands for it: root may look everywhere."""
    unknown = house / ("x" * 300)
    assert [recording.path for recording in find_recordings([unknown, house / "b.wav"])] == [
        unknown,
        house / "b.wav",
    ]
