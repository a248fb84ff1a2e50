"""Which files of a folder are recordings, and what is said of the others."""

import logging

import pytest

from detector.files.sound_files import FFMPEG_SUFFIXES, SNDFILE_SUFFIXES, files_in, log_left_out, look_into
from tests.support.closed_folders import close_folder


@pytest.fixture
def house(tmp_path):
    names = (
        *("b.wav", "a.M4A", "._b.wav", "notes.txt", "x.jpg", "y.jpg", "june/1.opus"),
        *("__MACOSX/b.wav", ".Trash-1000/files/c.wav", "$RECYCLE.BIN/d.wav"),
    )
    for name in names:
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "house"


def names(folder):
    return [path.relative_to(folder).as_posix() for path in look_into(folder).recordings]


def test_endings_are_known_once():
    assert not SNDFILE_SUFFIXES & FFMPEG_SUFFIXES


def test_litter_of_systems_is_left_out(house):
    assert names(house) == ["a.M4A", "b.wav", "june/1.opus"]


def test_what_is_left_out_is_named_in_one_line(house, caplog):
    caplog.set_level(logging.INFO)
    log_left_out(house, look_into(house))
    (record,) = caplog.records
    assert "3 files left out that are no recordings (.jpg 2, .txt 1)" in record.getMessage()


def test_a_folder_without_other_files_needs_no_line(house, caplog):
    caplog.set_level(logging.INFO)
    log_left_out(house / "june", look_into(house / "june"))
    assert not caplog.records


def test_linked_folders_are_followed_and_each_is_visited_once(house, tmp_path):
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "z.wav").touch()
    (house / "link").symlink_to(usb)
    (house / "june" / "circle").symlink_to(house)
    assert names(house) == ["a.M4A", "b.wav", "june/1.opus", "link/z.wav"]


def test_a_folder_that_may_not_be_read_is_told(house, monkeypatch):
    close_folder(house / "june", monkeypatch)
    content = look_into(house)
    assert content.unreadable == (house / "june",)


def test_a_link_to_nowhere_is_no_clip_and_is_named(house, caplog):
    """A data set of links, whose disk is not there."""
    (house / "gone.wav").symlink_to(house / "unplugged" / "gone.wav")
    assert [path.name for path in files_in(house)] == ["a.M4A", "b.wav", "1.opus"]
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "1 left out that lead to no file, the first:" in record.getMessage()
    assert "gone.wav" in record.getMessage()
