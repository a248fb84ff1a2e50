"""Many files in several processes; one that cannot be done stops no other."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from detector.errors import DetectorError
from detector.training.recipe import Progress
from detector.workers.pool import Pool
from detector.workers.threads import one_thread
from detector.workers.worker import Ended, Failed, Logged, Work

log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

Make = Callable[[], Callable[[Task], Result]]
"""Called once in each process, returns what does one task; picklable."""

WORTH_A_PROCESS = 4
"""Tasks that a process should have: fewer are done before it has started."""


def do_all(
    make: Make[Task, Result], tasks: Sequence[Task], *, what: str, jobs: int, progress: Progress
) -> list[Result | DetectorError]:
    """One outcome for each task, in their order; `jobs` 1 stays in this process, 0 takes every core.

    Raises the DetectorError that kept a worker from being made.
    """
    outcomes: dict[int, Result | DetectorError] = {}
    processes = min(jobs or cores(), -(-len(tasks) // WORTH_A_PROCESS))
    work = _here(make, tasks) if processes <= 1 else _in_processes(make, tasks, processes)
    for index, outcome in work:
        outcomes[index] = outcome
        progress(what, len(outcomes), len(tasks))
    return [outcomes[index] for index in range(len(tasks))]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _here(make: Make[Task, Result], tasks: Sequence[Task]) -> Iterator[tuple[int, Result | DetectorError]]:
    if not tasks:
        return
    work = make()
    for index, task in enumerate(tasks):
        try:
            yield index, work(task)
        except DetectorError as error:
            yield index, error


def _in_processes(
    make: Make[Task, Result], tasks: Sequence[Task], jobs: int
) -> Iterator[tuple[int, Result | DetectorError]]:
    with Pool[Task, Result](partial(_worker, make), jobs) as pool:
        for index, said in pool.run(tasks):
            if isinstance(said, Ended):
                yield index, said.result
            elif isinstance(said, Failed):
                log.debug("train.failed task=%s trace=%s", tasks[index], said.trace)
                yield index, DetectorError(said.reason)
            elif isinstance(said, Logged):
                log.log(said.level, "%s", said.text)


def _worker(make: Make[Task, Result]) -> Work[Task, Result]:
    one_thread()  # for as long as the process lives: there is one for each core
    do = make()

    def work(task: Task, tell: Callable[[float, float], None], /) -> Result:
        return do(task)

    return work
