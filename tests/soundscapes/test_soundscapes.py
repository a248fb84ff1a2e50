"""Soundscapes: what the plan promises, what the mix measures, and that a seed says everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.datasets.annotation_files import read_annotations
from detector.errors import ConfigError
from detector.soundscapes.command import SoundscapeRequest, soundscape
from detector.soundscapes.mixing import coloured_noise, convolved, looped, mix, room
from detector.soundscapes.plan import LEAD_SECONDS, TAIL_SECONDS, Placed, Planner, SoundscapeRules
from detector.soundscapes.stretch import active_power, cut, stretch

RATE = 8000


def tone(seconds, amplitude=0.5, rate=RATE):
    return (amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds, rate=RATE):
    return np.zeros(round(seconds * rate), np.float32)


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_a_plan_keeps_its_rules(seed, overlap):
    rules = SoundscapeRules(seconds=120, overlap=overlap)
    planner = Planner({"a": [0.5, 3.0], "b": [1.0], "c": [2.0]}, rules, seed)
    for placed in (planner.plan(), planner.plan()):
        assert placed
        assert min(p.onset for p in placed) >= LEAD_SECONDS
        assert max(p.onset + p.seconds for p in placed) <= rules.seconds - TAIL_SECONDS
        assert all(rules.snr_db[0] <= p.snr_db <= rules.snr_db[1] for p in placed)
        for name in "abc":
            own = [p for p in placed if p.label == name]
            for first, second in itertools.pairwise(own):
                assert second.onset - first.onset - first.seconds >= rules.same_class_seconds - 1e-6


def test_a_plan_without_overlap_has_pauses():
    placed = Planner({"a": [1.0], "b": [1.0]}, SoundscapeRules(seconds=120, overlap=0), 1).plan()
    assert all(b.onset >= a.onset + a.seconds + 1 for a, b in itertools.pairwise(placed))


def test_the_first_stretch_of_a_clip_is_taken():
    clip = np.concatenate((silence(0.5), tone(1), silence(0.5), tone(0.5), silence(1.5), tone(1)))
    first, last = stretch(clip, RATE)
    assert first / RATE == pytest.approx(0.5, abs=0.05)  # a pause of 0.5 s is within it, one of 1.5 s ends it
    assert last / RATE == pytest.approx(2.5, abs=0.05)


def test_silence_has_no_stretch():
    assert stretch(silence(1), RATE) is None
    assert stretch(silence(0), RATE) is None
    assert cut(silence(1), RATE) is None


@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
def test_noise_has_unit_power(colour):
    assert np.mean(np.square(coloured_noise(colour, 2, RATE, 1))) == pytest.approx(1, rel=1e-3)


def test_a_loop_is_as_long_as_wanted_with_unit_power_and_no_hole():
    loop = looped([tone(1, 0.1), tone(1.5, 0.9)], 10, RATE, 1)
    assert len(loop) == 10 * RATE
    powers = np.square(loop).reshape(-1, RATE // 4).mean(axis=1)
    assert powers.min() > 0.3
    assert np.mean(np.square(loop)) == pytest.approx(1, rel=1e-3)


def test_a_sound_lies_at_its_snr_over_the_background():
    background = coloured_noise("pink", 10, RATE, 1) * np.float32(0.01)
    placed = [Placed("a", 0, 4.0, 1.0, snr_db=20.0)]
    mixed, gain_db = mix(background, placed, lambda _: tone(1), RATE)
    added = mixed - background
    under = background[4 * RATE : 5 * RATE]
    assert gain_db == 0
    assert not added[: 4 * RATE].any()
    assert 10 * np.log10(active_power(added[4 * RATE : 5 * RATE], RATE) / np.mean(under**2)) == pytest.approx(
        20, abs=0.1
    )


def test_what_would_clip_is_turned_down():
    background = coloured_noise("pink", 4, RATE, 1) * np.float32(0.2)
    mixed, gain_db = mix(background, [Placed("a", 0, 1.0, 1.0, snr_db=30.0)], lambda _: tone(1), RATE)
    assert np.abs(mixed).max() <= 1
    assert gain_db < 0


def test_a_room_keeps_the_onset_and_adds_a_tail():
    wet = convolved(tone(0.5), room(0.4, RATE, 1))
    assert wet[:30] == pytest.approx(tone(0.5)[:30], abs=1e-4)  # before the first reflection
    assert np.abs(wet[round(0.55 * RATE) :]).max() > 0.01


@pytest.fixture
def clips(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for name in ("bell", "door", "fan"):
        (tmp_path / "clips" / name).mkdir(parents=True)
        for number in range(2):
            sound = np.concatenate((silence(0.2), tone(1), silence(0.2)))
            soundfile.write(tmp_path / "clips" / name / f"{number}.wav", sound, RATE)
    return tmp_path / "clips"


def test_a_seed_says_everything_and_all_annotations_agree(clips, tmp_path, capsys):
    for folder in ("one", "two"):
        request = SoundscapeRequest(
            clips, tmp_path / folder, SoundscapeRules(seconds=30), count=2, rate=RATE, seed=3, format="wav"
        )
        assert soundscape(request) == 0
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / d).rglob("*.*")} for d in ("one", "two"))
    assert one == two
    assert one["soundscape-001.wav"] != one["soundscape-002.wav"]
    truths = [
        read_annotations(tmp_path / "one" / name)
        for name in ("soundscape-001.txt", "csv/soundscape-001.csv", "jams/soundscape-001.jams")
    ]
    assert truths[0] == truths[1]
    assert [(t.onset, t.label) for t in truths[0]] == [(t.onset, t.label) for t in truths[2]]
    assert "2.wav" in capsys.readouterr().out


def test_the_class_of_the_background_is_not_mixed_in(clips, tmp_path):
    soundscape(
        SoundscapeRequest(clips, tmp_path / "out", SoundscapeRules(seconds=30), background="fan", rate=RATE)
    )
    assert {a.label for a in read_annotations(tmp_path / "out" / "soundscape-001.txt")} == {"bell", "door"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"background": "violet"}, "expected white, pink, brown, a recording"),
        ({"exclude": ("x",)}, "no such class"),
        ({"folds": ("9",)}, "no such fold; the dataset has none"),
    ],
)
def test_faults_are_told(clips, tmp_path, fault, told):
    with pytest.raises(ConfigError, match=told):
        soundscape(
            SoundscapeRequest(clips, tmp_path / "out", SoundscapeRules(seconds=30), rate=RATE, **fault)
        )


def test_a_folder_with_something_in_it_is_left_alone(clips, tmp_path):
    with pytest.raises(ConfigError, match="not empty; choose another or add --overwrite"):
        soundscape(SoundscapeRequest(clips, clips, SoundscapeRules(seconds=30), rate=RATE))
