"""The one thread that touches the history's file, so that a disk that hangs hangs nobody else."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.errors import HistoryError
from detector.interfaces import Message

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""How often the retention is asked while nothing is written."""


class Writable(Protocol):
    """What the thread needs of a Store."""

    def write(self, messages: Sequence[Message]) -> None:
        """Commit events, all or none; raises HistoryError."""

    def tidy(self) -> bool:
        """Take one step of the retention; whether there is more to do. Raises HistoryError."""

    def close(self) -> None:
        """Release the file."""


@dataclass(slots=True)
class Turn:
    """One batch on its way to the disk."""

    messages: Sequence[Message]
    error: HistoryError | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Writer:
    """Takes batches in turn; between them the file is tidied in small steps."""

    def __init__(self, store: Writable, on_done: Callable[[], None]) -> None:
        """`on_done` is called on the thread, after each turn."""
        self._store = store
        self._on_done = on_done
        self._turns: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
        # A daemon thread: one that hangs in a write must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Start the thread; nothing is opened before the first turn."""
        self._thread.start()

    def submit(self, messages: Sequence[Message]) -> Turn:
        """Hand over a batch; an empty one only opens the file."""
        turn = Turn(messages)
        self._turns.put(turn)
        return turn

    def close(self, deadline_seconds: float) -> bool:
        """Release the file after all turns; whether that was done in time."""
        if self._thread.ident is None:
            return True
        self._turns.put(None)
        self._thread.join(deadline_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        more = False
        while True:
            try:
                turn = self._turns.get(block=not more, timeout=IDLE_SECONDS)
            except queue.Empty:
                more = self._tidy()
                continue
            if turn is None:
                break
            self._write(turn)
            more = self._tidy()  # also under load, when there is always a next turn
        self._close()

    def _write(self, turn: Turn) -> None:
        try:
            self._store.write(turn.messages)
        except HistoryError as error:
            turn.error = error
        except Exception as error:  # a bug here must not silence the daemon
            log.debug("history.bug", exc_info=True)
            turn.error = HistoryError(f"the history cannot be written: {type(error).__name__}: {error}")
        turn.done.set()
        self._on_done()

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
