"""Folders of a store: which recordings are in them, and that their names lead nowhere else."""

import logging

import pytest

from detector.errors import DetectorError, UnsupportedFormat
from detector.remote.range_reader import PlaceUnreachable
from detector.remote.remote_address import RemoteAddress
from detector.remote.remote_file import RemoteFile
from detector.remote.remote_folder import is_safe, listed

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store():
    """The folder `house` of fsspec's store in memory."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name in (
        "b.wav",
        "a.FLAC",
        "notes.txt",
        ".hidden.wav",
        "june/1.wav",
        "june/deep/2.m4a",
        ".git/3.wav",
    ):
        system.pipe_file(f"/house/{name}", name.encode())
    system.pipe_file("/household.wav", b"beside it")
    yield system
    system.store.clear()


def ways(url):
    return [way for way, _ in listed(RemoteAddress.parse(url))]


@pytest.mark.parametrize("url", ["memory://house", "memory://house/"])
def test_a_folder_is_all_recordings_in_it_and_below(store, url):
    assert ways(url) == ["a.FLAC", "b.wav", "june/1.wav", "june/deep/2.m4a"]


def test_a_file_is_itself_and_is_read(store):
    ((way, path),) = listed(RemoteAddress.parse("memory://house/june/1.wav"))
    assert (way, str(path), path.stamp.size) == ("1.wav", "memory://house/june/1.wav", 10)
    assert path.stamp.modified > 0
    assert RemoteFile(path).open().read() == b"june/1.wav"


def test_a_file_that_changed_since_is_noticed(store):
    ((_, path),) = listed(RemoteAddress.parse("memory://house/june/1.wav"))
    file = RemoteFile(path)
    file.check_unchanged()
    store.pipe_file("/house/june/1.wav", b"another")
    with pytest.raises(UnsupportedFormat, match="changed since it was listed"):
        file.check_unchanged()


def test_what_is_not_there_is_listed_with_the_reason(store):
    ((_, path),) = listed(RemoteAddress.parse("memory://house/absent.wav"))
    assert path.stamp is None
    with pytest.raises(UnsupportedFormat, match=r"memory://house/absent\.wav: there is no such file"):
        RemoteFile(path).check()


def test_a_folder_without_recordings_is_an_error(store):
    store.pipe_file("/empty/notes.txt", b"")
    with pytest.raises(UnsupportedFormat, match="holds no recording"):
        listed(RemoteAddress.parse("memory://empty/"))


def test_names_that_would_lead_out_of_the_folder_are_left_out(store, caplog):
    caplog.set_level(logging.WARNING)
    for name in ("/house/../out.wav", "/house/june/../../out.wav", "/house//double.wav"):
        store.store[name] = store.store["/house/b.wav"]
    assert "../out.wav" not in " ".join(ways("memory://house"))
    assert "3 left out whose names would lead out of a folder" in caplog.text


@pytest.mark.parametrize("way", ["../a", "a/../b", "/a", "a//b", ".", "a/./b", "a\0b", ""])
def test_a_way_out_is_known(way):
    assert not is_safe(way)


def test_a_folder_of_a_web_server_is_refused():
    with pytest.raises(UnsupportedFormat, match="is a folder of a web server; name the recordings in it"):
        listed(RemoteAddress.parse("https://host.invalid/folder/"))


def test_a_missing_package_is_named():
    with pytest.raises(DetectorError, match=r"needs the package \w+: pip install (ossfs|'sound)"):
        listed(RemoteAddress.parse("oss://bucket/folder/"))


def test_a_server_that_does_not_answer_is_asked_for_one_of_its_recordings_alone():
    silent = {"https://host.invalid": "no answer"}
    ((name, path),) = listed(RemoteAddress.parse("https://host.invalid/a.wav"), silent)
    assert (name, path.fault, path.is_unreachable) == ("a.wav", "no answer", True)
    with pytest.raises(PlaceUnreachable, match="no answer"):
        RemoteFile(path).check()
