"""The daemon's end of the pipe to the clip process: starts it, asks it, and notices that it died."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from detector.clips.clip_process import serve_clips
from detector.clips.clip_record import ClipRequest
from detector.clips.clip_writer import ClipOutcome, ClipWriter, FolderSwept

POLL_SECONDS = 1.0
"""How soon it is noticed that the daemon ends."""
ANSWER_SECONDS = 120.0
"""A process that takes longer for one clip hangs, and is replaced."""
END_SECONDS = 4.0
MOST_PAUSE_SECONDS = 60.0
"""Longest pause before a process that dies again and again is started anew."""


class ClipLink:
    """One process at a time; used by one thread, but for `kill` and `process_id`.

    `on_folder` gets what the process says of the folder, `on_fault` a line for people when it died.
    """

    def __init__(
        self,
        writer: ClipWriter,
        *,
        on_folder: Callable[[FolderSwept], None],
        on_fault: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._on_folder = on_folder
        self._on_fault = on_fault
        self._monotonic = monotonic
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._deaths = 0
        self._not_before = float("-inf")
        self._is_closing = False

    @property
    def process_id(self) -> int | None:
        """Of the process that writes; None where there is none now."""
        process = self._process
        return None if process is None else process.pid

    def ready(self) -> bool:
        """Whether there is a process; starts one unless the last one has just died."""
        if self._process is not None:
            return True
        if self._monotonic() < self._not_before or self._is_closing:
            return False
        context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
        ours, theirs = context.Pipe()
        process = context.Process(target=serve_clips, args=(theirs, self._writer), daemon=True)
        try:
            process.start()
        except OSError as error:
            ours.close()
            self._pause()
            self._on_fault(f"the writer of clips cannot be started: {error.strerror or error}")
            return False
        finally:
            theirs.close()  # or its end would never be seen
        self._process, self._pipe = process, ours
        return True

    def ask(self, request: ClipRequest) -> ClipOutcome | None:
        """What became of a clip; None where the process died of it, or with it."""
        pipe, deadline = self._pipe, self._monotonic() + ANSWER_SECONDS
        if pipe is None:
            return None
        try:
            pipe.send(request)
            while self._monotonic() < deadline:
                if not pipe.poll(POLL_SECONDS):
                    continue
                message = pipe.recv()
                if isinstance(message, FolderSwept):
                    self._on_folder(message)
                else:
                    outcome: ClipOutcome = message
                    self._deaths = 0
                    return outcome
            self._bury(f"it did not answer for {ANSWER_SECONDS:.0f} s")
        except (EOFError, OSError):
            self._bury()
        return None

    def listen(self) -> None:
        """Take what an idle process says of the folder; notice that it died."""
        try:
            while self._pipe is not None and self._pipe.poll():
                self._on_folder(self._pipe.recv())
        except (EOFError, OSError):
            self._bury()

    def kill(self) -> None:
        """End the process whatever it does, and start no other; for another thread that cannot wait."""
        self._is_closing = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; it has nothing to do."""
        self._is_closing = True
        pipe, process = self._pipe, self._process
        self._pipe = self._process = None
        if pipe is not None and process is not None:
            pipe.close()
            process.join(END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()

    def _bury(self, reason: str = "") -> None:
        """Forget a process that has ended, or end one that hangs."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is None or pipe is None:
            return
        pipe.close()
        if reason:
            process.kill()
        process.join(END_SECONDS)
        code = process.exitcode
        how = reason or (f"signal {-code}" if code is not None and code < 0 else f"exit status {code}")
        self._pause()
        if not self._is_closing:
            self._on_fault(f"the writer of clips ended ({how}); it is started again")

    def _pause(self) -> None:
        self._deaths += 1
        pause = 0.0 if self._deaths == 1 else min(MOST_PAUSE_SECONDS, 2.0**self._deaths)
        self._not_before = self._monotonic() + pause
