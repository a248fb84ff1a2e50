"""Shares, servers and folders of results that go away: one line, and the others are left for the next run."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from detector.analysis.recording_files import RecordingFile, find_recordings
from detector.analysis.resume import STAMP
from detector.analysis.session import Session
from detector.analysis.summary import Summary
from detector.analysis.task import Done, Wanted
from detector.analysis.vanished import Vanished
from detector.errors import SinkError, UnsupportedFormat
from detector.remote.range_reader import PlaceUnreachable, Retryable, Stamp
from detector.remote.remote_address import RemoteAddress
from detector.remote.remote_file import RemotePath
from detector.workers.worker import Failed

GONE = Failed("cannot read it", error=UnsupportedFormat)
NO_ANSWER = Failed("no answer", error=PlaceUnreachable)


@pytest.fixture
def share(tmp_path):
    """Two folders of recordings, of which `share/june` may go away."""
    for name in ("share/june/1", "share/june/2", "share/june/deep/3", "share/july/4"):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
    return tmp_path / "share"


def test_a_recording_that_fails_beside_others_is_no_place(share):
    recordings = find_recordings([share])
    vanished = Vanished(recordings)
    recordings[0].path.unlink()
    assert vanished.explain(recordings[0], GONE) == ""
    assert not any(map(vanished.holds, recordings))


def test_a_folder_that_is_gone_takes_its_recordings_with_it(share):
    recordings = find_recordings([share])
    by_name = {one.name: one for one in recordings}
    vanished = Vanished(recordings)
    vanished.note(by_name["june/1"])
    shutil.rmtree(share / "june")
    line = vanished.explain(by_name["june/deep/3"], GONE)
    assert line.startswith(f"{share}/june went away (cannot read it): 2 recordings are left there")
    assert [name for name, one in by_name.items() if vanished.holds(one)] == [
        "june/1",
        "june/2",
        "june/deep/3",
    ]


def test_an_empty_folder_in_its_place_is_another_folder(share):
    """So it is where a share is unmounted."""
    recordings = find_recordings([share])
    vanished = Vanished(recordings)
    share.rename(share.with_name("elsewhere"))
    share.mkdir()
    assert vanished.explain(recordings[0], GONE).startswith(f"{share} went away")
    assert all(map(vanished.holds, recordings))


def elsewhere(*urls):
    return [
        RecordingFile(RemotePath(RemoteAddress(url), Stamp(4)), url.rpartition("/")[2], 4) for url in urls
    ]


@pytest.mark.parametrize(
    ("answer", "is_gone"),
    [
        (None, False),
        (UnsupportedFormat("404"), False),
        (Retryable("refused"), True),
        (PlaceUnreachable("403"), True),
    ],
)
def test_a_server_is_gone_if_another_recording_cannot_be_asked_for_either(answer, is_gone):
    recordings = elsewhere("https://host/a.wav", "https://host/b.wav", "https://other/c.wav")
    asked = []

    def ask(path):
        asked.append(str(path))
        if answer is not None:
            raise answer

    vanished = Vanished(recordings, ask=ask)
    line = vanished.explain(recordings[0], NO_ANSWER)
    assert asked == ["https://host/b.wav"]
    assert line.startswith("https://host went away (no answer): 2 recordings are left") == is_gone
    assert [vanished.holds(one) for one in recordings] == [is_gone, is_gone, False]


def test_a_file_that_its_server_does_not_have_is_no_place():
    recordings = elsewhere("https://host/a.wav", "https://host/b.wav")
    vanished = Vanished(recordings, ask=lambda path: pytest.fail("nobody need be asked"))
    assert vanished.explain(recordings[0], GONE) == ""
    assert Vanished(recordings[:1]).explain(recordings[0], NO_ANSWER) == ""


def test_a_server_that_did_not_answer_when_it_was_listed_is_not_asked_again():
    path = RemotePath(RemoteAddress("https://host/a.wav"), fault="no answer", is_unreachable=True)
    recordings = [RecordingFile(path, "a"), *elsewhere("https://host/b.wav")]
    vanished = Vanished(recordings, ask=lambda path: pytest.fail("nobody need be asked"))
    assert vanished.explain(recordings[0], NO_ANSWER).startswith("https://host went away (no answer): 2 rec")


def losing(folder: Path, at: str):
    """Work in whose middle a folder goes away, at the recording of this name."""

    def work(task, tell):
        if task.recording.name == at and folder.exists():
            folder.rename(folder.with_name("lost"))
        if not Path(task.folder).exists():
            raise SinkError(f"cannot write to {task.folder}: gone")
        if not task.recording.path.exists():
            raise UnsupportedFormat(f"cannot read {task.recording.path}: gone")
        Path(task.folder, f"{task.recording.name}.csv").write_text("")
        return Done(Summary(heard_seconds=1.0, recordings=1), (f"{task.recording.name}.csv",))

    return work


@pytest.fixture
def many(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(100):
        (tmp_path / "in" / f"{number:02d}.wav").write_bytes(b"RIFF")
    return tmp_path


def session(many, place):
    make = partial(losing, many / place, "03")
    return Session(find_recordings([many / "in"]), Wanted(("csv",)), make, 1, {}, quiet=True)


@pytest.mark.slow
def test_a_share_of_recordings_that_goes_away_is_said_once_and_the_next_run_goes_on(many, capsys):
    assert session(many, "in").into_folder(many / "out", overwrite=False) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"sound-detector: {many}/in went away (cannot read {many}/in/03.wav: gone): 97 rec"
    )
    (many / "lost").rename(many / "in")
    assert session(many, "nowhere").into_folder(many / "out", overwrite=False) == 0
    assert len(list((many / "out").glob("*.csv"))) == 101  # the summary is one of them


@pytest.mark.slow
def test_on_standard_output_too(many, capfd):
    assert session(many, "in").to_stdout() == 1
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_a_share_of_results_that_goes_away_is_said_once_and_the_next_run_goes_on(many):
    with pytest.raises(
        SinkError, match=r"out, went away; what was done before is kept, and the same command"
    ):
        session(many, "out").into_folder(many / "out", overwrite=False)
    assert not (many / "out").exists()
    (many / "lost").rename(many / "out")
    assert session(many, "nowhere").into_folder(many / "out", overwrite=False) == 0
    assert len(list((many / "out").glob("*.csv"))) == 101


@pytest.mark.slow
def test_results_are_not_kept_in_what_lies_where_their_share_was(many):
    recordings = find_recordings([many / "in"])
    run = Session(recordings, Wanted(("csv",)), partial(unstamping, many / "out" / STAMP), 1, {}, quiet=True)
    with pytest.raises(SinkError, match="went away"):
        run.into_folder(many / "out", overwrite=False)


def unstamping(stamp: Path):
    """Work after which the folder of results is another one."""

    def work(task, tell):
        stamp.unlink()
        return Done(Summary(heard_seconds=1.0, recordings=1), ())

    return work


def refusing_to_write():
    """Work whose results find no room, as on a full disk."""

    def work(task, tell):
        raise SinkError("cannot write to out: No space left on device")

    return work


@pytest.mark.slow
def test_a_full_disk_is_said_a_few_times_at_most(many, capsys):
    run = Session(find_recordings([many / "in"]), Wanted(("csv",)), refusing_to_write, 1, {}, quiet=True)
    with pytest.raises(
        SinkError, match="No space left on device, 3 times in a row; what was done before is kept"
    ):
        run.into_folder(many / "out", overwrite=False)
    assert len(capsys.readouterr().err.splitlines()) == 2
