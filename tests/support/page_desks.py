"""A page that changes things: its commands run in this process, its daemon is one that hears nothing."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from array import array
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout

from detector.assemble.web_making import make_page_desk
from detector.cli.main import main
from detector.web.daemon_link import DaemonLink
from detector.web.desk.child_commands import Finished
from detector.web.desk.daemon_orders import DaemonOrders
from detector.web.mailbox import MailboxClosed
from detector.wire.encoding import encode
from detector.wire.message import UnknownBody
from tests.support.fakes import LONG
from tests.support.web_pages import changing, make_parts


class CommandsHere:
    """Runs commands that end by themselves in this process, which saves their start."""

    def __init__(self):
        self.run_before = []

    async def run(self, *arguments, seconds=60.0):
        self.run_before.append(arguments)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(list(arguments))
            except SystemExit as ended:
                code = ended.code
        return Finished(code, out.getvalue(), err.getvalue())

    def close(self):
        """Nothing runs on."""


class RecordedFeeds:
    """Live sound that comes as fast as it is taken, instead of a daemon's; it ends unless it is endless."""

    def __init__(self, samples, rate=16000, *, endless=False):
        self._data, self._rate, self._endless = array("h", samples).tobytes(), rate, endless
        self.asked = []

    @asynccontextmanager
    async def watching(self, kind, source, _):
        self.asked.append((kind, source))
        yield _RecordedSound(self._data, self._rate, self._endless)


class _RecordedSound:
    def __init__(self, data, rate, endless):
        self._data, self._rate, self._endless, self._at = data, rate, endless, 0

    async def get(self):
        await asyncio.sleep(0.002 if self._endless else 0)
        part = self._data[self._at : self._at + self._rate // 5]  # a tenth of a second
        if not part and self._endless:
            self._at, part = 0, self._data[: self._rate // 5]
        if not part:
            raise MailboxClosed("the recording is over", refused=False)
        self._at += len(part)
        data = base64.b64encode(part).decode()
        return encode(
            UnknownBody(
                "sound",
                {
                    "source": "mic",
                    "sample_rate": self._rate,
                    "start": (self._at - len(part)) // 2,
                    "data": data,
                },
            )
        )


def wait_for(page, path, met):
    """Ask until the answer is as wanted, and return it; fails after LONG seconds."""
    end = time.monotonic() + LONG
    while not met(answer := page.get(path).json()):
        assert time.monotonic() < end, answer
        time.sleep(0.02)
    return answer


def parts_with_desk(folder, uris=None, commands=None, feeds=None, **options):
    """Parts of a page whose config file is `folder`/config.yaml; without `uris` there is no daemon."""
    uris = uris or [f"unix://{folder}/no-daemon.sock"]
    link = DaemonLink(uris)
    history = (folder / "history.db",)
    desk = make_page_desk(
        folder / "config.yaml",
        DaemonOrders(link, uris),
        commands or CommandsHere(),
        feeds or link.feeds,
        history=history,
        state=folder / "state",
        data=folder / "data",
        models=folder / "models",
        **options,
    )
    return make_parts(folder, daemon=link, history=history, desk=desk)


def ask(page, method, path, body=None):
    """Send JSON as the page does; returns the status and the answer."""
    headers = dict(changing(page)) | {"Content-Type": "application/json"}
    answer = page.request(method, path, headers=headers, content=None if body is None else json.dumps(body))
    return answer.status_code, answer.json() if answer.content else None
