"""Work for the tests of the pool, at module level so that it can be sent to other processes."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

from detector.errors import ModelError, UnsupportedFormat
from tests.support.fakes import wait_until


def doubler():
    """Work that doubles numbers."""
    return lambda number, tell: 2 * number


def careful_doubler():
    """Work that says how far it is, refuses 13 with one line and has a bug at 14."""

    def work(number, tell):
        tell(0.5, number)
        logging.getLogger("detector.test").warning("number %d", number)
        if number == 13:
            raise UnsupportedFormat("13 cannot be doubled")
        return {14: lambda: 1 // 0}.get(number, lambda: 2 * number)()

    return work


def mortal_doubler():
    """Work that kills its own process at 13, as the system does for want of memory."""

    def work(number, tell):
        if number == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number

    return work


class OnceMortal:
    """Work that kills its own process the first time that it is at 13."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self):
        def work(number, tell):
            if number == 13 and not self.mark.exists():
                self.mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return 2 * number

        return work


class DiesWhileItStarts:
    """Kills its own process while the work is made, the first `times` times."""

    def __init__(self, marks: Path, times: int) -> None:
        self.marks = marks
        self.times = times

    def __call__(self):
        started = len(list(self.marks.iterdir()))
        if started < self.times:
            (self.marks / str(started)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return doubler()


def missing_model():
    """No worker can be made."""
    raise ModelError("model fake is not on this machine")


class WaitingDoubler:
    """Makes work that hangs until there is a file."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __call__(self):
        def work(number, tell):
            wait_until(self._mark.exists)
            return 2 * number

        return work
