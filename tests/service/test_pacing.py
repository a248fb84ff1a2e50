"""Who is late leaves out windows, then sound, so that alarms are told soon; quiet rooms notice nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from detector.service.pacing import (
    CALM_SECONDS,
    LONGEST_CALM_SECONDS,
    LOST_SECONDS,
    ON_TIME_SECONDS,
    PATIENCE_SECONDS,
    RELAPSE_SECONDS,
    Pacing,
    Thinning,
)
from detector.service.turns import Turns

BLOCK_SECONDS = 0.12


@dataclass
class Room:
    """A live source: what a block costs by itself, and what the windows in it cost [s]."""

    block_cost: float
    window_cost: float
    until: float = float("inf")
    pacing: Pacing = field(default_factory=Pacing)
    thinning: Thinning = field(default_factory=Thinning)
    heard: int = 0
    given_up: int = 0
    taken: int = 0
    late: list[tuple[float, float]] = field(default_factory=list)

    def is_ready(self, now: float) -> bool:
        return now // BLOCK_SECONDS > self.taken

    def take(self, now: float) -> float:
        """Take the next block at `now`; what it costs [s]."""
        arrived = (self.taken + 1) * BLOCK_SECONDS
        self.taken += 1
        late = self.pacing.late(arrived, BLOCK_SECONDS, now)
        self.thinning.follow(late, now)
        self.late.append((now, now - arrived))
        if self.thinning.gives_up:
            self.given_up += 1
            return 0.00001
        self.heard += 1
        sounds = arrived < self.until
        return self.block_cost + (self.window_cost / self.thinning.factor if sounds else 0.0)

    def latest(self, since: float = 0.0) -> float:
        return max(late for at, late in self.late if at >= since)


def run(rooms: list[Room], seconds: float) -> None:
    """One worker for all rooms, for so many seconds of simulated time."""
    turns, now = Turns([False] * len(rooms)), 0.0
    while now < seconds:
        ready = [i for i, room in enumerate(rooms) if room.is_ready(now)]
        if not ready:
            now += 0.005
            continue
        source = turns.pick(ready)
        cost = rooms[source].take(now)
        now += cost
        turns.spent(source, cost, now)


def test_while_there_is_time_nothing_is_left_out() -> None:
    rooms = [Room(0.001, 0.003) for _ in range(16)]
    run(rooms, 60)
    assert all(room.thinning.factor == 1 and room.given_up == 0 for room in rooms)
    assert max(room.latest() for room in rooms) < ON_TIME_SECONDS


def test_too_many_sounds_leave_out_windows_and_no_sound() -> None:
    """Sixteen rooms want 1.6 times what there is; half of the windows make it 0.9."""
    rooms = [Room(0.001, 0.011) for _ in range(16)]
    run(rooms, 120)
    assert all(room.given_up == 0 for room in rooms)
    assert max(room.latest() for room in rooms) < LOST_SECONDS
    assert max(room.latest(since=60) for room in rooms) < LOST_SECONDS


def test_what_is_too_much_all_the_same_loses_sound_and_is_heard_soon() -> None:
    """A queue of a minute does not fill up: what is heard is at most some seconds old."""
    rooms = [Room(0.02, 0.02) for _ in range(16)]
    run(rooms, 180)
    assert all(room.given_up > 0 for room in rooms)
    assert all(room.heard > 100 for room in rooms)
    assert max(room.latest(since=60) for room in rooms) < LOST_SECONDS + 2


def test_a_flood_in_other_rooms_keeps_no_quiet_room_waiting() -> None:
    quiet = Room(0.001, 0.004)
    run([*(Room(0.004, 0.02) for _ in range(15)), quiet], 120)
    assert quiet.thinning.factor == 1
    assert quiet.given_up == 0
    assert quiet.latest() < 2 * ON_TIME_SECONDS  # at the start nobody has used anything yet
    assert quiet.latest(since=10) < ON_TIME_SECONDS


def test_rooms_that_are_too_much_alike_are_served_alike() -> None:
    rooms = [Room(0.01, 0.03) for _ in range(8)]
    run(rooms, 120)
    heard = [room.heard for room in rooms]
    assert min(heard) > 0.8 * max(heard)


def test_all_windows_are_back_when_it_is_quiet_again() -> None:
    rooms = [Room(0.001, 0.03, until=30.0) for _ in range(8)]
    run(rooms, 30 + 3 * CALM_SECONDS)
    assert all(room.thinning.factor == 1 for room in rooms)
    assert max(room.latest(since=60) for room in rooms) < ON_TIME_SECONDS


def test_a_hiccup_leaves_nothing_out() -> None:
    thinning = Thinning()
    for i in range(10):
        thinning.follow(1.5, i * PATIENCE_SECONDS / 10)
    thinning.follow(0.0, PATIENCE_SECONDS)
    assert thinning.factor == 1


def test_who_is_late_again_at_once_must_be_on_time_for_longer() -> None:
    thinning, now, waits = Thinning(), 0.0, []
    for _ in range(8):
        while thinning.factor == 1:
            now += 0.5
            thinning.follow(2.0, now)
        began = now
        while thinning.factor == 2:
            now += 0.5
            thinning.follow(0.0, now)
        waits.append(now - began)
    assert waits[0] == pytest.approx(CALM_SECONDS, abs=1)
    assert waits[1] == pytest.approx(2 * CALM_SECONDS, abs=1)
    assert waits[-1] == pytest.approx(LONGEST_CALM_SECONDS, abs=1)
    now += RELAPSE_SECONDS
    thinning.follow(0.0, now)
    while thinning.factor == 1:
        now += 0.5
        thinning.follow(2.0, now)
    began = now
    while thinning.factor == 2:
        now += 0.5
        thinning.follow(0.0, now)
    assert now - began == pytest.approx(CALM_SECONDS, abs=1)


def test_a_burst_is_due_as_it_would_have_sounded() -> None:
    """Half a minute comes at once and is worked off in three seconds: nothing of it is late."""
    pacing = Pacing()
    late = [pacing.late(10.0, BLOCK_SECONDS, 10.0 + i * 0.012) for i in range(250)]
    assert max(late) == 0.0


def test_behind_a_burst_the_worker_is_seen_to_be_late_after_some_minutes() -> None:
    pacing = Pacing()
    for _ in range(250):
        pacing.late(10.0, BLOCK_SECONDS, 10.0)
    late = [
        pacing.late(10.0 + i * BLOCK_SECONDS, BLOCK_SECONDS, 20.0 + i * BLOCK_SECONDS) for i in range(2500)
    ]
    assert late[0] == 0.0
    assert late[-1] == pytest.approx(10.0)


def test_what_waited_while_the_program_stood_still_is_not_late() -> None:
    pacing = Pacing()
    pacing.excuse(60.0)
    assert pacing.late(5.0, BLOCK_SECONDS, 60.5) == pytest.approx(0.5)
