"""One recording, through a pipeline that tells a script, to its files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import soundfile

from detector.analysis.analyzer import TELL_SECONDS, Analyzer
from detector.analysis.recording_files import find_recordings
from detector.analysis.resume import Folder
from detector.analysis.task import Task, Wanted
from detector.errors import ConfigError, SinkError, UnsupportedFormat
from detector.records import Scores, Span
from tests.support.analysis_events import make_event
from tests.support.fakes import make_label, make_spec

RATE = 16000
NAME = "20261120_143000.wav"


class ScriptedPipeline:
    """Tells a bark from 1 s to 2 s, and scores a window when it ends, where scores are kept."""

    def __init__(self, keep=None):
        self._keep = keep
        self._stop = 0

    def push(self, block):
        self._stop = block.stop
        if block.start == 2 * RATE:
            return [make_event("start", 1, RATE, 3 * RATE)]
        return []

    def flush(self):
        if self._keep:
            self._keep(Scores(Span(0, self._stop), np.array([0.25], np.float32)))
        return [make_event("end", 1, RATE, self._stop, 2 * RATE)] if self._stop > 2 * RATE else []


class Scripted:
    """Fills `Pipelines`."""

    spec = make_spec("Dog")
    reported = spec.labels

    def gated(self):
        return ScriptedPipeline()

    def scored(self, keep):
        return ScriptedPipeline(keep)


@pytest.fixture
def recording(tmp_path):
    def make(seconds=30.0, name=NAME):
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(os.fsencode(path), np.zeros(round(seconds * RATE), np.int16), RATE)
        return find_recordings([path])[0]

    return make


def analyze(recording, folder, *formats, start=None, tell=lambda share, seconds: None, **wanted):
    if not folder.exists():
        folder.mkdir()
    task = Task(recording, str(folder), Wanted(formats or ("jsonl",), **wanted), start)
    return Analyzer(Scripted())(task, tell)


def test_writes_what_is_wanted_and_nothing_else(recording, tmp_path):
    done = analyze(
        recording(), tmp_path / "out", "jsonl", "csv", "audacity", "raven", "rttm", "text", "scores"
    )
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(done.outputs)
    assert len(written) == 7


def test_lines_are_the_wires_with_the_files_path_and_time(recording, tmp_path):
    made = recording()
    analyze(made, tmp_path, start=1_764_945_600.0)
    start, end = map(json.loads, (tmp_path / f"{made.name}.jsonl").read_text().splitlines())
    assert (start["type"], end["type"]) == ("start", "end")
    assert (start["seq"], end["seq"]) == (1, 2)
    assert end["start_time"] == "2025-12-05T14:40:01.000Z"
    assert end["source"] == str(made.path)
    assert start["id"] == end["id"]


def test_without_any_hint_a_recording_began_in_1970(recording, tmp_path):
    done = analyze(recording(name="x.wav"), tmp_path)
    assert (
        json.loads((tmp_path / "x.jsonl").read_text().splitlines()[0])["start_time"]
        == "1970-01-01T00:00:01.000Z"
    )
    assert done.summary.start is None


def test_again_gives_the_same_bytes(recording, tmp_path):
    made = recording()
    for folder in ("a", "b"):
        analyze(made, tmp_path / folder, "jsonl", "csv")
    for name in (f"{made.name}.jsonl", f"{made.name}.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_summary_is_of_its_sounds(recording, tmp_path):
    summary = analyze(recording(), tmp_path).summary
    assert (summary.heard_seconds, summary.recordings) == (30.0, 1)
    assert {label: (t.seconds, t.count) for label, t in summary.labels.items()} == {"Dog": (1.0, 1)}


def test_a_name_that_two_models_know_is_told_with_its_model(recording, tmp_path):
    pipelines = Scripted()
    pipelines.reported = (make_label("Dog"), make_label("Dog", model="other"))
    task = Task(recording(), str(tmp_path), Wanted(("audacity", "text", "csv")), None)
    done = Analyzer(pipelines)(task, lambda share, seconds: None)
    audacity, text, rows = ((tmp_path / name).read_text() for name in done.outputs)
    assert audacity == "1.000000\t2.000000\tDog (fake)\n"
    assert text.count("Dog (fake)") == 2
    assert ",Dog,/Dog," in rows and "Dog (fake)" not in rows
    assert list(done.summary.labels) == ["Dog (fake)"]


def test_progress_is_told_now_and_then(recording, tmp_path):
    told = []
    analyze(recording(40.0), tmp_path, tell=lambda share, seconds: told.append((share, seconds)))
    assert told == [(n * TELL_SECONDS / 40, n * TELL_SECONDS) for n in (1, 2, 3, 4)]


def test_a_damaged_recording_leaves_nothing_behind(tmp_path):
    path = tmp_path / "bad.wav"
    path.write_bytes(b"RIFF what is this")
    with pytest.raises(UnsupportedFormat, match=r"bad\.wav"):
        analyze(find_recordings([path])[0], tmp_path / "out", "jsonl", "scores")
    assert list((tmp_path / "out").iterdir()) == []


def test_names_that_are_no_text_are_fine(recording, tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    try:
        made = recording(name=name)
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    done = analyze(made, tmp_path / "out", "jsonl", "raven", "rttm")
    assert all((tmp_path / "out" / output).read_text("utf-8") for output in done.outputs)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(recording, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(SinkError, match="cannot write to"):
        analyze(recording(), tmp_path / "out")


def test_a_file_in_the_way_of_a_folder_is_told(recording, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(SinkError, match="cannot write to"):
        analyze(recording(), tmp_path / "out")


class TestResume:
    SETTINGS = MappingProxyType({"version": "1", "events.preset": "balanced"})
    WANTED = Wanted(("jsonl", "csv"))

    def made(self, recording, tmp_path, wanted=WANTED):
        folder = Folder(tmp_path / "out", self.SETTINGS)
        folder.prepare(overwrite=False)
        done = analyze(recording, folder.path, *wanted.formats)
        folder.keep(recording, done)
        return folder, done

    def test_what_is_done_is_known(self, recording, tmp_path):
        one = recording()
        folder, done = self.made(one, tmp_path)
        Folder(folder.path, self.SETTINGS).prepare(overwrite=False)
        assert folder.done(one, self.WANTED).as_json() == done.summary.as_json()

    def test_a_part_of_it_is_done_and_more_is_not(self, recording, tmp_path):
        one = recording()
        folder, _ = self.made(one, tmp_path)
        assert folder.done(one, Wanted(("csv",))) is not None
        assert folder.done(one, Wanted(("csv", "rttm"))) is None

    def test_later_formats_join_the_earlier_ones(self, recording, tmp_path):
        one = recording()
        folder, _ = self.made(one, tmp_path)
        folder.keep(one, analyze(one, folder.path, "rttm"))
        assert folder.done(one, Wanted(("jsonl", "rttm"))) is not None

    def test_a_changed_recording_or_a_lost_file_is_not_done(self, recording, tmp_path):
        one = recording()
        folder, _ = self.made(one, tmp_path)
        assert folder.done(recording(31.0), self.WANTED) is None
        one = recording()
        folder, done = self.made(one, tmp_path)
        Path(folder.path, done.outputs[0]).unlink()
        assert folder.done(one, self.WANTED) is None

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"source": 1}', "[" * 5000])
    def test_a_damaged_record_is_not_done(self, recording, tmp_path, damage):
        one = recording()
        folder, _ = self.made(one, tmp_path)
        (folder.path / f"{one.name}.summary.json").write_text(damage)
        assert folder.done(one, self.WANTED) is None

    def test_a_record_with_an_endless_count_is_not_done(self, recording, tmp_path):
        one = recording()
        folder, _ = self.made(one, tmp_path)
        record = folder.path / f"{one.name}.summary.json"
        text = record.read_text()
        record.write_text(text.replace('"recordings": 1', '"recordings": Infinity'))
        assert record.read_text() != text
        assert folder.done(one, self.WANTED) is None

    def test_other_settings_are_refused_unless_overwritten(self, recording, tmp_path):
        folder, _ = self.made(recording(), tmp_path)
        other = Folder(folder.path, {**self.SETTINGS, "events.preset": "sure"})
        with pytest.raises(ConfigError, match=r"made with other settings \(events\.preset\).*--overwrite"):
            other.prepare(overwrite=False)
        other.prepare(overwrite=True)
        other.prepare(overwrite=False)

    def test_a_strangers_folder_is_refused_unless_overwritten(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")
        folder = Folder(tmp_path, self.SETTINGS)
        with pytest.raises(ConfigError, match="was not made by analyze"):
            folder.prepare(overwrite=False)
        folder.prepare(overwrite=True)
        assert (tmp_path / "thesis.txt").read_text() == "mine"

    @pytest.mark.parametrize("content", ["", "[]", "nonsense", "[" * 5000])
    def test_a_damaged_stamp_is_other_settings(self, tmp_path, content):
        (tmp_path / "analysis.json").write_text(content)
        with pytest.raises(ConfigError, match="other settings"):
            Folder(tmp_path, self.SETTINGS).prepare(overwrite=False)
