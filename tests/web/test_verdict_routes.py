"""Verdicts given on the page reach the daemon, on one whole event each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.web.daemon_link import DaemonLink
from tests.support.fake_daemon import FakeDaemon
from tests.support.history_stores import make_message
from tests.support.web_pages import changing, open_page

ID = "20260801T140000Z-ab12-7"
PATH = f"/api/v1/events/{ID}/verdict"


@pytest.fixture
def daemon(tmp_path):
    with FakeDaemon(tmp_path / "events.sock") as fake:
        fake.tell(make_message(1, id=ID))
        yield fake


@pytest.fixture
def page(parts, daemon):
    with open_page(replace(parts, daemon=DaemonLink([daemon.uri]))) as client:
        yield client


@pytest.mark.parametrize("said", ["right", "wrong", "Cat", "<script>", 'La"bel\u202e'])
def test_what_is_said_reaches_the_daemon(page, daemon, said):
    answer = page.post(PATH, json={"said": said}, headers=changing(page))
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["said"], answer.json()["label"]) == (ID, said, "Dog")
    assert {"verdict": {"id": ID, "said": said}} in daemon.requests


def test_a_verdict_is_taken_back(page, daemon):
    answer = page.delete(PATH, headers=changing(page))
    assert (answer.status_code, answer.json()["taken_back"]) == (200, 1)
    assert {"verdict": {"forget": ID}} in daemon.requests


@pytest.mark.parametrize("id", ["all", "last", "Dog", "ab12-7", "20260801T140000Z-ab12-", "7", "%2e%2e"])
def test_only_a_whole_id_is_an_event(page, daemon, id):
    """`all` would take back every verdict."""
    path = f"/api/v1/events/{id}/verdict"
    before = len(daemon.requests)
    assert page.delete(path, headers=changing(page)).status_code == 404
    assert page.post(path, json={"said": "wrong"}, headers=changing(page)).status_code == 404
    assert not any("verdict" in request for request in daemon.requests[before:])


@pytest.mark.parametrize("body", [{}, {"said": ""}, {"said": 1}, [], {"said": None}])
def test_something_must_be_said(page, body):
    answer = page.post(PATH, json=body, headers=changing(page))
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"said": "right"}', "text/plain", 415),
        (b"{" * 5000, "application/json", 400),
        (b"[" * 16_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b" " * 20_000, "application/json", 413),
    ],
)
def test_bodies_that_are_no_small_json_are_refused(page, content, kind, status):
    answer = page.post(PATH, content=content, headers={**changing(page), "Content-Type": kind})
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_what_the_daemon_refuses_is_said_in_its_words(page):
    path = "/api/v1/events/20260801T140000Z-ab12-99/verdict"
    answer = page.post(path, json={"said": "wrong"}, headers=changing(page))
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("there is no event")
    assert page.post(PATH, json={"said": "x" * 5000}, headers=changing(page)).status_code == 409


def test_without_a_daemon_there_is_nobody_to_tell(page, daemon):
    daemon.stop()
    assert page.post(PATH, json={"said": "wrong"}, headers=changing(page)).status_code == 503


def test_without_the_token_of_the_page_nothing_is_said(page, daemon):
    assert page.post(PATH, json={"said": "wrong"}).status_code == 403
    assert not any("verdict" in request for request in daemon.requests)
