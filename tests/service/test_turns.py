"""Several sources, one worker: who costs least is never kept waiting by who costs most."""

from __future__ import annotations

from detector.service.turns import HALVING_SECONDS, Turns


def served(costs: list[float], arrivals: list[float], seconds: float, *, can_wait: list[bool]) -> list[int]:
    """Simulate a worker: blocks arrive every `arrivals` [s] and cost `costs` [s]; count the blocks done."""
    turns, now = Turns(can_wait), 0.0
    done = [0] * len(costs)
    while now < seconds:
        ready = [i for i, every in enumerate(arrivals) if can_wait[i] or now // every > done[i]]
        if not ready:
            now += 0.01
            continue
        source = turns.pick(ready)
        now += costs[source]
        turns.spent(source, costs[source], now)
        done[source] += 1
    return done


def test_while_there_is_time_everybody_gets_everything() -> None:
    assert served([0.01, 0.02], [0.12, 0.12], 60, can_wait=[False, False]) == [499, 499]


def test_a_quiet_source_gets_all_it_needs_beside_one_that_is_too_much() -> None:
    """500 blocks come in a minute; the loud source costs twice what the machine has."""
    quiet, loud = served([0.005, 0.24], [0.12, 0.12], 60, can_wait=[False, False])
    assert quiet >= 495
    assert 230 <= loud <= 250


def test_two_that_are_too_much_share_alike() -> None:
    one, other = served([0.24, 0.24], [0.12, 0.12], 60, can_wait=[False, False])
    assert abs(one - other) <= 1


def test_a_recording_takes_what_is_left() -> None:
    live, recording = served([0.06, 0.01], [0.12, 0.12], 60, can_wait=[False, True])
    assert live >= 495
    assert recording >= 2900


def test_what_was_used_long_ago_does_not_count() -> None:
    turns = Turns([False, False])
    turns.spent(0, 100.0, now=0.0)
    for minute in range(20):
        turns.spent(1, 1.0, now=HALVING_SECONDS * (minute + 1))
    assert turns.pick([0, 1]) == 0
