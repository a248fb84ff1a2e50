"""Verdicts in a running daemon: one thread stores embeddings and verdicts, and puts verdicts in force.

Nothing here holds up events: what the thread cannot take is dropped and counted. A verdict counts for the
next event that starts after it was stored.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from detector.errors import DetectorError, HistoryError, VerdictError
from detector.history.verdict_file import GivenVerdict, KeptMessage, VerdictFile
from detector.interfaces import Message
from detector.records import Embedding, Label
from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict
from detector.verdicts.verdict_book import VerdictBook
from detector.wire.message import EventBody, VerdictBody, utc_text
from detector.wire.request import VerdictLine

log = logging.getLogger(__name__)

QUEUE_LENGTH = 1000
"""Events whose embeddings may wait for the disk."""
BATCH_EVENTS = 20
"""Stored at once, at most: while they are, events themselves wait for the file."""
START_SECONDS = 5.0
"""How long the first reading may take before the daemon starts without verdicts."""
ANSWER_SECONDS = 10.0
"""How long the disk may take to store a verdict."""
REMIND_SECONDS = 60.0
"""Embeddings that are lost are logged at most this often."""


@dataclass(frozen=True, slots=True)
class _Task:
    """Something to do between two batches of events; an exception of it goes to whoever waits."""

    action: Callable[[], VerdictBody | None]
    done: Future[VerdictBody | None] = field(default_factory=Future)


class VerdictKeeper:
    """Owns the thread, and the book that the pipelines' stages read."""

    def __init__(
        self,
        file: VerdictFile,
        book: VerdictBook,
        labels: Callable[[], Sequence[Label]],
        *,
        use: bool,
        utc: Callable[[], float] = time.time,
    ) -> None:
        """`labels` are those that events may have now; without `use` verdicts are stored, and have no effect.

        `utc` is UTC seconds since 1970.
        """
        self._file = file
        self._book = book
        self._labels = labels
        self._use = use
        self._utc = utc
        self._jobs: queue.Queue[KeptMessage | _Task | None] = queue.Queue(QUEUE_LENGTH)
        self._thread = threading.Thread(target=self._run, name="verdicts", daemon=True)
        self._idle: tuple[EventVerdict, ...] = ()
        self._quiet_until = float("-inf")
        self._is_closing = False
        self.lost = 0
        """Events whose embeddings could not be stored."""

    def start(self) -> None:
        """Start the thread and put the stored verdicts in force."""
        self._thread.start()
        with suppress(VerdictError):  # a bug, which is logged
            self._await(self._read, START_SECONDS)

    def keep(self, message: Message, embedding: Embedding | None) -> None:
        """Store an event's embedding, and the event itself where it was vetoed; never waits, never raises."""
        event = message.body
        if not isinstance(event, EventBody) or (embedding is None and event.vetoed is None):
            return
        try:
            self._jobs.put_nowait(KeptMessage(message, embedding))
        except queue.Full:
            self._lose(1, "the disk is behind")

    def answer(self, request: VerdictLine) -> VerdictBody:
        """Store a verdict or take some back, and put what is left in force; waits for the disk.

        Raises VerdictError, HistoryError.
        """
        body = self._await(lambda: self._answer(request), ANSWER_SECONDS)
        if body is None:
            raise VerdictError("not stored yet: the disk does not answer, or the daemon ends")
        return body

    def change(self, *, use: bool, keep: int) -> None:
        """Go on with other settings, and with what commands have written meanwhile; does not wait."""
        self._use, self._file.keep = use, keep
        self._put(_Task(self._read))

    def close(self, deadline_seconds: float) -> None:
        """Store what is queued, then end the thread."""
        self._is_closing = True
        if self._thread.ident is not None:
            try:
                self._jobs.put(None, timeout=deadline_seconds)
            except queue.Full:
                return
            self._thread.join(deadline_seconds)

    def _await(self, action: Callable[[], VerdictBody | None], seconds: float) -> VerdictBody | None:
        task = _Task(action)
        if not self._put(task):
            return None
        try:
            return task.done.result(seconds)
        except TimeoutError:
            return None

    def _put(self, task: _Task) -> bool:
        if self._is_closing:
            return False
        try:
            self._jobs.put_nowait(task)
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        while True:
            batch, task, ends = self._next()
            if batch:
                self._store(batch)
            if task is not None:
                self._perform(task)
            if ends:
                return

    def _next(self) -> tuple[list[KeptMessage], _Task | None, bool]:
        """Events that wait, up to the first task or the end."""
        batch: list[KeptMessage] = []
        job = self._jobs.get()
        while isinstance(job, KeptMessage):
            batch.append(job)
            if len(batch) == BATCH_EVENTS:
                return batch, None, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, None, False
        return batch, job, job is None

    def _store(self, batch: Sequence[KeptMessage]) -> None:
        try:
            self._file.keep_events(batch)
        except HistoryError as error:
            self._lose(len(batch), str(error))
        except Exception:  # a bug here must not end the thread
            log.exception("verdicts.bug")

    def _perform(self, task: _Task) -> None:
        try:
            task.done.set_result(task.action())
        except DetectorError as error:
            task.done.set_exception(error)
        except Exception as error:
            log.exception("verdicts.bug")
            task.done.set_exception(VerdictError(f"{type(error).__name__}: {error}"))

    def _read(self) -> None:
        """Put in force what the file holds; where it cannot be read, what was in force stays."""
        try:
            given = self._file.verdicts() if self._use else []
        except HistoryError as error:
            if self._file.exists():
                log.warning('verdicts.unread error="%s"', error)
            return
        idle = tuple(self._book.exchange(given, self._labels()))
        if idle and idle != self._idle:
            names = sorted({name for each in idle for name in (each.label, each.said)} - {RIGHT, WRONG})
            log.warning("verdicts.without_effect count=%d labels=%r", len(idle), names)
        self._idle = idle

    def _answer(self, request: VerdictLine) -> VerdictBody:
        now = self._utc()
        if request.forget:
            taken = self._file.forget(request.forget)
            body = taken_back(taken, time=utc_text(now))
        else:
            labels = [label.name for label in self._labels()]
            given = self._file.give(request.id, request.said, at=now, labels=labels)
            body = stored(given, time=utc_text(now), use=self._use)
        self._read()
        return body

    def _lose(self, count: int, reason: str) -> None:
        self.lost += count
        # Why there is no file, the history itself says.
        if (now := time.monotonic()) >= self._quiet_until and self._file.exists():
            self._quiet_until = now + REMIND_SECONDS
            log.warning('verdicts.embeddings_lost count=%d error="%s"', self.lost, reason)


def stored(given: GivenVerdict, *, time: str | None, use: bool = True) -> VerdictBody:
    """Answer a verdict that was stored."""
    verdict, fallen = given.verdict, given.fell_out
    words = [f"{verdict.label} of {verdict.event_id}: {verdict.said}"]
    if given.replaced is not None:
        words.append(f"before: {given.replaced}")
    words.append(f"{given.on_label} verdict{'s' * (given.on_label != 1)} on {verdict.label}")
    if fallen is not None:
        words.append(f"the oldest fell out: {fallen.said} on {fallen.label} of {fallen.event_id}")
    if not use:
        words.append("without effect, as verdicts.use is false")
    return VerdictBody(
        id=verdict.event_id,
        label=verdict.label,
        said=verdict.said,
        replaced=given.replaced,
        fell_out=None if fallen is None else fallen.event_id,
        on_label=given.on_label,
        taken_back=0,
        message="; ".join(words),
        time=time,
    )


def taken_back(verdicts: Sequence[EventVerdict], *, time: str | None) -> VerdictBody:
    """Answer a request that took verdicts back; they are one at least."""
    newest = verdicts[-1]
    return VerdictBody(
        id=newest.event_id,
        label=newest.label,
        said=None,
        replaced=newest.said,
        fell_out=None,
        on_label=0,
        taken_back=len(verdicts),
        message=f"{len(verdicts)} verdict{'s' * (len(verdicts) != 1)} taken back",
        time=time,
    )
