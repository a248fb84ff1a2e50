"""The real program: a room is calibrated, stays silent with what was written, and still hears an alarm."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import soundfile

from tests.support.program import ALARM, RATE, alarm, demo_samples, fault, labels, quiet

pytestmark = pytest.mark.slow

SECONDS = 130


@pytest.fixture
def room(tmp_path):
    """Somebody talks again and again, over faint noise."""
    talk = np.concatenate([demo_samples(0.0, 5.5), quiet(7.5)])
    path = tmp_path / "room.wav"
    soundfile.write(path, np.resize(talk, SECONDS * RATE), RATE)
    return path


@pytest.mark.usefixtures("model")
def test_a_calibrated_room_is_silent_and_an_alarm_is_heard(run, room, tmp_path):
    config, out = tmp_path / "mine.yaml", tmp_path / "calibrated.yaml"
    config.write_text(
        "model: {name: yamnet}\nevents: {update_seconds: 5, labels: {Speech: {refractory_seconds: 1}}}\n"
    )
    assert "Speech" in labels(run("--input", str(room), "--config", str(config)).out.seen)

    made = run("calibrate", "--config", str(config), "--input", str(room), "--out", str(out))
    assert made.status == 0, made.err.seen
    said = "\n".join(made.err.seen)
    assert "would have stayed silent: yes" in said
    assert "in the second half 0 would remain" in said
    assert "Speech  " in said
    text = out.read_text()
    assert f"Where: {room}" in text
    assert "update_seconds: 5" in text

    checked = run("check-config", "--config", str(out))
    assert checked.status == 0, checked.err.seen
    assert labels(run("--input", str(room), "--config", str(out)).out.seen) == []
    soundfile.write(tmp_path / "alarm.wav", alarm(), RATE)
    assert ALARM in labels(run("--input", str(tmp_path / "alarm.wav"), "--config", str(out)).out.seen)

    again = ("calibrate", "-q", "--config", str(out), "--input", str(room))
    assert "exists" in fault(run(*again, "--out", str(out)), 2)
    nothing = run(*again, "--out", str(tmp_path / "new.yaml"))
    assert nothing.err.seen[-1] == "nothing to change, nothing written"
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.usefixtures("model")
def test_what_was_learnt_until_ctrl_c_is_printed(start, room):
    program = start("calibrate", "--input", "-", "--minutes", "30")
    program.feed(soundfile.read(room, dtype="int16")[0][: 70 * RATE])
    program.says("Listening to stdin for 30:00")
    program.err.wait(lambda line: line.strip().startswith("0:5"))
    program.send(signal.SIGINT)
    program.end()
    assert program.status == 0, program.err.seen
    assert any(line.startswith("stopped after ") for line in program.err.seen)
    assert program.out.seen[0].startswith("# Settings of sound-detector, calibrated")


@pytest.mark.usefixtures("model")
def test_faults_are_one_line(run, room, tmp_path):
    soundfile.write(tmp_path / "short.wav", np.resize(quiet(1), round(5.1 * RATE)), RATE)
    soundfile.write(tmp_path / "muted.wav", np.zeros(70 * RATE, np.int16), RATE)
    for arguments, status, told in [
        (["--input", str(tmp_path / "short.wav")], 1, "at least 1:00 of sound, got 0:05"),
        (["--input", str(tmp_path / "muted.wav")], 1, "digital silence"),
        (["--input", str(tmp_path / "absent.wav")], 1, "absent.wav"),
        (["--input", str(room), "--device", "1"], 2, "choose one of them"),
        (["--input", str(room), "--keep", "Speach"], 2, "did you mean 'Speech'"),
        (["--input", str(room), "--out", str(tmp_path / "no" / "c.yaml")], 2, "make it first"),
        (["--input", str(room), "--out", str(tmp_path)], 2, "name a file in it"),
    ]:
        assert told in fault(run("calibrate", "-q", *arguments), status)
