"""The only thread that writes the history's file: a disk that hangs holds up this thread alone."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.audio.level_minute import LevelMinute
from detector.errors import HistoryError
from detector.history.picture_table import EventPicture
from detector.interfaces import Message

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""How often old events are looked for while nothing is written."""

MOST_MINUTES = 20_000
"""Minutes of levels that may wait for a disk that does not write: two weeks of one source."""

MOST_PICTURES = 200
"""Pictures that may wait: 1.3 MB."""

BATCH_MINUTES = 500
"""Minutes of levels written in one transaction, so that events never wait for long."""

BATCH_PICTURES = 20
"""The same for pictures."""


class Writable(Protocol):
    """What the thread needs of an EventStore."""

    def write(
        self,
        messages: Sequence[Message],
        minutes: Sequence[LevelMinute] = (),
        pictures: Sequence[EventPicture] = (),
    ) -> None:
        """Commit events, minutes of levels and pictures, all or none; raises HistoryError."""

    def tidy(self) -> bool:
        """Delete a few old events; returns whether there are more. Raises HistoryError."""

    def close(self) -> None:
        """Release the file."""


@dataclass(slots=True)
class WriteJob:
    """One batch on its way to the disk."""

    messages: Sequence[Message]
    error: HistoryError | None = None
    done: threading.Event = field(default_factory=threading.Event)


class _WakeUp:
    """There are levels or pictures to be written."""


class Writer:
    """Writes batches one by one; between them old events are deleted in small steps."""

    def __init__(self, store: Writable, on_done: Callable[[], None]) -> None:
        """`on_done` is called on the thread, after each job."""
        self._store = store
        self._on_done = on_done
        self._jobs: queue.SimpleQueue[WriteJob | _WakeUp | None] = queue.SimpleQueue()
        self._minutes: deque[LevelMinute] = deque()
        self._pictures: deque[EventPicture] = deque(maxlen=MOST_PICTURES)
        self._fails = False
        # A daemon thread: a write that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Start the thread; nothing is opened before the first job."""
        self._thread.start()

    def submit(self, messages: Sequence[Message]) -> WriteJob:
        """Hand over a batch; an empty one only opens the file."""
        job = WriteJob(messages)
        self._jobs.put(job)
        return job

    def keep_levels(self, minutes: Sequence[LevelMinute]) -> None:
        """Have levels written soon, and again after an error; never waits, never raises.

        Where too many wait the newest are lost.
        """
        self._minutes.extend(minutes[: max(0, MOST_MINUTES - len(self._minutes))])
        self._jobs.put(_WakeUp())

    def keep_picture(self, picture: EventPicture) -> None:
        """Have a picture written soon; never waits, never raises. Where too many wait the oldest are lost."""
        self._pictures.append(picture)
        self._jobs.put(_WakeUp())

    def close(self, deadline_seconds: float) -> bool:
        """Close the file after all jobs; returns whether that was done in time."""
        if self._thread.ident is None:
            return True
        self._jobs.put(None)
        self._thread.join(deadline_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        more = False
        while True:
            try:
                job = self._jobs.get(block=not more, timeout=IDLE_SECONDS)
            except queue.Empty:
                more = self._tidy()
                continue
            if job is None:
                break
            if isinstance(job, WriteJob):
                self._write(job)
            self._write_levels()
            self._write_pictures()
            more = self._tidy()  # also under load, when the next job is always there
        self._write_levels()
        self._close()

    def _write(self, job: WriteJob) -> None:
        try:
            self._store.write(job.messages)
        except HistoryError as error:
            job.error = error
        except Exception as error:  # a bug here must not silence the daemon
            log.debug("history.bug", exc_info=True)
            job.error = HistoryError(f"the history cannot be written: {type(error).__name__}: {error}")
        job.done.set()
        self._on_done()

    def _write_levels(self) -> None:
        """Write the levels that wait; what cannot be written waits for the next time."""
        while self._minutes:
            batch = [self._minutes.popleft() for _ in range(min(BATCH_MINUTES, len(self._minutes)))]
            try:
                self._store.write((), batch)
            except HistoryError as error:
                self._minutes.extendleft(reversed(batch))
                if not self._fails:
                    log.warning('history.levels_failed waiting=%d error="%s"', len(self._minutes), error)
                self._fails = True
                return
            except Exception:
                log.exception("history.bug")
                return
            if self._fails:
                log.warning("history.levels_recovered")
            self._fails = False

    def _write_pictures(self) -> None:
        """Write the pictures that wait; those that cannot be written are lost, unlike events and levels."""
        while self._pictures:
            batch = [self._pictures.popleft() for _ in range(min(BATCH_PICTURES, len(self._pictures)))]
            try:
                self._store.write((), (), batch)
            except HistoryError as error:
                log.debug('history.pictures_failed count=%d error="%s"', len(batch), error)
                self._pictures.clear()
            except Exception:
                log.exception("history.bug")

    def _tidy(self) -> bool:
        try:
            return self._store.tidy()
        except HistoryError as error:
            log.warning('history.tidy_failed error="%s"', error)
        except Exception:
            log.exception("history.bug")
        return False

    def _close(self) -> None:
        try:
            self._store.close()
        except Exception:
            log.exception("history.bug")
