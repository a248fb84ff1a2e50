"""Requests to the daemon in threads of their own: where it hangs, nobody who reads waits behind them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from detector.errors import SinkError

T = TypeVar("T")

MOST_ASKING = 8
"""Requests that may wait for the daemon at once: one that answers needs milliseconds for each."""


class DaemonThreads:
    """Runs what waits for the daemon; the process does not wait for it when it ends."""

    def __init__(self, most: int = MOST_ASKING) -> None:
        self._most = most
        self._asking = 0

    async def run(self, ask: Callable[[], T]) -> T:
        """Call it in a thread and return what it returns, or raise what it raises.

        SinkError where so many wait already that the daemon must hang.
        """
        if self._asking >= self._most:
            raise SinkError(f"the daemon does not answer: {self._asking} requests wait for it")
        loop, answer = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def tell(result: T | None, error: BaseException | None) -> None:
            self._asking -= 1
            if answer.done():  # nobody waits any more
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        def work() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = ask()
            except BaseException as raised:  # it is raised where it is awaited
                error = raised
            with suppress(RuntimeError):  # the page has ended
                loop.call_soon_threadsafe(tell, result, error)

        threading.Thread(target=work, name="ask the daemon", daemon=True).start()
        self._asking += 1
        found: T = await answer
        return found
