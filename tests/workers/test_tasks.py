"""Laws of the work on many items: one outcome for each, in order, however many processes do it."""

from __future__ import annotations

import pytest

from detector.errors import DetectorError, ModelError
from detector.workers.tasks import run_tasks


def half(number: int) -> int:
    if number % 2:
        raise DetectorError(f"{number} is odd")
    return number // 2


def make_half():
    return half


def missing():
    raise ModelError("not on this machine")


def no_progress(what: str, done: int, total: int, note: str = "") -> None:
    """Nothing is shown."""


def plain(outcomes):
    return [str(one) if isinstance(one, DetectorError) else one for one in outcomes]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_has_its_outcome_in_order(jobs):
    outcomes = run_tasks(make_half, [4, 3, 8, 6], what="halving", jobs=jobs, progress=no_progress)
    assert plain(outcomes) == [2, "3 is odd", 4, 3]


def test_progress_counts_every_task():
    steps = []
    run_tasks(make_half, [2, 3, 4], what="halving", jobs=1, progress=lambda *step: steps.append(step))
    assert steps == [("halving", done, 3) for done in (1, 2, 3)]


def test_no_task_needs_no_work():
    assert run_tasks(missing, [], what="halving", jobs=1, progress=no_progress) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_no_process_can_do_without_is_raised(jobs):
    with pytest.raises(ModelError, match="not on this machine"):
        run_tasks(missing, [1, 2], what="halving", jobs=jobs, progress=no_progress)


def test_few_tasks_start_no_process():
    """A closure cannot be sent to another process."""
    seen = []

    def make():
        return seen.append

    run_tasks(make, [1, 2, 3], what="listing", jobs=2, progress=no_progress, tasks_per_process=4)
    assert seen == [1, 2, 3]
