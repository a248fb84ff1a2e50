"""Datasets: what each layout says, and folds that leak."""

from __future__ import annotations

import os

import pytest

from detector.datasets.labelled_clips import read_dataset
from detector.errors import DatasetError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_esc50_layout(tmp_path):
    touch(tmp_path, "audio/1-100-A-0.wav", "audio/2-200-A-14.wav")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-100-A-0.wav,1,0,dog,True,100,A\n2-200-A-14.wav,2,14,chirping_birds,False,200,A\n"
    )
    dataset = read_dataset(tmp_path)
    assert (dataset.layout, dataset.classes, dataset.folds) == (
        "esc50",
        ["chirping_birds", "dog"],
        ["1", "2"],
    )
    assert [clip.source for clip in dataset.clips] == ["100", "200"]


def urbansound(tmp_path, folds=("1", "2")):
    touch(tmp_path, "audio/fold1/7-3-0-2.ogg", "audio/fold2/9-3-0-0.ogg")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "UrbanSound8K.csv").write_text(
        "slice_file_name,fsID,fold,class\n7-3-0-2.wav,7,1,dog_bark\n9-3-0-0.wav,9,2,siren\n1-1-0-0.wav,1,3,siren\n"
    )


def test_urbansound8k_layout_takes_the_folds_that_are_there_in_any_encoding(tmp_path):
    urbansound(tmp_path)
    dataset = read_dataset(tmp_path)
    assert [clip.path.name for clip in dataset.clips] == ["7-3-0-2.ogg", "9-3-0-0.ogg"]


def test_a_clip_of_the_table_that_is_missing_is_named(tmp_path):
    urbansound(tmp_path)
    (tmp_path / "audio/fold2/9-3-0-0.ogg").unlink()
    with pytest.raises(DatasetError, match=r"1 clips .* missing, first .*9-3-0-0\.wav"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "\x1b[2J.wav"])
def test_a_table_with_a_name_that_no_file_can_have_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text(f"filename,fold,category\n{name},1,dog\n")
    with pytest.raises(DatasetError, match=r"1 clips .* missing, first") as error:
        read_dataset(tmp_path)
    assert str(error.value).isprintable()


def test_an_empty_table_and_a_fold_that_cannot_be_are_refused(tmp_path):
    urbansound(tmp_path)
    table = tmp_path / "metadata" / "UrbanSound8K.csv"
    table.write_text(f"slice_file_name,fsID,fold,class\na.wav,1,{'9' * 300},siren\n")
    with pytest.raises(DatasetError, match="no clip found"):
        read_dataset(tmp_path)
    table.write_text("")
    with pytest.raises(DatasetError, match=r"expected the columns slice_file_name.* is missing"):
        read_dataset(tmp_path)


def test_esc10_names_hold_folds_and_sources(tmp_path):
    touch(tmp_path, "001 - Dog bark/1-100-A.ogg", "001 - Dog bark/2-200-B.ogg", "002 - Rain/1-300-A.ogg")
    dataset = read_dataset(tmp_path)
    assert dataset.classes == ["Dog bark", "Rain"]
    assert [(clip.fold, clip.source) for clip in dataset.clips] == [("1", "100"), ("2", "200"), ("1", "300")]


def test_plain_folders_have_no_folds_and_may_share_file_names(tmp_path):
    touch(tmp_path, "bell/1.wav", "door/1.wav", "door/notes.txt")
    dataset = read_dataset(tmp_path)
    assert (dataset.folds, len(dataset.clips)) == ([], 2)


def test_the_same_source_in_two_folds_is_refused(tmp_path):
    touch(tmp_path, "Dog/1-100-A.ogg", "Dog/2-100-B.ogg")
    with pytest.raises(DatasetError, match=r"folds leak: 1-100-A\.ogg in fold 1 and 2-100-B\.ogg in fold 2"):
        read_dataset(tmp_path)


def test_what_is_no_dataset_is_told(tmp_path):
    with pytest.raises(DatasetError, match="no clip found"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match="does not exist; expected a folder of clips"):
        read_dataset(tmp_path / "absent")
    with pytest.raises(DatasetError, match=r"cannot read .*esc50\.csv"):
        read_dataset(tmp_path, "esc50")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text("filename,fold\n")
    with pytest.raises(DatasetError, match="category is missing"):
        read_dataset(tmp_path)


def test_clips_that_record_cut_from_one_stretch_are_of_one_source(tmp_path):
    touch(
        tmp_path,
        *("bell/bell-20260801T101530Z-01.flac", "bell/bell-20260801T101530Z-02.flac"),
        *("room/room-20260801T101530Z-01-01.flac", "room/room-20260801T101530Z-01-02.flac"),
        *("room/room-20260801T101530Z-02-01.flac", "room/room-20260802T080000Z-01-01.flac"),
    )
    assert [clip.source for clip in read_dataset(tmp_path).clips] == [
        *("bell/bell-20260801T101530Z-01", "bell/bell-20260801T101530Z-02"),
        *("room/room-20260801T101530Z-01", "room/room-20260801T101530Z-01"),
        *("room/room-20260801T101530Z-02", "room/room-20260802T080000Z-01"),
    ]


def test_litter_of_a_mac_and_of_the_trash_is_no_class(tmp_path):
    touch(tmp_path, "Dog/1.wav", "Dog/._1.wav", "__MACOSX/Dog/1.wav", ".Trash-1000/files/2.wav")
    dataset = read_dataset(tmp_path)
    assert [clip.path.relative_to(tmp_path).as_posix() for clip in dataset.clips] == ["Dog/1.wav"]


def test_clips_of_a_phone_are_clips(tmp_path):
    touch(tmp_path, "Dog/1.m4a", "Dog/2.MP4", "Rain/1.wav")
    assert read_dataset(tmp_path).classes == ["Dog", "Rain"]


def test_a_folder_that_gives_no_clip_is_named(tmp_path, caplog):
    touch(tmp_path, "Dog/1.txt", "Rain/1.wav")
    assert read_dataset(tmp_path).classes == ["Rain"]
    assert "Dog: no class, since it holds no recording" in caplog.text


def test_a_class_whose_name_is_no_text_has_escapes_in_it(tmp_path):
    touch(tmp_path, os.fsdecode(b"caf\xe9/1.wav"), "dog/1.wav")
    assert read_dataset(tmp_path).classes == [r"caf\udce9", "dog"]
