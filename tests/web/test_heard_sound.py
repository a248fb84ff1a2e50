"""The daemon's sound for what listens on the page's behalf."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from detector.web.desk.heard_sound import live_sound
from detector.web.desk.refusals import Refused
from tests.support.page_desks import RecordedFeeds


class FeedsThatAreCancelledWith:
    """Sound that comes at the very moment in which nobody wants it any longer."""

    @asynccontextmanager
    async def watching(self, kind, source, _):
        recorded = RecordedFeeds([1] * 16000)
        async with recorded.watching(kind, source, _) as incoming:
            self._get = incoming.get
            self.listener = asyncio.current_task()
            yield self

    async def get(self):
        message = await self._get()
        asyncio.get_running_loop().call_soon(self.listener.cancel)
        return message


async def listen(feeds, heard, **options):
    async with aclosing(live_sound(feeds, None, **options)) as blocks:
        async for block in blocks:
            heard.append(block)
            await asyncio.sleep(0)


def test_who_listens_no_longer_is_heard_even_while_sound_comes():
    async def go():
        heard = []
        task = asyncio.create_task(listen(FeedsThatAreCancelledWith(), heard))
        await asyncio.wait([task])
        return task.cancelled(), len(heard)

    assert asyncio.run(go()) == (True, 1)


def test_silence_is_said_to_be_one():
    class Silent:
        @asynccontextmanager
        async def watching(self, *_):
            yield self

        async def get(self):
            await asyncio.Event().wait()

    with pytest.raises(Refused, match="it is paused, or its microphone is gone"):
        asyncio.run(listen(Silent(), [], silence_seconds=0.01))
