"""Whatever a stranger sends, the page answers in one line, never with a fault, and lets nobody in."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from detector.web.access.doorkeeper import MOST_WAITING, Doorkeeper
from detector.web.access.password import PasswordFile, PasswordHash
from detector.web.access.policy import AccessPolicy
from tests.support.fakes import LONG
from tests.support.web_pages import make_doorkeeper, make_parts, open_page

HEADERS = (
    *("Host", "Origin", "Cookie", "X-CSRF-Token", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"),
    *("Content-Type", "Content-Length", "If-None-Match", "Accept-Encoding", "Sec-Fetch-Site", "Range"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
PATHS = (
    "/",
    "/api/v1/me",
    "/api/v1/session",
    "/api/v1/clips",
    "/api/v1/settings",
    "/../../etc/passwd",
    "//",
    "/%00",
)
VALUES = st.one_of(
    st.binary(max_size=40).filter(lambda value: not set(value) & set(b"\r\n\0")),
    st.sampled_from(
        [b"127.0.0.1:8790", b"http://127.0.0.1:8790", b"http://[::1", b"[", b"*", b"gzip", b"9" * 30]
    ),
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A page with a password, before which nobody has logged in."""
    folder = tmp_path_factory.mktemp("guarded")
    keeper = make_doorkeeper(folder, password="correct horse")  # noqa: S106
    with open_page(make_parts(folder, doorkeeper=keeper)) as page:
        yield page


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=5),
    st.binary(max_size=60),
)
@example("POST", "/api/v1/session", {"Content-Type": b"application/json"}, b'{"password": "\\ud800"}')
@example("GET", "/api/v1/me", {"Cookie": b"sound_detector_session=\xff; x"}, b"")
def test_no_request_of_a_stranger_is_a_fault_or_opens_anything(guarded, method, path, headers, body):
    headers = {"Host": b"127.0.0.1:8790"} | headers
    answer = guarded.request(method, path, headers=list(headers.items()), content=body)
    assert answer.status_code < 500
    assert "set-cookie" not in answer.headers
    if answer.status_code == 200 and path == "/api/v1/me" and method == "GET":
        assert answer.json()["role"] is None
    elif answer.status_code == 200:
        assert path in ("/", "/api/v1/me", "//")


GOING = threading.Event()
NOW, AT_ONCE = [], []
"""Checks that go on, and how many did when each began."""


class SlowHash(PasswordHash):
    """A hash that takes until it is let go."""

    def fits(self, password):
        NOW.append(password)
        AT_ONCE.append(len(NOW))
        assert GOING.wait(LONG)
        NOW.pop()
        return super().fits(password)


class SlowFile(PasswordFile):
    """The file of such a hash."""

    def __init__(self, path):
        super().__init__(path)
        known = PasswordHash.of("correct horse", cost=2)
        self._slow = SlowHash(known.cost, known.block_size, known.parallelism, known.salt, known.hash)

    def read(self):
        return self._slow


def test_passwords_are_checked_one_at_a_time_and_few_wait(tmp_path):
    keeper = Doorkeeper(AccessPolicy(), SlowFile(tmp_path / "none"))

    async def many():
        tries = [asyncio.create_task(keeper.log_in("wrong", f"10.0.0.{i}")) for i in range(12)]
        await asyncio.sleep(0)
        GOING.set()
        return await asyncio.gather(*tries)

    results = asyncio.run(many())
    assert [result.wait for result in results] == [0] * MOST_WAITING + [1] * (12 - MOST_WAITING)
    assert AT_ONCE == [1] * MOST_WAITING
