"""Work that goes on while the page is used: one at a time, with a state and a fault; it can be stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Literal, TypeAlias

from detector.errors import DetectorError
from detector.web.desk.refusals import Refused

log = logging.getLogger(__name__)

JobState: TypeAlias = Literal["none", "running", "done", "failed", "cancelled"]


class BackgroundJob:
    """One kind of work, which is done again and again."""

    def __init__(self, what: str) -> None:
        """`what` names the work, as in "a calibration runs already"."""
        self._what = what
        self._task: asyncio.Task[None] | None = None
        self.state: JobState = "none"
        self.error: str | None = None
        """Why it failed, in one line."""

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.state == "running"

    def check_free(self) -> None:
        """Raise Refused while it goes on."""
        if self.is_running:
            raise Refused(409, f"{self._what} runs already")

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Start; `check_free` was called. A DetectorError or OSError in it becomes `error`."""
        self.state, self.error = "running", None
        self._task = asyncio.create_task(self._run(work))

    async def cancel(self) -> None:
        """Stop it, if it goes on; else its end is forgotten."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        else:
            self.state, self.error = "none", None

    async def _run(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
            self.state = "done"
        except asyncio.CancelledError:
            self.state = "cancelled"
        except (DetectorError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            self.state, self.error = "failed", reason or str(error)
        except Exception as error:
            self.state, self.error = "failed", f"a fault in the page: {type(error).__name__}"
            log.exception("web.job_failed what=%s", self._what)
