"""The table of an event's life: complete, and every life it allows is a sound one."""

import itertools

import pytest

from detector.events.hysteresis import TABLE, Observation, State

LETTERS = {"h": Observation.ABOVE, "L": Observation.LASTED, "q": Observation.BELOW, "X": Observation.EXPIRED}


def life(inputs):
    """What is told for each input, `s`tart, `e`nd or `.`; stops where the event is over."""
    state, told = State.RISING, ""
    for letter in inputs:
        state, telling = TABLE[state, LETTERS[letter]]
        told += telling[0] if telling else "."
        if state is State.OVER:
            break
    return told


def test_every_state_but_over_takes_every_input():
    living = [state for state in State if state is not State.OVER]
    assert set(TABLE) == set(itertools.product(living, Observation))


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ("LqqX", "s..e"),
        ("hhLX", "..se"),
        ("hqhqX", "....."),
        ("LqhqLqX", "s.....e"),
        ("qL", ".s"),
        ("X", "."),
    ],
)
def test_lives(inputs, told):
    assert life(inputs) == told


def test_every_life_of_six_windows_starts_at_most_once_and_ends_only_after_that():
    for inputs in itertools.product(LETTERS, repeat=6):
        told = life(inputs).replace(".", "")
        assert told in ("", "s", "se"), inputs
