"""The command over scripted sources: what it keeps, what it says, and what it leaves behind when it fails."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
import soundfile

from detector.collecting.command import next_command, record
from detector.collecting.folder import ClipFolder
from detector.collecting.record_request import RATE_HZ, RecordRequest
from detector.datasets.clip_names import check_label, clip_name, model_name, session_text
from detector.datasets.labelled_clips import read_dataset
from detector.errors import ConfigError, DatasetError, DeviceLost
from detector.files.terminal import CLEAR
from detector.service.capture import blocks_of
from detector.training.bundlefiles import PLAIN_NAME
from tests.support.fakes import FakeSource, cut
from tests.support.terminals import FakeTerminal

BEGAN = 1_785_593_730.5
SESSION = "20260801T141530Z"


def room(seconds, seed=3):
    return np.random.default_rng(seed).normal(0, 30, round(seconds * RATE_HZ)).astype(np.int16)


def ring(seconds=0.5, amplitude=8000):
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = amplitude * np.sin(2 * np.pi * 2000 * time) + room(seconds)
    return np.clip(wave, -32768, 32767).astype(np.int16)


def scene(*parts):
    """The room before, between and after these parts."""
    pieces = [room(4)]
    for number, part in enumerate(parts):
        pieces += [part, room(4, seed=number)]
    return np.concatenate(pieces)


def request(tmp_path, **given):
    wanted = {
        "label": "bell",
        "dataset": tmp_path / "sounds",
        "mode": "triggered",
        "seconds": 10,
        "count": None,
    }
    return RecordRequest(**(wanted | given))


def collect(wanted, samples=None, *, script=None, live=False):
    """Run the command; return what it said."""
    said, meter = io.StringIO(), io.StringIO()
    # Fewer live blocks than the queue holds: a script is faster than any microphone.
    source = FakeSource(script or cut(samples, 30000 if live else 4410), live=live)
    source.immediate = not live
    try:
        record(wanted, lambda rate, length: source, clock=lambda: BEGAN, lines=said, meter=meter)
    finally:
        collect.said = said.getvalue().splitlines()
        collect.noted = meter.getvalue().splitlines()
    return collect.said


def clips(wanted):
    return sorted(path.name for path in (wanted.dataset / wanted.label).iterdir())


def test_each_sound_becomes_a_clip_of_its_class(tmp_path):
    wanted = request(tmp_path)
    said = collect(wanted, scene(ring(), ring()))
    assert clips(wanted) == [f"bell-{SESSION}-01.flac", f"bell-{SESSION}-02.flac"]
    samples, rate = soundfile.read(wanted.dataset / "bell" / clips(wanted)[0], dtype="int16")
    assert (rate, samples.ndim) == (RATE_HZ, 1)
    assert len(samples) / rate == pytest.approx(1.5, abs=0.2)
    assert said[0].startswith(f"bell-{SESSION}-01.flac   1.")
    assert said[2].startswith(f"2 clips of bell in {wanted.dataset / 'bell'}, ")
    assert said[3].startswith("next: sound-detector record background --out ")


def test_what_is_kept_is_a_dataset_whose_sources_are_the_sounds(tmp_path):
    wanted = request(tmp_path)
    alarm = np.concatenate([ring(0.4), room(0.4)] * 15)  # longer than a clip may be
    collect(wanted, scene(ring(), alarm))
    collect(request(tmp_path, label="background", mode="background", seconds=3, count=3), room(12))
    dataset = read_dataset(wanted.dataset)
    assert dataset.classes == ["background", "bell"]
    sources = [clip.source for clip in dataset.clips]
    assert sources == [
        *[f"background/background-{SESSION}-01"] * 3,
        f"bell/bell-{SESSION}-01",
        *[f"bell/bell-{SESSION}-02"] * 2,
    ]


def test_after_a_countdown_too_quiet_and_clipped_clips_are_repeated_and_numbers_have_no_holes(tmp_path):
    """Count 3 s, take 2 s, and so on: five takes for two clips, and the third good one is not waited for."""
    takes = [ring(), ring(amplitude=20), ring(amplitude=90000), ring(), ring()]
    stream = np.concatenate([np.concatenate([room(3.5), take, room(1)]) for take in takes])
    wanted = request(tmp_path, mode="countdown", seconds=2, count=2)
    said = collect(wanted, stream)
    assert clips(wanted) == [f"bell-{SESSION}-01.flac", f"bell-{SESSION}-02.flac"]
    assert [line.split("  ")[0] for line in said[:4]] == [
        *(f"bell-{SESSION}-01.flac", "not kept: too quiet", "not kept: clipped", f"bell-{SESSION}-02.flac"),
    ]
    assert said[4].endswith("; not kept: 1 too quiet, 1 clipped")
    assert "try again" in said[1]


def test_keep_all_keeps_them_and_says_what_they_are_like(tmp_path):
    wanted = request(tmp_path, mode="countdown", seconds=2, count=1, keep_all=True)
    assert "(too quiet: go nearer" in collect(wanted, room(6))[0]


def test_the_room_is_cut_without_a_countdown_and_for_as_long_as_wanted(tmp_path):
    wanted = request(tmp_path, label="background", mode="background", seconds=1, count=3)
    said = collect(wanted, room(10))
    assert len(clips(wanted)) == 3
    assert said[-1].startswith("next: sound-detector record LABEL --out ")


def test_a_second_session_of_the_same_second_gets_a_name_of_its_own(tmp_path):
    wanted = request(tmp_path)
    collect(wanted, scene(ring()))
    collect(wanted, scene(ring()))
    assert clips(wanted) == [f"bell-{SESSION}-01.flac", f"bell-{session_text(BEGAN + 1)}-01.flac"]


def test_a_clip_is_never_overwritten(tmp_path):
    folder = ClipFolder(tmp_path, "bell", began=BEGAN, sample_rate=RATE_HZ)
    path = folder.keep(ring(), 1, None)
    before = path.read_bytes()
    with pytest.raises(DatasetError, match=r"cannot write .*-01\.flac: it is there already"):
        folder.keep(room(1), 1, None)
    assert path.read_bytes() == before
    assert [other.name for other in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("dataset", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_heard(tmp_path, dataset):
    (tmp_path / "file").write_text("")
    source = FakeSource([])
    with pytest.raises(DatasetError, match=r"cannot keep clips in .*; choose another folder with --out"):
        record(request(tmp_path, dataset=tmp_path / dataset), lambda rate, length: source)
    assert source.closed_by == []


def test_nothing_is_left_where_nothing_was_kept(tmp_path):
    wanted = request(tmp_path)
    with pytest.raises(DatasetError, match="it ended before a clip of bell was complete"):
        collect(wanted, room(3))
    assert list(tmp_path.iterdir()) == []
    assert collect.said == []


def test_a_recording_with_nothing_fit_in_it_is_told(tmp_path):
    with pytest.raises(DatasetError, match="no clip in it was good enough to keep"):
        collect(request(tmp_path, mode="countdown", seconds=2), room(6))


def test_a_device_that_goes_away_leaves_what_was_kept(tmp_path):
    wanted = request(tmp_path)
    script = [*cut(scene(ring()), 44100), DeviceLost("the microphone stopped delivering")]
    with pytest.raises(DeviceLost, match="stopped delivering"):
        collect(wanted, script=script, live=True)
    assert clips(wanted) == [f"bell-{SESSION}-01.flac"]
    assert collect.said[1].startswith("1 clip of bell in ")


def test_control_c_leaves_what_was_kept_and_tells_the_summary(tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    wanted = request(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        collect(wanted, script=[*cut(scene(ring()), 4410), interrupt])
    assert clips(wanted) == [f"bell-{SESSION}-01.flac"]
    assert collect.said[1].startswith("1 clip of bell in ")


def test_a_muted_microphone_is_told_and_given_up(tmp_path):
    wanted = request(tmp_path, mode="countdown", seconds=1, count=2)
    with pytest.raises(DatasetError, match=r"5 clips in a row .* digital silence; is the microphone muted"):
        collect(wanted, np.zeros(30 * RATE_HZ, np.int16), live=True)
    assert sum("delivers only digital silence" in line for line in collect.noted) == 1
    assert list(tmp_path.iterdir()) == []


def test_in_a_pipe_each_step_is_a_line(tmp_path):
    wanted = request(tmp_path, mode="countdown", seconds=2, count=1)
    collect(wanted, np.concatenate([room(3.5), ring(), room(2)]), live=True)
    assert [line.split()[:5] for line in collect.noted[1:]] == [
        ["bell", "1", "of", "1", cue] for cue in ("3", "NOW")
    ]


def test_on_a_terminal_the_meter_is_one_line_drawn_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal, lines = FakeTerminal(), io.StringIO()
    wanted = request(tmp_path, mode="countdown", seconds=2, count=1)
    source = FakeSource(cut(np.concatenate([room(3.5), ring(), room(2)]), 8820), live=True)
    record(wanted, lambda rate, length: source, lines=lines, meter=terminal)
    drawn = [line.removesuffix("\r") for line in terminal.getvalue().split(CLEAR)]
    assert terminal.getvalue().count("\n") == 1  # what to do
    assert any(line.startswith("bell 1 of 1  3 ") and " [=" in line for line in drawn)
    assert any(line.startswith("bell 1 of 1  NOW ") for line in drawn)
    assert drawn[-1] == ""
    assert terminal.lines[-1] == ""


def test_blocks_come_until_the_source_ends():
    source = FakeSource(cut(room(0.2), 4410), live=True)
    assert [block.start for block in blocks_of(source, queue_blocks=50)] == [0, 4410]
    assert source.closed_by == ["capture"]


def test_a_device_that_hangs_is_given_up():
    plugged = threading.Event()
    blocks = blocks_of(
        FakeSource([*cut(room(0.1), 4410), plugged.wait], live=True), queue_blocks=50, most_waits=2
    )
    assert next(blocks).start == 0
    with pytest.raises(DeviceLost, match="fake has delivered nothing for 0 s; restart the program"):
        next(blocks)
    plugged.set()


@pytest.mark.parametrize("label", ["doorbell", "front door", "Türklingel", "a.b", "sirène-2", "12 bells"])
def test_names_of_classes(label):
    assert check_label(label) == label


@pytest.mark.parametrize(
    "label",
    [
        "",
        " ",
        "a/b",
        "..",
        ".hidden",
        "a\\b",
        "a\nb",
        "x" * 101,
        "ü" * 51,
        "12 - bells",
        "bell ",
        "a\0b",
        "a.",
    ],
)
def test_names_that_no_folder_can_have_are_one_clear_line(label):
    with pytest.raises(ConfigError) as caught:
        check_label(label)
    assert "\n" not in str(caught.value)
    assert "expected a name for the class and its folder" in str(caught.value)


def test_the_same_name_in_other_letters_is_refused(tmp_path):
    (tmp_path / "sounds" / "Bell").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is there already; write it the same way"):
        collect(request(tmp_path), room(1))


def test_the_name_of_a_clip():
    assert session_text(BEGAN) == SESSION
    assert clip_name("front door", SESSION, 7) == f"front door-{SESSION}-07.flac"
    assert clip_name("bell", SESSION, 7, 3) == f"bell-{SESSION}-07-03.flac"


def test_what_to_do_next(tmp_path):
    bell = request(tmp_path, label="front door", dataset="sounds")
    assert next_command(bell, []).startswith("sound-detector record background ")
    assert next_command(bell, ["background"]) == "sound-detector train sounds --out models/front-door"
    background = request(tmp_path, label="background", dataset="sounds", mode="background")
    assert next_command(background, []).startswith("sound-detector record LABEL ")
    assert next_command(background, ["bell"]) == "sound-detector train sounds --out models/bell"
    own = request(tmp_path, dataset="my sounds")
    assert next_command(own, ["negatives"]) == "sound-detector train 'my sounds' --out models/bell"
    assert next_command(own, ["x"]).startswith("sound-detector record background --out 'my sounds' ")


def test_what_is_suggested_as_a_models_name_is_one_that_train_takes():
    names = [model_name(label) for label in ("Türklingel 1", "con$x", "犬", "Smoke detector, smoke alarm")]
    assert names == ["turklingel-1", "con-x", "mine", "smoke-detector-smoke-alarm"]
    assert all(PLAIN_NAME.fullmatch(name) for name in names)
