"""The real program keeps clips of a recording, and none with speech in it; a broken folder stops nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from tests.support.program import ALARM, DEMO, SMOKE_T3

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]


@pytest.fixture
def alarm(tmp_path):
    """The demo's smoke alarm alone, with silence around it."""
    sound, rate = soundfile.read(DEMO)
    part = sound[round(6.6 * rate) : round(11 * rate)]
    silence = np.random.default_rng(0).normal(0, 1e-4, 5 * rate)
    soundfile.write(tmp_path / "alarm.wav", np.concatenate((silence, part, silence)), rate)
    return tmp_path / "alarm.wav"


def told(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_an_alarm_is_kept_and_speech_is_not(run, alarm, tmp_path):
    log = tmp_path / "log.jsonl"
    for recording in (alarm, DEMO):
        program = run(
            *("--input", str(recording), "--clips", str(tmp_path / "clips")),
            *("--set", "clips.min_free_megabytes=0", "--sink", f"log:{log}"),
        )
        assert program.status == 0, program.err.all()
    clips = [message for message in told(log) if message["type"] == "clip"]
    assert [(clip["state"], clip["reason"]) for clip in clips] == [("saved", ""), ("dropped", "speech")]
    events = [message for message in told(log) if message["type"] == "end"]
    alarms = [event["label"] for event in events if event["label"] in (ALARM, SMOKE_T3)]
    assert alarms == [ALARM, SMOKE_T3]  # the first is too short for two cycles of its rhythm
    info = soundfile.info(clips[0]["path"])
    assert info.duration == pytest.approx(clips[0]["duration"], abs=0.01)
    assert 3 < info.duration < 60
    listed = run("clips", "list", "--folder", str(tmp_path / "clips"), "--json")
    assert [clip["id"] for clip in json.loads("\n".join(listed.out.all()))] == [clips[0]["id"]]


def test_a_folder_that_cannot_be_costs_no_event(run, alarm, tmp_path):
    (tmp_path / "clips").write_text("a file")
    log = tmp_path / "log.jsonl"
    program = run("--input", str(alarm), "--clips", str(tmp_path / "clips"), "--sink", f"log:{log}")
    assert program.status == 0
    assert sum("cannot be made" in line for line in program.err.all()) == 1
    kinds = [message["type"] for message in told(log)]
    assert (kinds.count("start"), kinds.count("end"), kinds.count("clip")) == (1, 1, 1)
    (status,) = [m for m in told(log) if m["type"] == "status" and "no clip is kept" in m["detail"]]
    assert status["state"]
