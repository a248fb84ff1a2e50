"""Folders that the daemon makes are closed to others, also the ones above."""

import os
import stat

import pytest

from detector.files.daemon_files import make_folder


@pytest.mark.skipif(os.name != "posix", reason="folders have no modes here")
def test_every_new_folder_is_for_owner_and_group(tmp_path):
    before = os.umask(0)
    try:
        made = make_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert made == [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o750}


def test_what_is_there_stays(tmp_path):
    tmp_path.chmod(0o755)
    assert make_folder(tmp_path) == []
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_in_the_way_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_folder(tmp_path / "file" / "folder")
