"""Between a source and the worker: a thread that never waits for the worker, or, for a recording, none."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from detector.errors import DeviceLost, DeviceNotFound
from detector.interfaces import Source
from detector.records import Block
from detector.service.device_state import retry_seconds

PATIENCE_SECONDS = 0.25
"""How soon a stop is noticed where the queue is full."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The source could not be opened or read; it is tried again."""

    reason: str


class Ended(Exception):
    """The source delivers no more; `Capture.failure` says why if it should have."""


class Capture:
    """One source on a thread of its own, and the bounded queue between it and the worker.

    A live source loses the blocks that the queue of `queue_blocks` has no room for (`dropped` counts them,
    and the jump of their indices is the gap); a recording waits instead. A device that delivered once and
    goes away is opened again until it is back; one that was never there ends the capture.
    """

    def __init__(self, source: Source, *, queue_blocks: int) -> None:
        self.dropped = 0
        """Blocks lost because the worker was behind."""
        self.failure: Exception | None = None
        """What ended the source before its time."""
        self._source = source
        self._queue: queue.Queue[Block | Trouble | None] = queue.Queue(queue_blocks)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._delivered = False

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def get(self, timeout: float) -> Block | Trouble | None:
        """The next block, trouble, or None after `timeout` seconds without either; raises Ended."""
        try:
            item = self._queue.get(timeout=timeout)
        except queue.Empty:
            if self._thread.is_alive() or not self._queue.empty():
                return None
            raise Ended from None
        if item is None:
            raise Ended
        return item

    def stop(self, join_seconds: float) -> None:
        """Ask the thread to end and wait for it this long: one that hangs in a read is left behind."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(join_seconds)

    def _run(self) -> None:
        attempt = 0
        try:
            while not self._stopping.is_set():
                try:
                    for block in self._source.blocks():
                        attempt, self._delivered = 0, True
                        if not self._hand_over(block):
                            return
                    return
                except (DeviceLost, DeviceNotFound) as error:
                    if not self._delivered:
                        raise
                    self._put_waiting(Trouble(str(error)))
                    self._stopping.wait(retry_seconds(attempt))
                    attempt += 1
        except Exception as error:  # handed to the worker, which raises it
            self.failure = error
        finally:
            self._source.close()
            self._put_waiting(None)

    def _hand_over(self, block: Block) -> bool:
        if not self._source.live:
            return self._put_waiting(block)
        try:
            self._queue.put_nowait(block)
        except queue.Full:
            self.dropped += 1
        return not self._stopping.is_set()

    def _put_waiting(self, item: Block | Trouble | None) -> bool:
        while not self._stopping.is_set():
            try:
                self._queue.put(item, timeout=PATIENCE_SECONDS)
            except queue.Full:
                continue
            return True
        return False


class Inline:
    """A source whose next block is there at once, read by the worker itself; the same methods as `Capture`.

    With a thread between them, the two would spend a third of the time on handing each other the interpreter.
    """

    def __init__(self, source: Source) -> None:
        self.dropped = 0
        self.failure: Exception | None = None
        self._source = source
        self._blocks: Iterator[Block] = iter(())

    def start(self) -> None:
        """Begin to read."""
        self._blocks = self._source.blocks()

    def get(self, timeout: float) -> Block | Trouble | None:
        """The next block; raises Ended. It never waits."""
        try:
            return next(self._blocks)
        except StopIteration:
            raise Ended from None
        except Exception as error:  # handed to the worker, which raises it
            self.failure = error
            raise Ended from None

    def stop(self, join_seconds: float) -> None:
        """Release the source."""
        self._source.close()
