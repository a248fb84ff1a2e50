"""A daemon that hangs keeps nobody from reading, and the page from nothing, also not from ending."""

from __future__ import annotations

import asyncio
import threading

import pytest

from detector.errors import SinkError
from detector.web.daemon_threads import DaemonThreads
from tests.support.fakes import LONG


def test_what_waits_for_a_daemon_that_hangs_leaves_the_readers_threads_and_the_end_free():
    hangs, ended = threading.Event(), threading.Event()

    async def script():
        threads = DaemonThreads(most=5)
        asking = [asyncio.create_task(threads.run(hangs.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(SinkError, match="does not answer"):
            await threads.run(lambda: None)
        assert await asyncio.to_thread(lambda: "read") == "read"
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)

    def page():
        asyncio.run(script())
        ended.set()

    threading.Thread(target=page, daemon=True).start()
    try:
        assert ended.wait(LONG)  # while the requests still hang
    finally:
        hangs.set()


def test_an_answer_and_a_fault_come_back_and_make_room():
    async def script():
        threads = DaemonThreads(most=1)
        assert await threads.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)
        assert await threads.run(lambda: 8) == 8

    asyncio.run(script())
