"""A place that a browser looks at: a daemon that says what a test wants, its past, and the page before it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from detector.interfaces import Message
from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.wire.encoding import encode
from detector.wire.message import EventBody, utc_text
from tests.support.browser_views import served
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import wait_until
from tests.support.invented_sounds import SOURCES, Scene
from tests.support.web_pages import make_parts


class Place:
    """A daemon with a past of two days, and the page before it, served on a port of its own."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        """`changes` are those of WebParts."""
        self.scene = Scene(folder, random.Random(7))  # noqa: S311
        self.scene.remember(2, 60, time.time())
        self.daemon = FakeDaemon(folder / "events.sock")
        self.daemon.told, self.daemon.seq = self.scene.newest(1000), self.scene.seq
        self._parts = make_parts(folder, daemon=DaemonLink([self.daemon.uri]), **changes)
        self.url = ""
        """The page's address, while it is open."""

    @contextmanager
    def open(self) -> Iterator[Place]:
        """Start the daemon and the page; both end with the block."""
        with self.daemon, served(make_app(self._parts)) as self.url:
            wait_until(lambda: self.daemon.watching["events"] > 0)
            yield self

    def say(self, label: str, *, id: str, kind: str = "start", **changes: Any) -> Message:
        """The daemon tells of a sound now, and its history has it."""
        now = time.time()
        values = {
            "class_id": f"own:{label[:20]}",
            "score": 0.8,
            "top_score": 0.8,
            "start_time": utc_text(now - 0.5),
            "end_time": utc_text(now) if kind == "end" else None,
            "time": utc_text(now),
            "duration": 0.5,
            "source": SOURCES[0],
            "model": "invented",
            "level_dbfs": -20.0,
        }
        message = encode(EventBody(kind=kind, id=id, label=label, **(values | changes)), self.daemon.seq + 1)
        self.scene.keep(message)
        self.daemon.tell(message)
        return message
