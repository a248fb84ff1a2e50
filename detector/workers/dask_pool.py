"""Tasks on a Dask cluster: the same messages as from `Pool`, wherever the workers are (extra `[dask]`).

Dask keeps nothing of its own: results are files that the tasks write. Small tasks go together, since each
costs the scheduler about 2 ms.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from detector import __version__
from detector.errors import DetectorError
from detector.workers.worker import Ended, Failed, Logged, Silent, TaskProgress, Work, outcome

CONNECT_SECONDS = 20
GROUP_BYTES = 20_000_000
"""Tasks go together up to this weight: ten minutes of sound, at 16 kHz and 16 bits."""
GROUPS_AHEAD = 4
"""Groups that wait at the scheduler for each thread of a worker."""
LOSSES = 5
"""How often the outcome of a task may be lost with the worker that had it."""
FAILURES = 1
"""How often a worker of a cluster of our own may die of a group before that is given up."""
OWN_CLUSTER = {
    "distributed.scheduler.allowed-failures": FAILURES,
    # After 15 s, as Dask has it, a worker that starts again on a busy machine would be given up for ever.
    "distributed.deploy.lost-worker-timeout": "1h",
    # Looking after themselves costs the processes of a cluster a tenth of a core in all; ours live shortly.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    # Dask has 64 KB. Memory that is given back after each window is asked for again at the next one: with
    # both networks that costs a third of the time.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Logs for those who look for faults of Dask: they grow over the first thousand tasks.
    "distributed.admin.low-level-log-length": 100,
}
"""Settings of Dask for a cluster of our own."""

Task = TypeVar("Task")
Result = TypeVar("Result")

_LOST: list[Any] = []
_KILLED: list[Any] = []
"""What `_outcomes` returns for groups without an outcome."""

_made = threading.local()
"""What does the tasks in this thread of a worker, and what it was made of."""


class DaskPool(Generic[Task, Result]):
    """Runs tasks on a cluster; a context manager that closes what it opened.

    `make` and the tasks must be picklable. `where` is `tcp://HOST:PORT` of a scheduler, or `local[N]` for N
    processes of our own. `weigh` gives a task's weight in bytes.
    """

    def __init__(
        self, make: Callable[[], Work[Task, Result]], where: str, *, weigh: Callable[[Task], int]
    ) -> None:
        self._make = pickle.dumps(make)
        self._where = where
        self._weigh = weigh
        try:
            self._dask: Any = import_module("distributed")
        except ImportError as error:
            raise DetectorError(
                "--dask needs the package distributed: pip install 'sound-detector[dask]'"
            ) from error

    def __enter__(self) -> Self:
        # What goes wrong is said by this program, in one line.
        for name in ("distributed", "distributed.client"):  # the second has a level of its own
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self._cluster = self._open_cluster()
        except Exception as error:
            raise DetectorError(
                f"the workers of {self._where} did not start ({type(error).__name__}: {_line(error)}); "
                "the same command tries again"
            ) from error
        address = self._where if self._cluster is None else self._cluster
        try:
            self._client: Any = self._dask.Client(address, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise DetectorError(f"no Dask scheduler answers at {self._where}: {error}") from error
        except Exception as error:
            raise self._not_understood(error) from error
        try:
            self._check_versions()
        except DetectorError:
            self.__exit__(None, None, None)
            raise
        except Exception as error:
            self.__exit__(None, None, None)
            raise self._not_understood(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def run(
        self, tasks: Sequence[Task], is_wanted: Callable[[int], bool] = lambda index: True
    ) -> Iterator[tuple[int, TaskProgress | Logged | Silent | Failed | Ended[Result]]]:
        """Do all tasks; yields the outcome of each, with its index: Ended or Failed.

        A task that is not wanted any more when its turn comes is left out. Raises DetectorError where the
        scheduler goes away, or a worker cannot be made.
        """
        waiting = self._wanted(tasks, is_wanted)
        queue = self._dask.as_completed()
        groups: dict[str, list[int]] = {}
        lost: Counter[int] = Counter()
        suspects: list[int] = []

        def submit(indexes: list[int]) -> Any:  # noqa: ANN401 (of a package that may be absent)
            return self._client.submit(_do_group, self._make, [tasks[i] for i in indexes], pure=False)

        def add(indexes: list[int] | None) -> None:
            if indexes is not None:
                future = submit(indexes)
                groups[future.key] = indexes
                queue.add(future)

        for _ in range(self._places * GROUPS_AHEAD):
            add(next(waiting, None))
        for future in queue:
            indexes = groups.pop(future.key)
            outcomes = self._outcomes(future, len(indexes))
            if outcomes is _LOST:
                lost.update(indexes)
                if max(lost[index] for index in indexes) > LOSSES:
                    raise self._gone()
                add(indexes)
                continue
            if outcomes is _KILLED:
                suspects += indexes
            else:
                yield from zip(indexes, outcomes, strict=True)
            future.release()
            add(next(waiting, None))
        # A worker that dies takes with it whatever waits there. Alone, the one at fault is found.
        for index in suspects:
            alone = _LOST
            while alone is _LOST:
                alone = self._outcomes(submit([index]), 1)
            killed = Failed("the workers that read it ended, again and again")
            yield index, killed if alone is _KILLED else alone[0]

    def _outcomes(self, future: Any, count: int) -> list[Failed | Ended[Result]]:  # noqa: ANN401
        """What became of a group of tasks; _LOST with its worker, _KILLED where workers died of it."""
        try:
            outcomes = future.result()
        except (asyncio.CancelledError, self._dask.client.FutureCancelledError) as error:
            if self._client.status != "running":
                raise self._gone() from error
            return _LOST
        except self._dask.KilledWorker:
            return _KILLED
        except OSError as error:
            raise self._gone() from error
        except Exception as error:
            return [Failed(f"{type(error).__name__}: {error}")] * count
        if isinstance(outcomes, DetectorError):
            raise outcomes
        return list(outcomes)

    def _not_understood(self, error: Exception) -> DetectorError:
        """Schedulers of other versions have other methods: what is raised then may be anything."""
        return DetectorError(
            f"the Dask scheduler at {self._where} and its workers do not understand distributed "
            f"{self._dask.__version__}, which is here: install one version everywhere "
            f"({type(error).__name__}: {_line(error)})"
        )

    def _gone(self) -> DetectorError:
        return DetectorError(
            f"the Dask scheduler at {self._where} went away; what is done is done: the same command goes on"
        )

    def _wanted(self, tasks: Sequence[Task], is_wanted: Callable[[int], bool]) -> Iterator[list[int]]:
        for group in self._groups(tasks):
            if left := [index for index in group if is_wanted(index)]:
                yield left

    def _groups(self, tasks: Sequence[Task]) -> Iterator[list[int]]:
        group: list[int] = []
        weight = 0
        for index, task in enumerate(tasks):
            weigh = self._weigh(task)
            if group and weight + weigh > GROUP_BYTES:
                yield group
                group, weight = [], 0
            group.append(index)
            weight += weigh
        if group:
            yield group

    @property
    def _places(self) -> int:
        """Threads of all workers that there are now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def _open_cluster(self) -> Any:  # noqa: ANN401 (of a package that may be absent)
        """A cluster of our own for `local[N]`; None for a scheduler that somebody else started."""
        if not self._where.startswith("local["):
            return None
        import_module("dask").config.set(OWN_CLUSTER)
        return self._dask.LocalCluster(
            n_workers=int(self._where[len("local[") : -1]),
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )

    def _check_versions(self) -> None:
        try:
            versions = self._client.run(_version)
        except ModuleNotFoundError as error:
            raise DetectorError(
                f"the workers at {self._where} lack sound-detector {__version__}: install it there, too"
            ) from error
        if other := sorted({version for version in versions.values() if version != __version__}):
            raise DetectorError(
                f"the workers at {self._where} have sound-detector {other[0]}, this is {__version__}: "
                "the same version is needed, or results would differ"
            )


def _line(error: Exception) -> str:
    """The first line of what an error says."""
    return str(error).strip().partition("\n")[0]


def _version() -> str:
    return __version__


def _do_group(pickled: bytes, tasks: Sequence[Any]) -> list[Failed | Ended[Any]] | DetectorError:
    """In a worker: do some tasks one after the other; each thread has what does them for itself."""
    if getattr(_made, "pickled", None) != pickled:
        try:
            _made.work = pickle.loads(pickled)()  # noqa: S301 - it comes from the user's own client
        except DetectorError as error:
            return error
        _made.pickled = pickled
    return [outcome(_made.work, task, lambda share, seconds: None) for task in tasks]
