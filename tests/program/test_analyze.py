"""The real program over recordings: the daemon's own events, folders, resuming, bad files, faults."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.program import ALARM, DEMO, RATE, SMOKE_T3, events, fault

pytestmark = pytest.mark.slow

SHOWN = (
    "type",
    "label",
    "class_id",
    "score",
    "top_score",
    "duration",
    "level_dbfs",
    "source",
    "model",
    "seq",
)


def told(lines):
    """What is told, with times as seconds since the first one's."""
    said = events(lines)
    zero = datetime.fromisoformat(said[0]["start_time"])
    return [
        [fields[name] for name in SHOWN]
        + [
            fields[name] and round((datetime.fromisoformat(fields[name]) - zero).total_seconds(), 2)
            for name in ("start_time", "end_time", "time")
        ]
        for fields in said
    ]


@pytest.fixture
def recordings(tmp_path):
    """A folder with the bundled recording twice and a file that is no sound."""
    folder = tmp_path / "in"
    (folder / "june").mkdir(parents=True)
    shutil.copy(DEMO, folder / "20261120_143000.flac")
    shutil.copy(DEMO, folder / "june" / "demo.flac")
    (folder / "bad.wav").write_bytes(b"this is no sound")
    return folder


@pytest.mark.usefixtures("model")
class TestEvents:
    def test_are_those_of_the_daemon(self, run):
        daemon, analysis = run("--input", DEMO, "-q"), run("analyze", DEMO, "-q")
        assert (analysis.status, analysis.err.seen) == (0, [])
        assert told(analysis.out.seen) == told(daemon.out.seen)

    def test_are_those_of_the_daemon_with_the_same_flags(self, run):
        flags = [
            "--preset",
            "responsive",
            "--include",
            "Speech",
            "--set",
            "events.update_seconds=1",
            "--gate",
            "off",
        ]
        daemon, analysis = run("--input", DEMO, "-q", *flags), run("analyze", DEMO, "-q", *flags)
        assert told(analysis.out.seen) == told(daemon.out.seen)
        assert {fields["label"] for fields in events(analysis.out.seen)} == {"Speech"}

    def test_do_not_change_where_scores_are_wanted_too(self, run, tmp_path):
        plain = run("analyze", DEMO, "-q")
        run("analyze", DEMO, "-q", "--out", "out", "--format", "jsonl", "--format", "scores")
        (lines,) = tmp_path.glob("out/*.jsonl")
        assert lines.read_text().splitlines() == plain.out.seen

    def test_scores_are_of_every_window_whatever_the_gate_says(self, run, tmp_path):
        samples = np.concatenate([np.zeros(8 * RATE, np.int16), soundfile.read(DEMO, dtype="int16")[0]])
        soundfile.write(tmp_path / "x.wav", samples, RATE)
        assert run("analyze", "x.wav", "-q", "--out", "out", "--format", "scores").status == 0
        read = np.load(tmp_path / "out" / "x.scores.npz")
        windows = len(read["stop"])
        assert read["scores"].shape == (windows, 521)
        np.testing.assert_allclose(read["stop"][:-1], 0.24 * np.arange(1, windows), atol=1e-9)
        np.testing.assert_allclose(read["stop"] - read["start"], 0.975, atol=1e-9)
        assert abs(read["stop"][-1] - len(samples) / RATE) < 0.24
        assert read["scores"][:, list(read["labels"]).index(ALARM)].max() > 0.5

    def test_of_several_recordings_follow_each_other_with_one_header(self, run, recordings):
        program = run("analyze", "in", "--format", "csv", "-q")
        header, *rows = program.out.seen
        assert header.startswith("onset,offset,start_time")
        assert header not in rows
        sources = [row.split(",in/")[1].split(",")[0] for row in rows]
        assert list(dict.fromkeys(sources)) == ["20261120_143000.flac", "june/demo.flac"]
        assert rows[0].split(",")[2].startswith("2026-11-20T14:30:0")


@pytest.mark.usefixtures("model")
class TestAFolder:
    def test_is_analyzed_but_for_what_is_no_sound(self, run, recordings, tmp_path):
        program = run("analyze", "in", "--out", "out", "--format", "jsonl", "--format", "audacity")
        assert program.status == 1
        assert [line for line in program.err.seen if line] == [
            next(
                line
                for line in program.err.seen
                if line.startswith("sound-detector: cannot decode in/bad.wav: ")
            )
        ]
        written = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.glob("out/**/*.*")}
        assert written == {
            *("analysis.json", "summary.csv", "summary.json"),
            *(
                name + ending
                for name in ("20261120_143000", "june/demo")
                for ending in (".jsonl", ".audacity.txt", ".summary.json")
            ),
        }
        assert program.out.seen[0].startswith("20261120_143000  21.")
        assert any(line.startswith("total of 2 recordings") for line in program.out.seen)
        total = json.loads((tmp_path / "out" / "summary.json").read_text())["total"]
        assert total["labels"][SMOKE_T3]["count"] >= 2

    def test_is_resumed_where_it_was_left(self, run, recordings, tmp_path):
        (recordings / "bad.wav").unlink()
        first = run("analyze", "in", "--out", "out")
        kept, lost = tmp_path / "out" / "20261120_143000.jsonl", tmp_path / "out" / "june" / "demo.jsonl"
        kept.write_text("mine\n")
        lost.unlink()
        again = run("analyze", "in", "--out", "out")
        assert (again.status, again.err.seen) == (0, ["1 of 2 are done already"])
        assert again.out.seen == first.out.seen
        assert kept.read_text() == "mine\n"
        assert lost.stat().st_size > 1000
        assert run("analyze", "in", "--out", "out", "--overwrite").err.seen == []
        assert kept.stat().st_size > 1000

    def test_of_other_settings_is_refused(self, run, recordings, tmp_path):
        (recordings / "bad.wav").unlink()
        run("analyze", "in", "--out", "out")
        text = fault(run("analyze", "in", "--out", "out", "--preset", "sure"), 2)
        assert "was made with other settings (events.preset)" in text
        assert run("analyze", "in", "--out", "out", "--preset", "sure", "--overwrite").status == 0


@pytest.mark.usefixtures("model")
def test_a_film_is_heard(run, tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    subprocess.run(["ffmpeg", "-v", "error", "-i", DEMO, "-b:a", "128k", tmp_path / "film.mp4"], check=True)
    program = run("analyze", "film.mp4", "-q", "--start-time", "2026-11-20T14:30:00Z")
    assert (program.status, program.err.seen) == (0, [])
    said = events(program.out.seen)
    assert ALARM in {fields["label"] for fields in said}
    assert said[0]["start_time"].startswith("2026-11-20T14:30:0")


@pytest.mark.usefixtures("model")
def test_a_page_and_its_index_are_made(run, tmp_path):
    pytest.importorskip("matplotlib")
    shutil.copy(DEMO, tmp_path / "demo.flac")
    assert run("analyze", "demo.flac", "-q", "--out", "out", "--plot", "--report").status == 0
    assert (tmp_path / "out" / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert SMOKE_T3 in (tmp_path / "out" / "demo.report.html").read_text()
    assert 'href="demo.report.html"' in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["nowhere.wav"], 1, "cannot read nowhere.wav: No such file or directory; expected a sound file"),
        (["empty"], 1, "empty holds no recording"),
        ([DEMO, "--plot"], 2, "--plot writes files: name a folder for them with --out DIR"),
        ([DEMO, "--format", "scores"], 2, "--format scores writes files"),
        ([DEMO, "--format", "csv", "--format", "rttm"], 2, "standard output takes one --format"),
        ([DEMO, "--overwrite"], 2, "--overwrite needs --out DIR: it replaces results in that folder"),
        ([DEMO, "nowhere.wav", "--format", "audacity"], 2, "does not say which recording a line is of"),
        ([DEMO, "--out", "taken"], 2, "taken exists, is not empty and was not made by analyze"),
        ([DEMO, "--out", "taken/note.txt"], 1, "cannot make the folder taken/note.txt"),
        ([DEMO, "--include", "Dgo"], 2, "Dog"),
    ],
)
@pytest.mark.usefixtures("model")
def test_a_fault_is_one_line(run, tmp_path, arguments, status, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "note.txt").write_text("mine")
    assert says in fault(run("analyze", *arguments), status)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "FILE|FOLDER"),
        ([DEMO, "--format", "midi"], "invalid choice: 'midi'"),
        ([DEMO, "--start-time", "noon"], "expected a time such as 2026-11-20T14:30:00"),
        ([DEMO, "--jobs", "0"], "expected a whole number from 1"),
    ],
)
def test_a_fault_of_grammar_is_told_with_the_usage(run, arguments, says):
    program = run("analyze", *arguments)
    assert program.status == 2
    assert says in program.err.seen[-1]


def test_without_the_model_it_says_how_to_get_it(run, tmp_path):
    program = run("analyze", DEMO, variables={"SOUND_DETECTOR_HOME": str(tmp_path / "none")})
    assert "sound-detector models pull yamnet" in fault(program, 1)


def test_pictures_without_matplotlib_say_what_to_install(run, tmp_path):
    (tmp_path / "matplotlib").mkdir()
    hidden = Path(tmp_path, "sitecustomize.py")
    hidden.write_text("import sys\nsys.modules['matplotlib'] = None\n")
    program = run(
        "analyze", DEMO, "--out", "out", "--plot", variables={"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    )
    assert "pip install 'sound-detector[plot]'" in fault(program, 1)
