"""A browser's EventSource, for a page in this process: streams do not end, which other clients wait for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message


class EventSource:
    """What comes over one stream; `leave` closes it as a browser does."""

    def __init__(self) -> None:
        self.started: Message | None = None
        self.comments = 0
        self.reads = asyncio.Event()
        """Whether the browser reads."""
        self.reads.set()
        self._left = asyncio.Event()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.body = b""
        self.whole = asyncio.Event()
        """Whether the answer has come to its end."""

    def leave(self) -> None:
        self._left.set()

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next event, or the next of these kinds: `event`, `data`, and `id` where it has one."""
        while True:
            event = await self._events.get()
            if not kinds or event["event"] in kinds:
                return event

    async def receive(self) -> Message:
        if self.started is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = message
            return
        await self.reads.wait()
        if not message.get("more_body", False):
            self.whole.set()
        self.body += message["body"]
        *frames, self.body = self.body.split(b"\n\n")
        for frame in frames:
            fields = dict(line.split(": ", 1) for line in frame.decode().split("\n") if line[0] != ":")
            self.comments += frame.startswith(b":")
            if "event" in fields:
                self._events.put_nowait({**fields, "data": json.loads(fields["data"])})


@asynccontextmanager
async def event_source(
    app: ASGIApp, path: str = "/api/v1/events/stream", last: int | None = None
) -> AsyncIterator[EventSource]:
    """Open a stream; `last` is its Last-Event-ID."""
    source = EventSource()
    path, _, query = path.partition("?")
    headers = [(b"host", b"127.0.0.1:8790")]
    if last is not None:
        headers.append((b"last-event-id", b"%d" % last))
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8790),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0"},
    }
    task = asyncio.create_task(app(scope, source.receive, source.send))  # type: ignore[arg-type]
    try:
        yield source
    finally:
        source.leave()
        source.reads.set()
        await asyncio.wait([task])
        task.result()
