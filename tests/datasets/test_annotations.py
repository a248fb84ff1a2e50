"""Annotations: what is checked, merged, read and written."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.datasets.annotation_files import (
    audacity_text,
    csv_text,
    find_annotations,
    jams_text,
    read_annotations,
)
from detector.datasets.annotations import Annotation, check_length, merged
from detector.datasets.truths import find_sound_files, read_truths
from detector.errors import AnnotationError, DatasetError

TRUTH = [Annotation(0.5, 1.25, "Dog"), Annotation(2.0, 4.0, "Baby cry, infant cry")]


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", audacity_text(TRUTH)),
        ("a.csv", csv_text(TRUTH)),
        ("a.jams", jams_text(TRUTH, seconds=5.0, sandbox={})),
        ("a.tsv", "filename\tonset\toffset\tevent_label\na\t2\t4\tBaby cry, infant cry\na\t.5\t1.25\tDog\n"),
    ],
)
def test_what_is_written_is_read(tmp_path, name, text):
    assert read_annotations(written(tmp_path, name, text)) == TRUTH


def test_rttm_has_durations(tmp_path):
    path = written(tmp_path, "a.rttm", "SPEAKER a 1 0.50 0.75 <NA> <NA> Dog <NA> <NA>\n")
    assert read_annotations(path) == TRUTH[:1]


def test_lines_of_frequencies_belong_to_the_label_above(tmp_path):
    path = written(tmp_path, "a.txt", "0.5\t1.25\tDog\n\\\t100.0\t8000.0\n")
    assert read_annotations(path) == TRUTH[:1]


def test_scaper_files_give_the_foreground_alone(tmp_path):
    rows = [
        {"time": 0.0, "duration": 5.0, "value": {"label": "park", "role": "background"}, "confidence": 1},
        {"time": 0.5, "duration": 0.75, "value": {"label": "Dog", "role": "foreground"}, "confidence": 1},
    ]
    text = json.dumps({"annotations": [{"namespace": "scaper", "data": rows}]})
    assert read_annotations(written(tmp_path, "a.jams", text)) == TRUTH[:1]


@pytest.mark.parametrize("suffix", ["txt", "csv", "tsv", "jams", "rttm"])
def test_an_empty_file_says_that_nothing_sounds(tmp_path, suffix):
    assert read_annotations(written(tmp_path, f"a.{suffix}", "")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'onset,offset,label\n0.5,1.25,Dog\n,,\n\n2,4,"Baby cry, infant cry"\n'),
        (
            "a.rttm",
            "SPKR-INFO a 1 <NA> <NA> <NA> unknown Dog <NA> <NA>\n"
            "SPEAKER a 1 0.5 0.75 <NA> <NA> Dog <NA> <NA>\n"
            "SPEAKER a 1 2 2 <NA> <NA> Cry <NA> <NA>\n",
        ),
        (
            "a.txt",
            "Selection\tView\tBegin Time (s)\tEnd Time (s)\tAnnotation\n"
            "1\tS\t0.5\t1.25\tDog\n2\tS\t2\t4\tCry\n",
        ),
    ],
    ids=["blank rows", "other types", "raven"],
)
def test_files_are_read_as_other_programs_write_them(tmp_path, name, text):
    times = [(sound.onset, sound.offset) for sound in read_annotations(written(tmp_path, name, text))]
    assert times == [(0.5, 1.25), (2, 4)]


def test_two_recordings_of_one_name_are_not_judged_by_one_file(tmp_path):
    written(tmp_path, "night.txt", "")
    recordings = [tmp_path / "site1" / "night.wav", tmp_path / "site2" / "night.wav"]
    with pytest.raises(AnnotationError, match=r"night\.txt would annotate both .*site1.* and .*site2"):
        read_truths(recordings, tmp_path)
    for number in (1, 2):
        (tmp_path / f"site{number}").mkdir()
        written(tmp_path / f"site{number}", "night.txt", f"{number}\t9\tDog\n")
    assert [truth.annotations[0].onset for truth in read_truths(recordings, tmp_path)] == [1, 2]


def test_recordings_in_subfolders_are_found(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("a.wav", "deep/b.m4a", "._a.wav"):
        (tmp_path / name).touch()
    assert find_sound_files([tmp_path]) == [tmp_path / "a.wav", tmp_path / "deep" / "b.m4a"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "0.5 1.25 Dog\n", "line 1: expected onset, offset [s] and label between tabs"),
        ("a.txt", "0,5\t1,25\tDog\n", "write 1.5, not 1,5"),
        ("a.txt", "5\t1\tDog\n", "not onset and duration"),
        ("a.txt", "-1\t1\tDog\n", "expected times from 0 s on"),
        ("a.txt", "nan\t1\tDog\n", "expected times from 0 s on"),
        ("a.txt", "0\t1\t \n", "expected a label"),
        ("a.csv", "time,what\n1,Dog\n", "line 1: expected a column onset or start"),
        ("a.csv", "onset;offset;label\n1;2;Dog\n", "separated by semicolons: save it with commas"),
        ("a.csv", "onset,offset,label\n1,2,Baby cry, infant cry\n", "quote labels"),
        ("a.rttm", "SPEAKER a 1 0.5\n", "expected TYPE FILE CHANNEL ONSET DURATION"),
        ("a.jams", "[]", "expected a JAMS file"),
        ("a.jams", '{"annotations": [{"namespace": "chord", "data": []}]}', "expected an annotation whose"),
        (
            "a.jams",
            '{"annotations": [{"namespace": "tag_open", "data": [{"time": 1}]}]}',
            "row 1: expected time",
        ),
        (
            "a.jams",
            '{"annotations": [{"namespace": "tag_open", "data": {"time": [1, 2], "value": ["Dog"]}}]}',
            "columns that are lists of one length",
        ),
        ("a.jams", '{"annotations": [{"namespace": "tag_open", "data": {"time": 1}}]}', "columns that are"),
        ("a.csv", f"onset,offset,label\n1,2,{'x' * 200_000}\n", "line 2: this is no table: field larger"),
        ("a.csv", "onset,offset\x1b[m\n", r"got onset, offset\x1b[m"),
        ("a.doc", "", "expected one of .txt"),
    ],
)
def test_faults_are_named_with_their_place(tmp_path, name, text, told):
    with pytest.raises(AnnotationError) as error:
        read_annotations(written(tmp_path, name, text))
    assert told in str(error.value)
    assert str(error.value).isprintable()


def test_samples_instead_of_seconds_are_recognised():
    with pytest.raises(AnnotationError, match=r"did you supply seconds\? As samples at 44100 Hz .* 4.00 s"):
        check_length([Annotation(88200, 176400, "Dog")], 4.5, "a.txt")


def test_what_encoders_pad_is_forgiven():
    check_length([Annotation(0, 10.9, "Dog")], 10.0, "a.txt")


def test_a_pipe_is_no_recording_and_no_truth(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(DatasetError, match=r"a\.wav is not a regular file"):
        find_sound_files([tmp_path / "a.wav"])
    with pytest.raises(AnnotationError, match=r"a\.wav is not a regular file"):
        read_truths([], tmp_path / "a.wav")


def test_a_recording_has_one_annotation(tmp_path):
    written(tmp_path, "a.txt", "")
    assert find_annotations(tmp_path, "a").name == "a.txt"
    written(tmp_path, "a.csv", "")
    with pytest.raises(AnnotationError, match=r"a\.txt and a\.csv"):
        find_annotations(tmp_path, "a")
    with pytest.raises(AnnotationError, match="means that it holds no sound"):
        find_annotations(tmp_path, "b")


TABLE = """filename\tonset\toffset\tevent_label
audio/b.wav\t2\t4\tBaby cry, infant cry
b.wav\t0.5\t1.25\tDog
a\t\t\t
c.flac
elsewhere.wav\t1\t2\tDog
"""


def test_one_table_annotates_many_recordings(tmp_path):
    table = written(tmp_path, "all.tsv", TABLE)
    truths = read_truths([Path("a.ogg"), Path("x/b.flac"), Path("c.wav")], table)
    assert [list(truth.annotations) for truth in truths] == [[], TRUTH, []]
    assert {truth.annotated_in for truth in truths} == {table}


def test_a_table_may_be_about_one_recording_without_naming_it(tmp_path):
    table = written(tmp_path, "all.csv", csv_text(TRUTH))
    assert [list(truth.annotations) for truth in read_truths([Path("a.wav")], table)] == [TRUTH]
    with pytest.raises(AnnotationError, match=r"annotates one recording, got 2; .* with a column filename"):
        read_truths([Path("a.wav"), Path("b.wav")], table)


@pytest.mark.parametrize(
    ("recordings", "more", "told"),
    [
        (["d.wav"], "", r"no row names d\.wav; .* means that it holds no sound"),
        (["x/a.wav", "y/a.flac"], "", r"x/a\.wav and y/a\.flac have the same name"),
        (["a.wav"], "a\t1\n", "line 7: expected 4 columns, got 2"),
        (["a.wav"], "a\t1\t\tDog\n", "line 7: expected a time in seconds, got ''"),
        (["a.wav"], "\t1\t2\tDog\n", "line 7: expected the name of a recording"),
        (["a.wav"], f"a\t1\t2\t{'x' * 200_000}\n", "line 7: this is no table: field larger"),
    ],
)
def test_faults_of_a_table_are_named_with_their_place(tmp_path, recordings, more, told):
    table = written(tmp_path, "all.tsv", TABLE + more)
    with pytest.raises(AnnotationError, match=told):
        read_truths([Path(name) for name in recordings], table)


SOUNDS = st.builds(
    lambda onset, length, label: Annotation(onset, onset + length, label),
    st.integers(0, 40),
    st.integers(0, 9),
    st.sampled_from("ab"),
)


@given(st.lists(SOUNDS, max_size=12))
def test_merged_sounds_of_a_label_never_touch_and_cover_the_same(sounds):
    result = merged(sounds)
    for label in "ab":
        own = [sound for sound in result if sound.label == label]
        assert all(first.offset < second.onset for first, second in itertools.pairwise(own))
        assert {t for s in own for t in range(int(s.onset * 2), int(s.offset * 2) + 1)} >= {
            t for s in sounds if s.label == label for t in range(int(s.onset * 2), int(s.offset * 2) + 1)
        }
    assert merged(result) == result
