"""A time limit for work that cannot be interrupted: a name that is looked up, an answer that drips."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


IsLate = Callable[[], bool]
"""Whether the time is over."""


class DeadlinePassed(Exception):
    """The time was over."""


def within(seconds: float, work: Callable[[IsLate], T]) -> T:
    """Run `work` for at most so long; DeadlinePassed then, and `work` can ask whether that is so.

    It has a thread of its own, which is left behind where it does not end. Its exceptions are raised here.
    """
    done: list[T] = []
    failed: list[BaseException] = []
    late = threading.Event()

    def run() -> None:
        try:
            done.append(work(late.is_set))
        except BaseException as error:  # raised anew below
            failed.append(error)

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        late.set()
        raise DeadlinePassed
    if failed:
        raise failed[0]
    return done[0]
