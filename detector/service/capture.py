"""Reading a source: on a thread with a bounded queue, or, for a recording, without either."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from detector.errors import DeviceAmbiguous, DeviceLost, DeviceNotFound
from detector.interfaces import InterruptibleSource, Source
from detector.records import Block
from detector.service.device_state import retry_seconds

PATIENCE_SECONDS = 0.25
"""How soon a stop is noticed while the queue is full, or empty."""

JOIN_SECONDS = 1.0
"""How long the capture thread may take to end; a read that hangs never does."""

MOST_WAITS = 60
"""`blocks_of` waits this often for PATIENCE_SECONDS: a sound server takes seconds to start."""


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """The source could not be opened or read; it is opened again after a pause."""

    reason: str


class SourceEnded(Exception):
    """The source delivers no more blocks; `Capture.failure` says why if that was not its end."""


class Capture:
    """Reads one source on a thread of its own, into a bounded queue.

    A live source loses the blocks that the queue of `queue_blocks` has no room for (`dropped` counts them,
    and the jump of their indices is the gap); a recording waits instead. A device that delivered once and
    goes away is opened again until it is back; one that was never there ends the capture, unless it `waits`.
    """

    def __init__(
        self,
        source: Source,
        *,
        queue_blocks: int,
        waits: bool = False,
        retry: Callable[[int], float] = retry_seconds,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`waits` makes a device that was never there like one that went away.

        `retry` tells how long to wait before the n-th try, from 0 [s].
        """
        self._waits = waits
        self._retry = retry
        self._monotonic = monotonic
        self.arrived_at: float | None = None
        """When the newest of what `get` returned was read, on a steady clock [s]."""
        self.dropped = 0
        """Blocks lost because the worker was behind."""
        self.failure: Exception | None = None
        """The error that ended the source early."""
        self._source = source
        self._queue: queue.Queue[tuple[float, Block | SourceFailure | None]] = queue.Queue(queue_blocks)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._delivered = False
        self._arrived: Callable[[], object] = lambda: None

    @property
    def is_ready(self) -> bool:
        """Whether `get` answers at once, with a block, a failure or the end."""
        return not self._queue.empty() or (self._thread.ident is not None and not self._thread.is_alive())

    def on_arrival(self, arrived: Callable[[], object]) -> None:
        """Call this, on the capture's thread, whenever there is something to get; before `start`."""
        self._arrived = arrived

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def get(self, timeout: float = 0.0) -> Block | SourceFailure | None:
        """Wait for the next block or failure; None after `timeout` seconds. Raises SourceEnded."""
        try:
            self.arrived_at, item = self._queue.get(block=timeout > 0, timeout=timeout or None)
        except queue.Empty:
            if self._thread.is_alive() or not self._queue.empty():
                return None
            raise SourceEnded from None
        if item is None:
            raise SourceEnded
        return item

    def stop(self, join_seconds: float) -> None:
        """Ask the thread to end and wait for it this long; a thread that hangs in a read is left behind."""
        self._stopping.set()
        if isinstance(self._source, InterruptibleSource):
            self._source.interrupt()
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
                    if isinstance(error, DeviceAmbiguous) or not (self._delivered or self._waits):
                        raise
                    self._put_waiting(SourceFailure(str(error)))
                    self._stopping.wait(self._retry(attempt))
                    attempt += 1
        except Exception as error:  # kept for the reader of the queue, which raises it
            self.failure = error
        finally:
            self._source.close()
            self._put_waiting(None)
            self._arrived()

    def _hand_over(self, block: Block) -> bool:
        if not self._source.live:
            return self._put_waiting(block)
        try:
            self._queue.put_nowait((self._monotonic(), block))
        except queue.Full:
            self.dropped += 1
        self._arrived()
        return not self._stopping.is_set()

    def _put_waiting(self, item: Block | SourceFailure | None) -> bool:
        while not self._stopping.is_set():
            try:
                self._queue.put((self._monotonic(), item), timeout=PATIENCE_SECONDS)
            except queue.Full:
                continue
            self._arrived()
            return True
        return False


class InlineCapture:
    """Reads a source whose next block is there at once, without a thread; it has the methods of `Capture`.

    With a thread, a third of the time would go into passing the interpreter back and forth.
    """

    def __init__(self, source: Source) -> None:
        self.dropped = 0
        self.failure: Exception | None = None
        self.arrived_at = None
        """Nothing waits here."""
        self._source = source
        self._blocks: Iterator[Block] = iter(())

    @property
    def is_ready(self) -> bool:
        """Always: the next block is there, or the end."""
        return True

    def on_arrival(self, arrived: Callable[[], object]) -> None:
        """Nothing is waited for."""

    def start(self) -> None:
        """Begin to read."""
        self._blocks = self._source.blocks()

    def get(self, timeout: float = 0.0) -> Block | SourceFailure | None:
        """The next block; raises SourceEnded. It never waits."""
        try:
            return next(self._blocks)
        except StopIteration:
            raise SourceEnded from None
        except Exception as error:  # kept for the reader of the queue, which raises it
            self.failure = error
            raise SourceEnded from None

    def stop(self, join_seconds: float) -> None:
        """Release the source."""
        self._source.close()


def blocks_of(
    source: Source,
    *,
    queue_blocks: int,
    stopped: Callable[[], bool] = lambda: False,
    most_waits: int = MOST_WAITS,
) -> Iterator[Block | SourceFailure]:
    """Yield a source's blocks and failures until its end, or until `stopped`.

    A live source is read on a thread of its own, so that it does not wait for a slow disk. Raises
    SourceError: what the source raises, and DeviceLost after `most_waits` waits without a block.
    """
    capture = make_capture(source, queue_blocks=queue_blocks)
    capture.start()
    waits = 0
    try:
        while not stopped():
            item = capture.get(PATIENCE_SECONDS)
            if item is not None:
                waits = 0
                yield item
            elif source.live and (waits := waits + 1) >= most_waits:
                seconds = most_waits * PATIENCE_SECONDS
                raise DeviceLost(
                    f"{source.name} has delivered nothing for {seconds:.0f} s; restart the program"
                )
    except SourceEnded:
        if capture.failure is not None:
            raise capture.failure from None
    finally:
        capture.stop(JOIN_SECONDS)


def make_capture(
    source: Source,
    *,
    queue_blocks: int,
    waits: bool = False,
    retry: Callable[[int], float] = retry_seconds,
    monotonic: Callable[[], float] = time.monotonic,
) -> Capture | InlineCapture:
    """What reads this source: a thread, unless its next block is always there at once."""
    if source.immediate:
        return InlineCapture(source)
    return Capture(source, queue_blocks=queue_blocks, waits=waits, retry=retry, monotonic=monotonic)
