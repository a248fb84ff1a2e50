"""The real program: a soundscape that it makes, evaluated by itself in two processes; faults as one line."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import soundfile

from tests.support.program import COMMAND, DEMO, fault

pytestmark = pytest.mark.slow

RATE = 16000


@pytest.fixture
def clips(tmp_path):
    """The demo's speech and its smoke alarm as a dataset with folds."""
    sound, rate = soundfile.read(DEMO)
    for name, start in (("Speech", 0.0), ("Smoke detector", 5.5)):
        folder = tmp_path / "clips" / name
        folder.mkdir(parents=True)
        for fold in (1, 2):
            part = sound[round((start + fold * 0.5) * rate) :][: 3 * rate]
            soundfile.write(folder / f"{fold}-{fold}{len(name)}-A.wav", part, rate)
    (tmp_path / "map.csv").write_text(
        'class,labels\nSmoke detector,"Smoke detector, smoke alarm; Beep, bleep"\n'
    )
    return tmp_path / "clips"


@pytest.mark.usefixtures("model")
def test_clips_are_told_apart_in_two_processes(run, clips, tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    out = tmp_path / "report"
    program = run(
        "evaluate", str(clips), "--map", str(tmp_path / "map.csv"), "--out", str(out), "--json", "--jobs", "2"
    )
    assert program.status == 0, program.err.seen
    said = json.loads((out / "report.json").read_text())
    assert said["by_score"]["accuracy"] == 1
    assert set(said["by_score"]["folds"]) == {"1", "2"}
    assert (out / "confusion_by_score.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("model")
def test_a_soundscape_is_made_and_evaluated(run, clips, tmp_path):
    pytest.importorskip("sed_eval")
    pytest.importorskip("sed_scores_eval")
    scenes, out = tmp_path / "scenes", tmp_path / "report"
    made = run("soundscape", str(clips), "--out", str(scenes), "--seconds", "60", "--snr", "30", "30")
    assert made.status == 0, made.err.seen
    program = run(
        *("evaluate", str(scenes), "--annotations", str(scenes), "--map", str(tmp_path / "map.csv")),
        *("--out", str(out), "-q"),
    )
    assert program.status == 0, program.err.seen
    said = json.loads((out / "report.json").read_text())
    assert set(said["variants"]) == {"as set", "gate off"}
    assert said["variants"]["as set"]["overall"]["hits"] > 0
    program = run(
        *("evaluate", str(scenes), "--annotations", str(scenes), "--map", str(tmp_path / "map.csv")),
        *("--verdicts", "1,5", "--json", "-q"),
    )
    assert program.status == 0, program.err.seen
    figures = json.loads("\n".join(program.out.seen))["verdicts"]
    assert [one["asked"] for one in figures] == [1, 5, 1, 5]
    assert all(one["given"] > 0 and one["right"] > 0 and one["lost"] == 0 for one in figures)


def test_faults_are_one_line(run, tmp_path):
    (tmp_path / "labels").mkdir()
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    for arguments, status, told in [
        (["evaluate", str(tmp_path / "absent")], 1, "absent does not exist; expected a folder of clips"),
        (["evaluate", str(tmp_path), "--out", str(tmp_path)], 2, "not empty"),
        (["evaluate", str(tmp_path), "--ignore", "Dog"], 2, "add --annotations"),
        (
            ["evaluate", str(tmp_path / "a.wav"), "--annotations", str(tmp_path / "labels")],
            1,
            "expected one of a.txt",
        ),
        (
            ["soundscape", str(tmp_path / "absent"), "--out", str(tmp_path / "new")],
            1,
            "expected a folder of clips",
        ),
    ]:
        assert told in fault(run(*arguments), status)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's here")
def test_too_little_memory_is_one_line(start, clips, tmp_path):
    """Ten hours at 192 kHz in six gigabytes."""
    limited = ("sh", "-c", 'ulimit -v 6000000 && exec "$@"', "-", *COMMAND)
    program = start(
        *("soundscape", str(clips), "--out", str(tmp_path / "long")),
        *("--seconds", "36000", "--rate", "192000", "--pause", "300", "600"),
        command=limited,
    )
    program.end()
    assert "out of memory" in fault(program, 1)
