"""How the daemon is, its sources and labels, with and without a daemon."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.web.daemon_link import DaemonLink
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import wait_until
from tests.support.invented_sounds import HOSTILE, LABELS, LONG, SOURCES
from tests.support.web_pages import open_page


@pytest.fixture
def page(parts, tmp_path):
    """A client of a page whose daemon is there."""
    with FakeDaemon(tmp_path / "events.sock") as daemon:
        link = DaemonLink([daemon.uri])
        with open_page(replace(parts, daemon=link)) as client:
            wait_until(lambda: link.now.connected)
            yield client


def test_status_is_the_report_of_the_daemon(page):
    status = page.get("/api/v1/status").json()
    assert (status["connected"], status["gone_since"], status["state"]) == (True, None, "listening")
    assert status["memory_bytes"] > 0


def test_sources_have_their_state_and_level(page):
    sources = page.get("/api/v1/sources").json()["sources"]
    assert [source["name"] for source in sources] == list(SOURCES)
    assert all(source.keys() == {"name", "state", "detail", "level_dbfs"} for source in sources)


def test_labels_come_with_the_groups_that_name_them(page):
    answer = page.get("/api/v1/labels")
    assert answer.json()["labels"] == sorted(LABELS)
    assert answer.json()["groups"]["alarms"] == ["Smoke detector, smoke alarm"]
    assert {HOSTILE, LONG} <= set(answer.json()["labels"])
    assert answer.content.isascii()


def test_without_a_daemon_all_of_them_answer(parts):
    with open_page(parts) as client:
        wait_until(lambda: parts.daemon.now.gone_since)
        status = client.get("/api/v1/status").json()
        assert status == {"connected": False, "gone_since": parts.daemon.now.gone_since}
        assert client.get("/api/v1/sources").json() == {"sources": []}
        assert client.get("/api/v1/labels").json() == {"labels": [], "groups": {}}
