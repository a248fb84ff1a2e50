"""Recordings that lie elsewhere: what their results are called, and when they are done."""

import json
import pickle

import pytest

from detector.analysis.analyzer import opened_place
from detector.analysis.page import address_from
from detector.analysis.recording_files import RecordingFile, find_recordings
from detector.analysis.resume import Folder
from detector.analysis.summary import Summary
from detector.analysis.task import Done, Wanted
from detector.errors import ConfigError
from detector.remote.range_reader import Stamp
from detector.remote.remote_address import RemoteAddress
from detector.remote.remote_file import RemoteFile, RemotePath
from tests.support.elsewhere import HeldBytes, range_server

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store():
    """fsspec's store in memory; its first folder is what a bucket is elsewhere."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name in ("/box/2025/1.wav", "/box/2026/1.wav", "/box/2026/june/2.flac"):
        system.pipe_file(name, b"RIFF")
    yield system
    system.store.clear()


@pytest.fixture(scope="module")
def server():
    with range_server() as running:
        running.files |= {"/a.wav": b"RIFF", "/x/b c.wav": b"RIFF", "/1.wav": b"RIFF"}
        yield running


def names(*places):
    return [recording.name for recording in find_recordings(places)]


def test_results_are_called_by_the_way_below_the_folder(store):
    assert names("memory://box/2026/") == ["1", "june/2"]
    assert names("memory://box") == ["2025/1", "2026/1", "2026/june/2"]
    assert names("memory://box/2026/june/2.flac") == ["2"]


def test_files_of_one_name_in_two_folders_stay_apart(store):
    assert names("memory://box/2025/", "memory://box/2026/") == ["2025/1", "2026/1", "2026/june/2"]


def test_of_several_places_the_names_begin_with_the_host(store, server, tmp_path):
    (tmp_path / "1.wav").write_bytes(b"RIFF")
    host = server.url.partition("://")[2].replace(":", "_")
    assert names(f"{server.url}/a.wav", "memory://box/2026") == [f"{host}/a", "box/1", "box/june/2"]
    assert names(f"{server.url}/1.wav", tmp_path) == ["1", f"{host}/1"]


def test_web_addresses_of_one_host(server):
    assert names(f"{server.url}/a.wav") == ["a"]
    assert names(f"{server.url}/x/b%20c.wav", f"{server.url}/a.wav", f"{server.url}/a.wav") == ["x/b c", "a"]


def test_addresses_that_differ_behind_the_question_mark_alone_are_refused(server):
    with pytest.raises(ConfigError, match=r"^a\.wav: the results of several recordings would have this name"):
        names(f"{server.url}/a.wav?sig=1", f"{server.url}/a.wav?sig=2")


def test_a_way_that_leads_out_is_refused(server):
    with pytest.raises(ConfigError, match="leads out of a folder"):
        names(f"{server.url}/x/../../a.wav", f"{server.url}/x/b%20c.wav")


def test_size_time_and_version_say_whether_it_is_done(store, server, tmp_path):
    (recording,) = find_recordings([f"{server.url}/a.wav?sig=secret"])
    assert (recording.size, recording.version) == (4, '"1"')
    wanted = Wanted(("csv",))
    folder = Folder(tmp_path / "out", {"program": "test"})
    folder.prepare(overwrite=False)
    (tmp_path / "out" / "a.csv").touch()
    folder.keep(recording, Done(Summary(), ("a.csv",)))
    assert folder.done(recording, wanted) is not None
    fields = json.loads((tmp_path / "out" / "a.summary.json").read_text())
    assert fields["version"] == '"1"'
    assert "secret" not in json.dumps(fields)
    for changed in ({"size": 5}, {"modified": 1}, {"version": '"2"'}):
        other = RecordingFile(
            **{
                "path": recording.path,
                "name": "a",
                "size": recording.size,
                "modified": recording.modified,
                "version": recording.version,
                **changed,
            }
        )
        assert folder.done(other, wanted) is None


def test_a_task_takes_the_address_to_another_process(store):
    (recording,) = find_recordings(["memory://box/2025/1.wav"])
    there = pickle.loads(pickle.dumps(recording))  # noqa: S301
    with opened_place(there.path) as place:
        assert place.open().read() == b"RIFF"


def test_a_page_links_a_web_address_without_secrets_alone(tmp_path):
    def link(url):
        return address_from(tmp_path / "a.html", RemotePath(RemoteAddress.parse(url)))

    assert link("https://host/a b.wav") == "https://host/a%20b.wav"
    secret = ["https://me:pw@host/a.wav", "https://host/a.wav?sig=1", "s3://bucket/a.wav"]
    assert [link(url) for url in secret] == ["", "", ""]


def test_a_copy_for_ffmpeg_is_gone_afterwards():
    reader = HeldBytes(b"a film")
    path = RemotePath(RemoteAddress("memory://held/film.mp4"), reader.stamp())
    file = RemoteFile(path, reader=reader)
    copy = file.local_copy()
    assert (copy.read_bytes(), copy.suffix) == (b"a film", ".mp4")
    assert file.local_copy() == copy
    file.close()
    assert not copy.exists()


def test_what_is_too_large_to_be_copied_is_refused():
    path = RemotePath(RemoteAddress("memory://held/film.mp4"), Stamp(3_000_000_000))
    with pytest.raises(Exception, match=r"copied first, which is done up to 2 GB, and this has 3\.0"):
        RemoteFile(path, reader=HeldBytes(b"")).local_copy()
