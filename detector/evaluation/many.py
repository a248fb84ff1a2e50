"""Many recordings in several processes, with a progress bar; one that cannot be read stops no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from detector.errors import DetectorError
from detector.evaluation.hearing import Heard, MakeEar
from detector.workers.progress import ProgressBars
from detector.workers.tasks import run_tasks

Outcome = dict[str, Heard] | DetectorError
"""What was heard through each pipeline, or the error why nothing was."""


def hear_all(make: MakeEar, paths: Sequence[Path], *, jobs: int, quiet: bool = False) -> list[Outcome]:
    """One outcome for each path, in their order; `jobs` 1 stays in this process, 0 takes every core."""
    with ProgressBars(quiet=quiet) as progress:
        return [*run_tasks(partial(_work, make), paths, what="recordings", jobs=jobs, progress=progress)]


def _work(make: MakeEar) -> Callable[[Path], dict[str, Heard]]:
    return make().hear
