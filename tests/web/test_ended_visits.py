"""A stream ends with the log-in of whoever gets it."""

from __future__ import annotations

import asyncio

import pytest
from starlette.websockets import WebSocketDisconnect

from detector.web.access.ended_visits import CHECK_SECONDS, EndedVisit
from detector.web.access.visitors import COOKIE, VisitorMiddleware
from tests.support.fakes import HandClock
from tests.support.web_pages import make_doorkeeper

PART = {"type": "http.response.body", "body": b"x", "more_body": True}
WORD = {"type": "websocket.send", "text": "x"}


class Visit:
    """A visit whose messages are kept; `welcome` and the clock are set by hand."""

    def __init__(self):
        self.sent, self.welcome, self.clock, self.looked = [], True, HandClock(), 0
        self._visit = EndedVisit(self._keep, self._is_welcome, self.clock)

    async def _keep(self, message):
        self.sent.append(message)

    def _is_welcome(self):
        self.looked += 1
        return self.welcome

    def send(self, message):
        asyncio.run(self._visit.send(message))


def test_it_looks_now_and_then():
    visit = Visit()
    for _ in range(1000):
        visit.send(PART)
    assert visit.looked == 0
    visit.clock.now += CHECK_SECONDS
    visit.send(PART)
    visit.send(PART)
    assert visit.looked == 1
    assert len(visit.sent) == 1002


def test_an_answer_ends_and_nothing_more_is_sent():
    visit = Visit()
    visit.send(PART)
    visit.welcome = False
    visit.clock.now += CHECK_SECONDS
    visit.send(PART)
    visit.send(PART)
    assert visit.sent == [PART, {"type": "http.response.body", "body": b"", "more_body": False}]


def test_a_websocket_is_closed_and_its_route_is_told():
    visit = Visit()
    visit.send(WORD)
    visit.welcome = False
    visit.clock.now += CHECK_SECONDS
    for message in (WORD, WORD, {"type": "websocket.close"}):
        with pytest.raises(WebSocketDisconnect):
            visit.send(message)
    assert [message["type"] for message in visit.sent] == ["websocket.send", "websocket.close"]
    assert visit.sent[1]["code"] == 4401


def test_an_answer_that_is_complete_is_sent_whatever_happened_meanwhile():
    visit = Visit()
    visit.welcome = False
    visit.clock.now += 10 * CHECK_SECONDS
    visit.send({"type": "http.response.start", "status": 200})
    visit.send({"type": "http.response.body", "body": b"x"})
    assert len(visit.sent) == 2


def test_the_page_ends_a_stream_after_a_log_out(tmp_path):
    clock = HandClock()
    keeper = make_doorkeeper(tmp_path, password="correct horse", clock=clock)  # noqa: S106
    sent = []

    async def stream(scope, receive, send):
        await send(PART)
        keeper.log_out(scope["token"])
        clock.now += CHECK_SECONDS
        await send(PART)

    async def send(message):
        sent.append(message)

    async def visit():
        token = (await keeper.log_in("correct horse", "10.0.0.1")).token
        cookie = (b"cookie", f"{COOKIE}={token}".encode())
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost"), cookie]}
        await VisitorMiddleware(stream, doorkeeper=keeper)({**scope, "token": token}, None, send)

    asyncio.run(visit())
    assert sent == [PART, {"type": "http.response.body", "body": b"", "more_body": False}]
