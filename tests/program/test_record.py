"""`record` through the real program: a recording cut into clips, a disk that fills, Ctrl-C, a microphone."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import soundfile

from detector.datasets.labelled_clips import read_dataset
from tests.support.program import COMMAND, DEMO, RATE, demo_samples, fault, quiet
from tests.support.virtualmic import Unavailable, VirtualMicrophone

pytestmark = pytest.mark.slow


def test_a_recording_becomes_clips_and_the_next_command_is_told(run, tmp_path):
    program = run("record", "signals", "--triggered", "--seconds", "5", "--input", DEMO)
    assert (program.status, program.err.seen) == (0, [])
    dataset = read_dataset(tmp_path / "sounds")
    assert dataset.classes == ["signals"]
    told = [line.split("  ")[0] for line in program.out.seen[:-2]]
    assert told == [clip.path.name for clip in dataset.clips]
    assert len(told) >= 3
    for clip in dataset.clips:
        info = soundfile.info(clip.path)
        assert (info.samplerate, info.channels, info.format) == (44100, 1, "FLAC")
        assert 1 <= info.duration <= 5.03
    assert program.out.seen[-1].startswith("next: sound-detector record background ")

    program = run("record", "background", "--input", DEMO)
    assert (program.status, len(read_dataset(tmp_path / "sounds").clips)) == (0, len(told) + 7)
    assert program.out.seen[-1] == "next: sound-detector train sounds --out models/signals"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a/b"], "LABEL 'a/b' has / in it; "),
        ([".."], "LABEL '..' begins or ends with a dot; "),
        ([], "expected LABEL, the name of the sound, "),
        (["x", "--background", "5", "--count", "3"], "--background MINUTES cannot be combined with --count"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(run, tmp_path, arguments, line):
    assert fault(run("record", *arguments), 2).startswith(line)
    assert not (tmp_path / "sounds").exists()


def test_without_a_microphone_it_says_so_and_leaves_no_folder(run, tmp_path):
    assert fault(run("record", "bell"), 1).startswith("no microphone found; plug one in")
    assert not (tmp_path / "sounds").exists()


def test_a_disk_that_fills_keeps_what_was_whole(start, tmp_path):
    """No file may be greater than 64 KiB: the loud clip does not fit where the quiet one did."""
    rng = np.random.default_rng(1)
    scene = rng.normal(0, 20, 15 * RATE)
    scene[4 * RATE : round(4.1 * RATE)] += 20 * rng.normal(0, 20, RATE // 10)
    scene[8 * RATE : 11 * RATE] += rng.normal(0, 3000, 3 * RATE)
    soundfile.write(tmp_path / "scene.wav", scene.astype(np.int16), RATE)
    limited = ("bash", "-c", 'ulimit -f 64; exec "$@"', "bash", *COMMAND)
    program = start("record", "bell", "--triggered", "--input", "scene.wav", command=limited)
    assert program.end() == 1
    assert fault(program, 1).endswith("File too large; the clips before it are kept")
    assert [path.name[-7:] for path in (tmp_path / "sounds" / "bell").iterdir()] == ["01.flac"]
    assert program.out.seen[1].startswith("1 clip of bell in sounds/bell, ")


def test_control_c_ends_it_with_what_was_kept(start, tmp_path):
    program = start("record", "bell", "--triggered", "--input", "-")
    program.feed(np.concatenate([quiet(2), demo_samples(6.7, 10.5), quiet(3)]))
    program.out.wait(lambda line: line.startswith("bell-"))
    program.send(signal.SIGINT)
    assert program.process.wait(60) == 130
    program.end()
    assert program.out.seen[1].startswith("1 clip of bell in sounds/bell, ")
    assert not any("Traceback" in line for line in program.err.seen)
    assert len(list((tmp_path / "sounds" / "bell").iterdir())) == 1


def test_a_sound_at_the_microphone_becomes_a_clip(start, tmp_path):
    pytest.importorskip("pyaudio", reason="PyAudio is not installed (apt install portaudio19-dev)")
    samples = np.concatenate([np.zeros(RATE, np.int16), demo_samples(6.7, 9.0), quiet(1.5)])
    soundfile.write(tmp_path / "alarm.wav", samples, RATE)
    try:
        with VirtualMicrophone() as microphone:
            program = start(
                *("record", "alarm", "--triggered", "--count", "1", "--device", "1"),
                variables=microphone.variables,
            )
            program.says("alarm 1 of 1  waiting")
            microphone.play(tmp_path / "alarm.wav")
            assert program.end() == 0
    except Unavailable as reason:
        pytest.skip(str(reason))
    (clip,) = read_dataset(tmp_path / "sounds").clips
    kept, rate = soundfile.read(clip.path)
    assert rate == 44100
    assert 2 < len(kept) / rate < 5
    assert np.abs(kept).max() > 0.1
    assert program.out.seen[1].startswith("1 clip of alarm in sounds/alarm, ")
