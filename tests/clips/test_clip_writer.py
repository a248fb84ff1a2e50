"""One clip judged, encoded and put in place: nothing before the verdict, all or nothing after it."""

import json
import os
import resource
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_writer import ClipDropped, ClipFailed, ClipSaved
from detector.errors import ClipError, ModelError
from tests.support.clip_examples import LIMITS, make_request, make_writer


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", ["flac", "wav", "opus"])
def test_a_clip_is_there_with_its_json_and_closed_to_others(tmp_path, form):
    soundfile = pytest.importorskip("soundfile")
    request = make_request()
    outcome = make_writer(tmp_path / "clips", form=form).save(request)
    assert isinstance(outcome, ClipSaved)
    (clip,) = ClipStore(tmp_path / "clips").clips()
    assert (str(clip.path), clip.entry.size) == (outcome.path, outcome.size)
    assert clip.path.parent.name == "2026-08-01"
    assert clip.facts() == request.facts
    assert json.loads(clip.json_path.read_text())["speech_score"] == 0.0
    for path in (clip.path, clip.json_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    samples, rate = soundfile.read(outcome.path, dtype="int16")
    assert (len(samples), rate) == (len(request.samples), 16000)
    if form != "opus":
        assert np.array_equal(samples, request.samples)


@pytest.mark.parametrize("request_", [make_request(level=9000), make_request(spoken=True)])
def test_speech_leaves_no_trace(tmp_path, request_):
    assert make_writer(tmp_path).save(request_) == ClipDropped("speech")
    assert files_below(tmp_path) == []


def test_speech_is_kept_where_that_is_wanted(tmp_path):
    outcome = make_writer(tmp_path, judge=None).save(make_request(level=9000, spoken=True))
    assert isinstance(outcome, ClipSaved)


def broken():
    raise ModelError("model yamnet is not on this machine; run: sound-detector models pull yamnet")


def buggy():
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("judge", [broken, buggy])
def test_what_cannot_be_judged_is_not_written(tmp_path, judge):
    outcome = make_writer(tmp_path, judge=judge).save(make_request())
    assert outcome.reason == "unjudged"
    assert outcome.detail.startswith("no clip is kept, since none can be judged (")
    assert make_writer(tmp_path, judge=judge).sweep().fault == outcome.detail
    assert files_below(tmp_path) == []


def test_a_judge_that_fails_in_the_middle_drops_the_clip(tmp_path):
    writer = make_writer(tmp_path)
    writer.sweep()
    writer._judge._classifier.scores = lambda window: 1 / 0
    assert writer.save(make_request()).reason == "unjudged"
    assert files_below(tmp_path) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    writer = make_writer(tmp_path, form="wav")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        outcome = writer.save(make_request())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(outcome, ClipFailed)
    assert "cannot be written" in outcome.reason
    assert "\n" not in outcome.reason
    assert files_below(tmp_path) == []
    assert isinstance(writer.save(make_request()), ClipSaved)


def test_too_little_room_deletes_old_clips_and_then_refuses(tmp_path):
    writer = make_writer(tmp_path)
    for number in range(4):
        writer.save(make_request(number))
    writer.limits = replace(LIMITS, min_free_bytes=10**18)
    outcome = writer.save(make_request(5))
    assert "no clip is kept: less than" in outcome.reason
    assert len(writer.store.clips()) == 1  # of its label, the newest stays


def test_a_folder_that_vanished_is_made_again(tmp_path):
    writer = make_writer(tmp_path / "clips")
    assert isinstance(writer.save(make_request(1)), ClipSaved)
    (tmp_path / "clips").rename(tmp_path / "away")
    assert isinstance(writer.save(make_request(2)), ClipSaved)


def test_a_folder_that_others_may_write_to_is_refused(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    folder.chmod(0o777)
    outcome = make_writer(folder).save(make_request())
    assert f"others may write to {folder}" in outcome.reason
    assert make_writer(folder).sweep().fault == outcome.reason
    assert files_below(folder) == []


def test_a_link_of_somebody_else_is_not_followed(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's link")
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "clips"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    os.lchown(link, 12345, 12345)
    outcome = make_writer(link).save(make_request())
    assert f"others may write to {link}, or it is theirs" in outcome.reason
    assert files_below(elsewhere) == []


def test_ones_own_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "clips").symlink_to(tmp_path / "elsewhere")
    assert isinstance(make_writer(tmp_path / "clips").save(make_request()), ClipSaved)


def test_nothing_is_written_through_a_link_in_the_folder(tmp_path):
    request, victim = make_request(), tmp_path / "victim"
    victim.write_text("mine")
    day = tmp_path / "clips" / "2026-08-01"
    day.mkdir(parents=True)
    for name in (".flac", ".flac.part", ".json", ".json.part"):
        (day / (request.facts.id + name)).symlink_to(victim)
    assert isinstance(make_writer(tmp_path / "clips").save(request), ClipSaved)
    assert victim.read_text() == "mine"
    assert not (day / (request.facts.id + ".flac")).is_symlink()


def test_without_rights_it_is_one_line():
    outcome = make_writer(Path("/proc/clips")).save(make_request())  # where not even root may
    assert isinstance(outcome, ClipFailed)
    assert "\n" not in outcome.reason


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "clips").write_text("")
    assert "cannot be made" in make_writer(tmp_path / "clips").save(make_request()).reason


def test_old_clips_are_deleted_and_counted_and_locked_ones_stay(tmp_path):
    writer = make_writer(tmp_path)
    for number in range(5):
        writer.save(make_request(number))
    store = writer.store
    store.lock(store.clips()[0])
    writer.limits = replace(LIMITS, keep_seconds=1.0)
    swept = writer.sweep()
    assert (swept.deleted, swept.clips, swept.detail) == (3, 2, "because_of_age=3")
    assert [clip.entry.id[-1] for clip in store.clips()] == ["0", "4"]
    store.unlock(store.clips()[0])
    assert writer.sweep().deleted == 1


def test_what_a_killed_writer_left_is_removed_and_other_files_are_not(tmp_path):
    day = tmp_path / "2026-08-01"
    day.mkdir()
    name = make_request().facts.id
    for left in (f"{name}.flac.part", f"{name}.json", "notes.txt", "mine.part"):
        (day / left).write_text("")
        os.utime(day / left, (0, 0))
    make_writer(tmp_path).sweep()
    assert files_below(tmp_path) == ["mine.part", "notes.txt"]


def test_clips_are_found_by_a_part_of_their_name(tmp_path):
    writer = make_writer(tmp_path)
    for number in (1, 2):
        writer.save(make_request(number))
    first, second = writer.store.clips()
    assert writer.store.find("last") == second
    assert writer.store.find("ab12-1") == first
    assert writer.store.find(str(first.path)) == first
    for name, told in (("ab12", "2 clips are called"), ("cat", "no clip is called")):
        with pytest.raises(ClipError, match=told):
            writer.store.find(name)


def test_a_damaged_json_costs_only_what_it_said(tmp_path):
    writer = make_writer(tmp_path)
    writer.save(make_request())
    (clip,) = writer.store.clips()
    for text in ("{", "[]", '{"sounds": [{"id": 5, "end": "x"}, 7], "duration": 1e999}', "[" * 5000):
        clip.json_path.write_text(text)
        assert clip.facts().id in (clip.entry.id, "")
