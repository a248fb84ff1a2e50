"""Worker processes that survive the loss of one: its task is tried again in a fresh process, then given up.

The executors of the standard library lose every other task when one worker is killed (by the system for want
of memory, or by a fault in a decoder); here each worker has a pipe of its own and one task at a time.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Generic, Self, TypeVar

from detector.errors import DetectorError
from detector.workers.worker import Began, Ended, Failed, Logged, Silent, TaskProgress, Work, serve

TRIES = 2
"""Processes that may die of one task."""
STARTS = 10
"""Processes in a row that may die before they begin with a task; then it is the task's fault, too."""
END_SECONDS = 5.0
PATIENCE_SECONDS = 60.0

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Worker(Generic[Task]):
    process: SpawnProcess
    pipe: Connection
    task: int | None = None
    """Index of the task it is working on."""
    began: bool = False
    """It has begun with it, and does not start any more."""


@dataclass(slots=True)
class Pool(Generic[Task, Result]):
    """Runs tasks in `workers` processes; a context manager that leaves no process behind.

    `make` is called once in each process and returns what does the work; it must be importable there.
    """

    make: Callable[[], Work[Task, Result]]
    workers: int
    patience_seconds: float = PATIENCE_SECONDS
    """A task of which nothing comes for so long is told of."""
    _running: list[_Worker[Task]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._running:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._running:
            worker.process.join(END_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join(END_SECONDS)  # the system may keep one whose share hangs
        self._running.clear()

    def run(
        self, tasks: Sequence[Task], is_wanted: Callable[[int], bool] = lambda index: True
    ) -> Iterator[tuple[int, TaskProgress | Logged | Silent | Failed | Ended[Result]]]:
        """Do all tasks; yields the messages of each, with its index: the last one is either Ended or Failed.

        A task that is not wanted any more when its turn comes is left out. Raises the DetectorError that kept
        a worker from being made.
        """
        waiting = deque(range(len(tasks)))
        deaths = [0] * len(tasks)
        died_at_start = 0
        while True:
            while waiting and not is_wanted(waiting[0]):
                waiting.popleft()
            if not waiting and all(worker.task is None for worker in self._running):
                return
            if waiting and (worker := self._free()) is not None:
                worker.task, worker.began = waiting.popleft(), False
                self._send(worker, tasks[worker.task])
                continue
            by_pipe = {w.pipe: (w, w.task) for w in self._running if w.task is not None}
            ready = _ready(by_pipe, self.patience_seconds)
            if not ready:
                yield from ((index, Silent(self.patience_seconds)) for _, index in by_pipe.values())
            for pipe in ready:
                worker, index = by_pipe[pipe]
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):
                    died_at_start = 0 if worker.began else died_at_start + 1
                    deaths[index] += worker.began or died_at_start >= STARTS
                    status = self._bury(worker)
                    if deaths[index] < TRIES:
                        waiting.appendleft(index)
                    else:
                        yield (
                            index,
                            Failed(f"the process that read it ended {deaths[index]} times ({status})"),
                        )
                    continue
                if isinstance(message, DetectorError):
                    raise message
                if isinstance(message, Began):
                    worker.began = True
                    continue
                if isinstance(message, Failed | Ended):
                    worker.task = None
                yield index, message

    def _free(self) -> _Worker[Task] | None:
        """A worker without a task, a new one if there may be more; None where all are busy."""
        idle = next((worker for worker in self._running if worker.task is None), None)
        if idle is not None or len(self._running) >= self.workers:
            return idle
        # Not fork: a copy of a process with threads, such as a progress bar's, may hang.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.make), daemon=True)
        process.start()
        theirs.close()  # or its end would never be seen
        worker: _Worker[Task] = _Worker(process, ours)
        self._running.append(worker)
        return worker

    def _send(self, worker: _Worker[Task], task: Task) -> None:
        try:
            worker.pipe.send(task)
        except OSError:
            return  # it has died already: reading from it will tell

    def _bury(self, worker: _Worker[Task]) -> str:
        """Remove a worker that has ended; returns how it ended, for people."""
        self._running.remove(worker)
        worker.pipe.close()
        worker.process.join(END_SECONDS)
        code = worker.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"


def _ready(pipes: Iterable[Connection], seconds: float) -> list[Connection]:
    """Those that have something to say, or whose other end has gone; waits so long for one."""
    return [pipe for pipe in wait(list(pipes), seconds) if isinstance(pipe, Connection)]
