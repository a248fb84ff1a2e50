"""The page's first answers: who am I, is it well, and its files."""

from __future__ import annotations

import gzip

import pytest
from starlette.applications import Starlette

from detector.web.static_files import CONTENT_TYPES, STATIC, read_static, static_routes
from tests.support.web_pages import TestClient, changing


def test_without_a_password_whoever_can_connect_is_the_owner(page):
    me = page.get("/api/v1/me").json()
    assert len(me.pop("csrf")) >= 32
    assert me == {"role": "owner", "version": "1.2.3", "read_only": False, "password_set": False}


def test_health_says_that_no_daemon_is_there(page):
    answer = page.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "daemon gone", "daemon": "gone"})


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": "guessed"}, {"X-CSRF-Token": b"\xe9"}])
def test_what_changes_something_needs_the_token_of_the_page(page, headers):
    assert page.post("/api/v1/me", headers=headers).status_code == 403
    assert page.post("/api/v1/me", headers=changing(page)).status_code == 405


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/../app.py", "/%2e%2e/app.py", "/vendor/"])
def test_what_is_not_there_is_said_in_one_line(page, path):
    answer = page.get(path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


@pytest.fixture
def files(tmp_path):
    """A client of a small folder of files."""
    folder = tmp_path / "static"
    (folder / "vendor").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>" + "<p>words</p>" * 100)
    (folder / "vendor" / "chart.js").write_text("export const x = 1;")
    (folder / "secret.py").write_text("print()")
    with TestClient(Starlette(routes=static_routes(folder))) as client:
        yield client


def test_a_file_is_compressed_for_who_takes_that(files):
    plain = files.get("/", headers={"Accept-Encoding": "identity"})
    small = files.get("/", headers={"Accept-Encoding": "gzip"})
    assert plain.text == small.text
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.content)
    assert small.headers["vary"] == "Accept-Encoding"


def test_a_file_that_a_browser_has_is_not_sent_again(files):
    first = files.get("/vendor/chart.js")
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    again = files.get("/vendor/chart.js", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert files.get("/vendor/chart.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_other_files_are_not_served(files):
    assert files.get("/secret.py").status_code == 404
    assert files.get("/vendor").status_code == 404


def test_the_files_of_the_page_are_all_served():
    """All but licences and notes have an ending that browsers know."""
    files = read_static(STATIC)
    assert {"/", "/index.html"} <= files.keys()
    left = {path.suffix for path in STATIC.rglob("*") if path.is_file()} - {*CONTENT_TYPES}
    assert left <= {".md", ""}
    assert len(gzip.decompress(files["/"].content)) == (STATIC / "index.html").stat().st_size
