"""Laws of the worker processes: every task has one outcome, whatever happens to the others."""

from __future__ import annotations

import pytest

from detector.errors import ModelError
from detector.workers.pool import TRIES, Pool
from detector.workers.worker import Ended, Failed, Logged, Silent, TaskProgress
from tests.support.pool_jobs import (
    DiesWhileItStarts,
    OnceMortal,
    WaitingDoubler,
    careful_doubler,
    doubler,
    missing_model,
    mortal_doubler,
)


def outcomes(make, tasks, workers=2):
    """What was said last of each task, by the task."""
    last = {}
    with Pool(make, workers) as pool:
        for index, said in pool.run(tasks):
            if isinstance(said, Ended | Failed):
                assert tasks[index] not in last
                last[tasks[index]] = said.result if isinstance(said, Ended) else said
    return last


def test_all_tasks_are_done():
    assert outcomes(doubler, [1, 2, 3, 4, 5]) == {1: 2, 2: 4, 3: 6, 4: 8, 5: 10}


def test_no_task_is_no_work():
    assert outcomes(doubler, []) == {}


def test_a_failure_costs_no_other_task():
    last = outcomes(careful_doubler, [12, 13, 14, 15])
    assert (last.pop(12), last.pop(15)) == (24, 30)
    assert last[13] == Failed("13 cannot be doubled")
    assert last[14].reason.startswith("ZeroDivisionError")
    assert "Traceback" in last[14].trace


def test_a_killed_worker_costs_only_the_task_that_killed_it():
    last = outcomes(mortal_doubler, [11, 13, 15, 17, 19], workers=2)
    failed = last.pop(13)
    assert last == {11: 22, 15: 30, 17: 34, 19: 38}
    assert "signal 9" in failed.reason


def test_a_task_whose_worker_died_once_is_tried_again(tmp_path):
    assert outcomes(OnceMortal(tmp_path / "mark"), [13, 14], workers=1) == {13: 26, 14: 28}


def test_a_worker_that_dies_while_it_starts_is_no_fault_of_the_task(tmp_path):
    assert outcomes(DiesWhileItStarts(tmp_path, 2 * TRIES), [13], workers=1) == {13: 26}


def test_workers_that_always_die_while_they_start_end_it(tmp_path, monkeypatch):
    monkeypatch.setattr("detector.workers.pool.STARTS", 2)
    last = outcomes(DiesWhileItStarts(tmp_path, 1000), [13, 14], workers=1)
    assert all("signal 9" in failed.reason for failed in last.values())
    assert len(last) == 2


def test_progress_and_log_lines_come_from_the_workers():
    with Pool(careful_doubler, 1) as pool:
        said = [said for _, said in pool.run([7])]
    assert said == [TaskProgress(0.5, 7), Logged(30, "number 7"), Ended(14)]


def test_what_no_worker_can_do_without_ends_it_all():
    with Pool(missing_model, 2) as pool, pytest.raises(ModelError, match="not on this machine"):
        list(pool.run([1, 2, 3]))


def test_leaving_early_leaves_no_process():
    pool = Pool(doubler, 2)
    with pool:
        next(pool.run([1, 2, 3, 4]))
        processes = [worker.process for worker in pool._running]
        assert processes
    assert not any(process.is_alive() for process in processes)


def test_a_task_that_is_not_wanted_any_more_is_left_out():
    left = []
    with Pool(doubler, 1) as pool:
        for index, said in pool.run([1, 2, 3, 4], lambda index: index < 1 or index == 3):
            left.append((index, said))
    assert left == [(0, Ended(2)), (3, Ended(8))]


def test_a_task_of_which_nothing_comes_is_told_of_and_goes_on(tmp_path):
    said = []
    with Pool(WaitingDoubler(tmp_path / "go"), 1, patience_seconds=0.05) as pool:
        for _, message in pool.run([7]):
            said.append(message)
            (tmp_path / "go").touch()
    assert said[0] == Silent(0.05)
    assert said[-1] == Ended(14)
