"""Who may change a path, and what is read and written where others may."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from detector.files.guarded import changeable_by_others, part_of, read_file, replace_file

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX owners and modes")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only this user may write to, all the way up."""
    tmp_path.chmod(0o700)
    if (other := changeable_by_others(tmp_path)) is not None:
        pytest.skip(f"others may change {other}")
    return tmp_path


def test_a_folder_of_ones_own_is_closed(closed: Path) -> None:
    assert changeable_by_others(closed) is None
    assert changeable_by_others(closed / "not" / "there") is None


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_folder_that_all_may_write_to_is_named(closed: Path, mode: int) -> None:
    folder = closed / "folder"
    folder.mkdir()
    folder.chmod(mode)
    assert changeable_by_others(folder) == folder


def test_below_an_open_folder_nothing_is_closed_unless_its_bit_is_sticky(closed: Path) -> None:
    inner = closed / "folder" / "inner"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o777)
    assert changeable_by_others(inner) == inner.parent
    inner.parent.chmod(0o1777)
    assert changeable_by_others(inner) is None


def test_the_way_that_a_link_leads_counts_and_the_way_to_the_link(closed: Path) -> None:
    open_folder, own = closed / "open", closed / "own"
    open_folder.mkdir()
    own.mkdir()
    open_folder.chmod(0o777)
    (own / "out").symlink_to("../open")
    (open_folder / "back").symlink_to(own)
    assert changeable_by_others(own / "out") == open_folder
    assert changeable_by_others(open_folder / "back") == open_folder
    (own / "round").symlink_to("round")
    assert changeable_by_others(own / "round") == own / "round"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_named(closed: Path) -> None:
    folder = closed / "folder"
    folder.mkdir()
    os.chown(folder, 1234, 1234)
    assert changeable_by_others(folder / "file") == folder


def test_a_file_is_read_to_its_bound(closed: Path) -> None:
    (closed / "file").write_bytes(b"12345")
    assert read_file(closed / "file", max_bytes=5) == b"12345"
    assert read_file(closed / "file", max_bytes=3) == b"1234"


def test_what_is_no_regular_file_is_refused_without_waiting(closed: Path) -> None:
    os.mkfifo(closed / "pipe")
    (closed / "zero").symlink_to("/dev/zero")
    for path in (closed / "pipe", closed / "zero", closed):
        with pytest.raises(OSError, match=r"is not a regular file|Is a directory"):
            read_file(path, max_bytes=10)


def test_a_link_is_followed_where_only_this_user_could_put_it(closed: Path) -> None:
    (closed / "secret").write_bytes(b"secret")
    folder = closed / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(closed / "secret")
    assert read_file(folder / "link", max_bytes=10) == b"secret"
    folder.chmod(0o777)
    with pytest.raises(OSError, match="is a link in a folder that others may write to"):
        read_file(folder / "link", max_bytes=10)


def test_a_file_is_replaced_and_a_link_in_its_place_is_not_written_through(closed: Path) -> None:
    (closed / "precious").write_bytes(b"precious")
    for name in ("file", "file.part"):
        (closed / name).symlink_to(closed / "precious")
        replace_file(closed / "file", b"new")
        assert (closed / "file").read_bytes() == b"new"
        assert not (closed / "file").is_symlink()
        assert not part_of(closed / "file").exists()
        assert (closed / "precious").read_bytes() == b"precious"
        (closed / "file").unlink()


def test_a_folder_where_the_part_file_goes_is_an_error_and_stays(closed: Path) -> None:
    part_of(closed / "file").mkdir()
    with pytest.raises(OSError, match=r"\.part"):
        replace_file(closed / "file", b"new")
    assert part_of(closed / "file").is_dir()
