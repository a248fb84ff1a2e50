"""Each route of the page, asked by who may not: found from the application, so that none is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from detector.web.access.roles import Role, role_needed
from detector.web.app import make_app
from tests.support.page_desks import parts_with_desk
from tests.support.web_pages import BASE, changing, log_in, make_doorkeeper, open_page

PASSWORD = "correct horse"  # noqa: S105
READING = {"GET", "HEAD"}
PREVIEW = "/api/v1/settings/preview"
"""What is posted there changes nothing."""


def routes(parts):
    """(method, path, role) of each route; the method of a WebSocket is None."""
    for route in make_app(parts).routes:
        path = route.path.replace("{id}", "x").replace("{name}", "x").replace("/{path:path}", "/nothing.js")
        for method in (None,) if isinstance(route, WebSocketRoute) else sorted(route.methods):
            yield method, path, role_needed(route.endpoint)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return parts_with_desk(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def enter(parts, tmp_path_factory):
    """Open a page with a password under these rules."""
    opened = []

    def enter(**rules):
        keeper = make_doorkeeper(tmp_path_factory.mktemp("door"), password=PASSWORD, **rules)
        opened.append(open_page(replace(parts, doorkeeper=keeper)))
        return opened[-1].__enter__()

    yield enter
    for context in opened:
        context.__exit__(None, None, None)


def status_of(page, method, path):
    """The status of the answer; of a WebSocket, 200 where it opens and else 403."""
    if method is not None:
        return page.request(method, path).status_code
    try:
        with page.websocket_connect(path):
            return 200
    except WebSocketDisconnect:
        return 403


def asked(parts):
    """Each route but the log-in and the log-out."""
    return [each for each in routes(parts) if each[1] != "/api/v1/session"]


def test_who_has_not_logged_in_is_told_to_on_every_route(parts, enter):
    page = enter()
    for method, path, role in asked(parts):
        status = status_of(page, method, path)
        if role is Role.NOBODY:
            assert status in (200, 404, 503), (method, path)
        else:
            assert status == (403 if method is None else 401), (method, path)


def test_a_guest_gets_nothing_of_the_owners(parts, enter):
    page = enter(guests=True)
    for method, path, role in asked(parts):
        if role is not Role.OWNER:
            continue
        status = status_of(page, method, path)
        refused = 401 if method is not None and method not in READING else 403  # no token: log in first
        assert status == refused, (method, path)


def test_no_changing_route_obeys_without_the_token_or_for_another_site(parts, enter):
    page = enter()
    assert log_in(page, PASSWORD).status_code == 204
    token = changing(page)
    foreign = ({}, {"X-CSRF-Token": "x"}, {**token, "Origin": "http://127.0.0.1:3000"})
    foreign += ({**token, "Origin": "null"}, {**token, "Origin": "http://evil.example"})
    foreign += ({**token, "Host": "evil.example"}, {**token, "Sec-Fetch-Site": "cross-site"})
    changes = [(method, path) for method, path, _ in routes(parts) if method not in {None, *READING}]
    assert len(changes) > 20
    for method, path in changes:
        for headers in foreign:
            if (method, path) == ("POST", "/api/v1/session") and headers.get("Origin", BASE) == BASE:
                continue  # the log-in has a password in place of a token
            status = page.request(method, path, headers=headers).status_code
            assert status in (403, 421), (method, path, headers)


def test_a_page_that_is_read_only_refuses_every_change(parts, enter):
    page = enter(read_only=True)
    assert log_in(page, PASSWORD).status_code == 204
    token = changing(page)
    for method, path, _ in asked(parts):
        if method in {None, *READING} or path == PREVIEW:
            continue
        answer = page.request(method, path, headers=token)
        assert answer.status_code == 403, (method, path)
        assert "read-only" in answer.json()["error"], (method, path)
    assert page.delete("/api/v1/session", headers=token).status_code == 204
