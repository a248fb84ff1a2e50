"""The same outcomes from a Dask cluster as from processes of our own."""

from __future__ import annotations

import os

import pytest

from detector.errors import DetectorError, ModelError
from detector.workers.dask_pool import GROUP_BYTES, DaskPool
from detector.workers.worker import Ended, Failed
from tests.support.pool_jobs import OnceMortal, careful_doubler, doubler, missing_model, mortal_doubler

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def scheduler():
    """A cluster that is there before the program, with two workers."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def outcomes(make, tasks, where, *, weight=1):
    """What was said of each task, by the task; each is said once."""
    found = {}
    with DaskPool(make, where, weigh=lambda task: weight) as pool:
        for index, said in pool.run(tasks):
            assert tasks[index] not in found
            found[tasks[index]] = said.result if isinstance(said, Ended) else said
    return found


@pytest.mark.parametrize("weight", [1, GROUP_BYTES])
def test_all_tasks_are_done_together_or_each_for_itself(scheduler, weight):
    assert outcomes(doubler, [*range(40)], scheduler, weight=weight) == {n: 2 * n for n in range(40)}


def test_no_task_is_no_work(scheduler):
    assert outcomes(doubler, [], scheduler) == {}


def test_a_failure_costs_no_other_task(scheduler):
    found = outcomes(careful_doubler, [12, 13, 14, 15], scheduler)
    assert (found.pop(12), found.pop(15)) == (24, 30)
    assert found[13] == Failed("13 cannot be doubled")
    assert found[14].reason.startswith("ZeroDivisionError") and "Traceback" in found[14].trace


def test_workers_of_our_own_keep_the_memory_that_they_need_again(monkeypatch):
    """With Dask's threshold of 64 KB, reading recordings takes a third longer."""
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with DaskPool(doubler, "local[1]", weigh=lambda task: 1) as pool:
        assert set(pool._client.run(os.getenv, "MALLOC_TRIM_THRESHOLD_").values()) == {None}


def test_a_worker_that_dies_again_and_again_costs_only_the_task_that_kills_it():
    found = outcomes(mortal_doubler, [11, 13, 15, 17], "local[2]")
    assert found.pop(13) == Failed("the workers that read it ended, again and again")
    assert found == {11: 22, 15: 30, 17: 34}


def test_a_task_whose_worker_died_once_is_tried_again(scheduler, tmp_path):
    found = outcomes(OnceMortal(tmp_path / "mark"), [13, 14], scheduler, weight=GROUP_BYTES)
    assert found == {13: 26, 14: 28}


def test_a_worker_that_takes_long_to_start_again_is_waited_for(tmp_path):
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"}):
        found = outcomes(OnceMortal(tmp_path / "mark"), [13, 14], "local[1]", weight=GROUP_BYTES)
    assert found == {13: 26, 14: 28}


def test_what_no_worker_can_do_without_ends_it_all(scheduler):
    with pytest.raises(ModelError, match="not on this machine"):
        outcomes(missing_model, [1, 2, 3], scheduler)


def test_a_scheduler_that_is_not_there_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr("detector.workers.dask_pool.CONNECT_SECONDS", 1)
    with pytest.raises(DetectorError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1: ") as said:
        outcomes(doubler, [1], "tcp://127.0.0.1:1")
    assert "\n" not in str(said.value)


def test_workers_of_another_version_are_refused(scheduler, monkeypatch):
    monkeypatch.setattr("detector.workers.dask_pool.__version__", "0.0.1")
    with pytest.raises(DetectorError, match=r"have sound-detector .*, this is 0\.0\.1"):
        outcomes(doubler, [1], scheduler)


def test_a_scheduler_of_another_version_of_dask_is_said_in_one_line(scheduler, monkeypatch):
    def client(*given, **named):
        """What a client of 2026.8 says to a scheduler of 2025.1."""
        raise TypeError("Scheduler.identity() got an unexpected keyword argument 'n_workers'\nmore")

    monkeypatch.setattr(distributed, "Client", client)
    with pytest.raises(
        DetectorError, match=r"do not understand distributed .*: install one version everywhere \(TypeError: "
    ) as said:
        outcomes(doubler, [1], scheduler)
    assert "\n" not in str(said.value)


def test_workers_of_our_own_that_do_not_start_are_said_in_one_line(monkeypatch):
    def cluster(**named):
        """What a cluster says when a worker is killed while it starts."""
        raise RuntimeError("Nanny failed to start.\nmore")

    monkeypatch.setattr(distributed, "LocalCluster", cluster)
    with pytest.raises(
        DetectorError, match=r"workers of local\[2\] did not start \(RuntimeError: .*\.\); the same"
    ) as said:
        outcomes(doubler, [1], "local[2]")
    assert "\n" not in str(said.value)


def test_a_scheduler_that_goes_away_is_said_in_one_line():
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        pool = DaskPool(doubler, cluster.scheduler_address, weigh=lambda task: GROUP_BYTES)
        with pool:
            said = pool.run([*range(10_000)])
            next(said)
            cluster.close()
            with pytest.raises(
                DetectorError, match="went away; what is done is done: the same command goes on"
            ):
                list(said)
