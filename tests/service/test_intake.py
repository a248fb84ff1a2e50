"""What several captures deliver reaches one worker: all of it, each in its order, and each end once."""

from __future__ import annotations

import threading

import numpy as np

from detector.records import Block
from detector.service.capture import Capture, InlineCapture
from detector.service.intake import Delivery, Intake
from tests.support.fakes import LONG, FakeSource, cut

BLOCKS = cut(np.zeros(1000, np.int16), 100)


def deliveries(intake: Intake, count: int) -> list[Delivery]:
    found = []
    while len(found) < count:
        delivery = intake.next(LONG, 0.0)
        assert delivery is not None
        found.append(delivery)
    return found


def starts(found: list[Delivery], source: int) -> list[int | None]:
    """The first samples of what a source delivered, None for its end."""
    items = [delivery.item for delivery in found if delivery.source == source]
    return [item.start if isinstance(item, Block) else None for item in items]


def test_every_block_and_every_end_comes_once_and_in_order() -> None:
    captures = [Capture(FakeSource(BLOCKS), queue_blocks=2) for _ in range(3)]
    intake = Intake(captures)
    for capture in captures:
        capture.start()
    found = deliveries(intake, 33)
    for source in range(3):
        assert starts(found, source) == [*range(0, 1000, 100), None]
    assert list(intake.open) == []
    assert intake.next(0.01, 0.0) is None
    for capture in captures:
        capture.stop(LONG)


def test_a_source_that_waits_keeps_no_other_waiting() -> None:
    go_on = threading.Event()
    silent, talking = FakeSource([lambda: go_on.wait(LONG)]), FakeSource(BLOCKS)
    captures = [Capture(silent, queue_blocks=9), Capture(talking, queue_blocks=9)]
    intake = Intake(captures)
    for capture in captures:
        capture.start()
    found = deliveries(intake, 11)
    assert {delivery.source for delivery in found} == {1}
    assert list(intake.idle()) == [0]
    go_on.set()
    assert deliveries(intake, 1) == [Delivery(0, None)]
    for capture in captures:
        capture.stop(LONG)


def test_a_recording_lets_a_live_source_go_first() -> None:
    recording = InlineCapture(FakeSource(BLOCKS))
    live = Capture(FakeSource(BLOCKS), queue_blocks=9)
    intake = Intake([recording, live])
    recording.start()
    assert deliveries(intake, 1)[0].source == 0
    live.start()
    while not live.is_ready:
        threading.Event().wait(0.001)
    assert deliveries(intake, 1)[0].source == 1
    live.stop(LONG)
