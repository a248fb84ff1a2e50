"""The same work on many items, in several processes; an item that fails stops no other."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from detector.errors import DetectorError
from detector.workers.pool import Pool
from detector.workers.progress import Progress
from detector.workers.threads import one_thread
from detector.workers.worker import Ended, Failed, Logged, Work

log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

MakeWork = Callable[[], Callable[[Task], Result]]
"""Called once in each process, returns what does one task; picklable."""


def run_tasks(
    make_work: MakeWork[Task, Result],
    tasks: Sequence[Task],
    *,
    what: str,
    jobs: int,
    progress: Progress,
    tasks_per_process: int = 1,
) -> list[Result | DetectorError]:
    """Return one result, or the error in its place, for each task, in their order.

    `jobs`: processes at most; 1 stays in this process, 0 is one for each core. No process is started for
    fewer than `tasks_per_process` tasks, since starting one takes about a second. `what` names the step to
    `progress`. Raises the DetectorError that kept a worker from being made.
    """
    outcomes: dict[int, Result | DetectorError] = {}
    processes = min(jobs or cores(), -(-len(tasks) // tasks_per_process))
    work = _here(make_work, tasks) if processes <= 1 else _in_processes(make_work, tasks, processes)
    for index, outcome in work:
        outcomes[index] = outcome
        progress(what, len(outcomes), len(tasks))
    return [outcomes[index] for index in range(len(tasks))]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _here(
    make_work: MakeWork[Task, Result], tasks: Sequence[Task]
) -> Iterator[tuple[int, Result | DetectorError]]:
    if not tasks:
        return
    work = make_work()
    for index, task in enumerate(tasks):
        try:
            yield index, work(task)
        except DetectorError as error:
            yield index, error


def _in_processes(
    make_work: MakeWork[Task, Result], tasks: Sequence[Task], processes: int
) -> Iterator[tuple[int, Result | DetectorError]]:
    with Pool[Task, Result](partial(_worker, make_work), processes) as pool:
        for index, message in pool.run(tasks):
            if isinstance(message, Ended):
                yield index, message.result
            elif isinstance(message, Failed):
                log.debug("worker.failed task=%s trace=%s", tasks[index], message.trace)
                yield index, DetectorError(message.reason)
            elif isinstance(message, Logged):
                log.log(message.level, "%s", message.text)


def _worker(make_work: MakeWork[Task, Result]) -> Work[Task, Result]:
    one_thread()  # for as long as the process lives: there is one for each core
    work_on = make_work()

    def work(task: Task, tell: Callable[[float, float], None], /) -> Result:
        return work_on(task)

    return work
