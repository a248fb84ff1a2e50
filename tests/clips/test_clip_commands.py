"""`clips list`, `lock`, `unlock`, `delete`, `export`, `play` on clips that were written."""

import json

import numpy as np
import pytest

from detector.clips import clip_player, command
from detector.clips.clip_record import ClipSound
from detector.datasets.labelled_clips import read_dataset
from detector.errors import ClipError, SourceError
from tests.support.clip_examples import RATE, make_request, make_writer

soundfile = pytest.importorskip("soundfile")


@pytest.fixture
def folder(tmp_path):
    writer = make_writer(tmp_path / "clips")
    for number, label in enumerate(("Dog", "Siren", "Dog"), 1):
        request = make_request(number, label=label)
        if number == 3:  # a second sound in the same clip
            cat = ClipSound("20260801T140000Z-ab12-9", "Cat", "/cat", "fake", 0.5, 1.5, None)
            object.__setattr__(request.facts, "sounds", (*request.facts.sounds, cat))
        writer.save(request)
    return tmp_path / "clips"


def test_a_list_has_a_line_for_each_clip(folder, capsys):
    command.list_clips(folder)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[2].endswith("20260801T140303Z_dog_ab12-3  Dog, Cat")
    assert lines[3].startswith("3 clips, ")
    command.list_clips(folder, labels=["cat"], as_json=True)
    (values,) = json.loads(capsys.readouterr().out)
    assert (values["labels"], values["locked"]) == (["Dog", "Cat"], False)


def test_a_clip_is_locked_unlocked_and_deleted(folder, capsys):
    command.lock_clips(folder, ["last"], locked=True)
    command.list_clips(folder)
    assert capsys.readouterr().out.count("  locked  ") == 1
    command.lock_clips(folder, ["last"], locked=False)
    command.delete_clips(folder, ["ab12-1", "last"])
    assert [path.suffix for path in sorted(folder.rglob("*.*"))] == [".flac", ".json"]


def test_one_wrong_name_deletes_nothing(folder):
    with pytest.raises(ClipError, match="no clip is called 'horse'"):
        command.delete_clips(folder, ["last", "horse"])
    assert len(list(folder.rglob("*.flac"))) == 3


def test_no_clip_is_one_line(tmp_path):
    assert command.list_clips(tmp_path / "none") == 0
    with pytest.raises(ClipError, match="there is no clip in"):
        command.play_clips(tmp_path / "none", ["last"])


def test_an_export_cuts_the_sounds_into_a_dataset(folder, tmp_path, capsys):
    command.export_clips(folder, tmp_path / "sounds", [])
    dataset = read_dataset(tmp_path / "sounds")
    assert dataset.classes == ["Cat", "Dog", "Siren"]
    whole, rate = soundfile.read(folder / "2026-08-01" / "20260801T140303Z_dog_ab12-3.flac", dtype="int16")
    (cat,) = [clip for clip in dataset.clips if clip.label == "Cat"]
    samples, _ = soundfile.read(cat.path, dtype="int16")
    assert rate == RATE
    assert np.array_equal(samples, whole[round(1.4 * rate) :])  # to the end of the clip, since it goes on
    command.export_clips(folder, tmp_path / "sounds", [], labels=["Dog"])
    assert "0 sounds written" in capsys.readouterr().out.splitlines()[-1]


def test_sounds_of_one_clip_stay_in_one_fold(folder, tmp_path):
    command.export_clips(folder, tmp_path / "sounds", ["ab12-3"])
    names = {
        clip.source.rpartition("/")[2].partition("-")[2] for clip in read_dataset(tmp_path / "sounds").clips
    }
    assert names == {"ab12-3-20260801T140303Z-1"}


def test_without_any_player_it_is_one_line(folder, monkeypatch):
    def no_audio():
        raise SourceError("no sound system")

    monkeypatch.setattr(clip_player, "open_audio", no_audio)
    monkeypatch.setattr(clip_player.shutil, "which", lambda name: None)
    with pytest.raises(ClipError, match="nothing here plays sound: no output device"):
        command.play_clips(folder, ["last"])
