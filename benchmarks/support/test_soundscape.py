"""The soundscape's onsets are where its sounds begin."""

import csv

import numpy as np
import pytest

from benchmarks import ROOT
from benchmarks.support.sounds import RATE
from benchmarks.support.soundscape import LABELS, SPACING_SECONDS, attack, clear_attacks, make


def tone(seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)


def after_silence(sound: np.ndarray, seconds: float) -> np.ndarray:
    return np.concatenate((np.zeros(round(seconds * RATE)), sound))


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.23])
def test_a_sudden_sound_begins_after_the_silence(seconds: float) -> None:
    assert attack(after_silence(tone(1.0), seconds)) == round(seconds * RATE)


def test_a_sound_that_swells_has_no_clear_attack() -> None:
    assert attack(tone(2.0) * np.linspace(0, 1, 2 * RATE) ** 2) is None


def test_silence_has_no_attack() -> None:
    assert attack(np.zeros(RATE)) is None


def test_each_onset_is_where_the_level_rises() -> None:
    clips = clear_attacks([("Rain", after_silence(tone(3.0), 0.5)), ("Rooster", tone(3.0))])
    samples, onsets = make(clips, 6)
    power = np.square(samples / 32768)
    for onset in onsets:
        before, after = (power[s : s + 800].mean() for s in (onset.sample - 800, onset.sample))
        assert after > 4 * before
    apart = np.diff([onset.sample for onset in onsets]) / RATE
    assert (apart >= SPACING_SECONDS[0]).all() and (apart <= SPACING_SECONDS[1]).all()


def test_every_right_label_is_one_of_the_models() -> None:
    with (ROOT / "models" / "yamnet" / "labels.csv").open(encoding="utf-8", newline="") as file:
        known = {field for row in csv.reader(file) for field in row}
    assert frozenset().union(*LABELS.values()) <= known
