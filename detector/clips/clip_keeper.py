"""The daemon's end of the clip process: a bounded queue, and a thread that hands over and counts.

Nobody waits for it but a recording that is read as fast as possible. A process that dies costs the clip it
worked on; it is told, and started again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from detector.clips.clip_counts import ClipCounts
from detector.clips.clip_link import ClipLink
from detector.clips.clip_record import ClipRequest
from detector.clips.clip_writer import (
    ClipDropped,
    ClipFailed,
    ClipOutcome,
    ClipSaved,
    ClipWriter,
    FolderSwept,
)
from detector.interfaces import Body
from detector.wire.message import ClipBody, utc_text

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""How soon it is told what is wrong with the folder at the start."""
QUIET_SECONDS = 10.0
"""How soon it is noticed, once all is well, that an idle process has died or has deleted clips."""
CLOSE_SECONDS = 4.0
"""How long the end of the daemon may wait for clips; a service manager waits longer."""
BEHIND = "the writer of clips is behind"


class ClipKeeper:
    """Judges and writes clips in another process, in order, and publishes what became of each.

    `publish` gets a message for each clip; `tell` gets a line for people when clips stop or begin to be kept.
    Both are called on other threads and must not wait.
    """

    def __init__(
        self,
        writer: ClipWriter,
        *,
        publish: Callable[[Body], object],
        tell: Callable[[str], object] = lambda line: None,
        queue_length: int = 4,
        close_seconds: float = CLOSE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._tell = tell
        self._monotonic = monotonic
        self._close_seconds = close_seconds
        self._queue: queue.Queue[ClipRequest | None] = queue.Queue(queue_length)
        self._counts = ClipCounts()
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._is_settled = False
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)
        self._link = ClipLink(
            writer, on_folder=self._note_folder, on_fault=self._complain, monotonic=monotonic
        )

    @property
    def counts(self) -> ClipCounts:
        """What became of clips so far."""
        return replace(self._counts, pending=self._queue.qsize())

    @property
    def process_id(self) -> int | None:
        """Of the process that writes; None where there is none now."""
        return self._link.process_id

    def start(self) -> None:
        """Begin; the process tells soon what is wrong with the folder."""
        self._thread.start()

    def submit(self, request: ClipRequest, *, wait: bool = False) -> None:
        """Hand over a clip; where there is no room it is lost and counted, unless `wait` says to wait."""
        while not self._closing.is_set():
            try:
                self._queue.put(request, timeout=IDLE_SECONDS if wait else None, block=wait)
            except queue.Full:
                if wait:
                    continue
                break
            return
        self._lose(request, BEHIND)

    def close(self, *, in_time: bool = True) -> None:
        """Write what is waiting, for at most CLOSE_SECONDS unless there is time, then end the process."""
        if self._thread.ident is None:
            return
        deadline = self._monotonic() + self._close_seconds if in_time else None
        while self._thread.is_alive():
            try:
                self._queue.put_nowait(None)
                break
            except queue.Full:
                if deadline is not None and self._monotonic() > deadline:
                    break
                time.sleep(0.05)
        self._thread.join(None if deadline is None else max(0.0, deadline - self._monotonic()))
        self._closing.set()
        if self._thread.is_alive():
            self._link.kill()  # the thread gives up what it waits for, and all that is queued
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        self._link.ready()  # so that what is wrong with the folder is told at once
        while True:
            try:
                request = self._queue.get(timeout=QUIET_SECONDS if self._is_settled else IDLE_SECONDS)
            except queue.Empty:
                if self._closing.is_set():
                    break
                if self._link.ready():
                    self._link.listen()
                continue
            if request is None:
                break
            self._finish(request, self._answer(request))
        self._link.close()

    def _answer(self, request: ClipRequest) -> ClipOutcome | None:
        """What became of a clip; None where there is no process for it."""
        self._link.listen()  # it may have died while it was idle, which costs no clip
        while not self._link.ready():
            if self._closing.wait(0.1):
                return None
        return self._link.ask(request)

    def _finish(self, request: ClipRequest, outcome: ClipOutcome | None) -> None:
        if outcome is None:
            self._lose(request, "the writer of clips ended")
        elif isinstance(outcome, ClipSaved):
            self._count(saved=1)
            self._recover()
            log.debug("clips.saved path=%s bytes=%d", outcome.path, outcome.size)
            self._publish(_body(request, "saved", path=outcome.path))
        elif isinstance(outcome, ClipDropped):
            self._count(**{outcome.reason: 1})
            if outcome.detail:
                self._complain(outcome.detail)
            self._publish(_body(request, "dropped", reason=outcome.reason))
        elif isinstance(outcome, ClipFailed):
            self._count(failed=1)
            self._complain(outcome.reason)
            self._publish(_body(request, "failed", reason=outcome.reason))

    def _lose(self, request: ClipRequest, reason: str) -> None:
        self._count(lost=1)
        log.warning("clips.lost clip=%s reason=%r", request.facts.id, reason)
        self._publish(_body(request, "failed", reason=reason))

    def _note_folder(self, swept: FolderSwept) -> None:
        self._is_settled = True
        if swept.fault:
            self._complain(swept.fault)
            return
        if swept.deleted:
            log.info("clips.deleted clips=%d %s", swept.deleted, swept.detail)
        with self._guard:
            self._counts = replace(
                self._counts,
                stored=swept.clips,
                stored_bytes=swept.size,
                deleted=self._counts.deleted + swept.deleted,
            )

    def _count(self, **more: int) -> None:
        with self._guard:
            changed = {name: getattr(self._counts, name) + count for name, count in more.items()}
            self._counts = replace(self._counts, **changed)

    def _complain(self, line: str) -> None:
        """Log a fault; tell of the first one."""
        log.warning("clips.fault %s", line)
        if self._counts.working:
            with self._guard:
                self._counts = replace(self._counts, working=False)
            self._tell(line)

    def _recover(self) -> None:
        if not self._counts.working:
            with self._guard:
                self._counts = replace(self._counts, working=True)
            log.warning("clips.recovered clips are kept again")
            self._tell("clips are kept again")


def _body(request: ClipRequest, state: str, *, path: str | None = None, reason: str = "") -> ClipBody:
    facts = request.facts
    return ClipBody(
        id=facts.id,
        state=state,
        reason=reason,
        path=path,
        label=facts.label,
        start_time=facts.start_time,
        duration=facts.duration,
        events=tuple(sound.id for sound in facts.sounds),
        source=facts.source,
        time=utc_text(time.time()),
    )
