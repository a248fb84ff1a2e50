"""Many recordings in several processes, with a progress bar; one that cannot be read stops no other."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from detector.errors import DetectorError
from detector.evaluation.hearing import Heard, MakeEar
from detector.workers.pool import Pool
from detector.workers.worker import Ended, Failed, Logged, Work

log = logging.getLogger(__name__)

Outcome = dict[str, Heard] | str
"""What was heard through each pipeline, or in one line why nothing was."""


def hear_all(make: MakeEar, paths: Sequence[Path], *, jobs: int, quiet: bool = False) -> list[Outcome]:
    """One outcome for each path, in their order; `jobs` 1 stays in this process, 0 takes every core."""
    from tqdm import tqdm

    outcomes: dict[int, Outcome] = {}
    processes = min(jobs or os.cpu_count() or 1, len(paths))
    work = _here(make, paths) if processes <= 1 else _in_processes(make, paths, processes)
    with tqdm(total=len(paths), unit="file", disable=True if quiet else None) as bar:
        for index, outcome in work:
            outcomes[index] = outcome
            bar.update()
    return [outcomes[index] for index in range(len(paths))]


def _here(make: MakeEar, paths: Sequence[Path]) -> Iterator[tuple[int, Outcome]]:
    ear = make()
    for index, path in enumerate(paths):
        try:
            yield index, ear.hear(path)
        except DetectorError as error:
            yield index, str(error)


def _in_processes(make: MakeEar, paths: Sequence[Path], jobs: int) -> Iterator[tuple[int, Outcome]]:
    with Pool[Path, dict[str, Heard]](partial(_worker, make), jobs) as pool:
        for index, said in pool.run(paths):
            if isinstance(said, Ended):
                yield index, said.result
            elif isinstance(said, Failed):
                log.debug("evaluate.failed path=%s trace=%s", paths[index], said.trace)
                yield index, said.reason
            elif isinstance(said, Logged):
                log.log(said.level, "%s", said.text)


def _worker(make: MakeEar) -> Work[Path, dict[str, Heard]]:
    ear = make()

    def work(path: Path, tell: Callable[[float, float], None], /) -> dict[str, Heard]:
        return ear.hear(path)

    return work
