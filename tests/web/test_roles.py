"""Each route says which role it needs, and whoever has a lower one is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from detector.web.access.roles import (
    SCOPE_KEY,
    Role,
    Visitor,
    anybody,
    guest,
    guest_websocket,
    owner,
    owner_websocket,
    role_needed,
)
from detector.web.app import make_app
from tests.support.page_desks import parts_with_desk
from tests.support.web_pages import TestClient

OWNER = Visitor(Role.OWNER, "token", may_change=True)
GUEST = Visitor(Role.GUEST)
NOBODY = Visitor()


async def answer(_):
    return PlainTextResponse("done")


async def greet(socket):
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def client_of(visitor):
    """A page whose every request comes from this visitor."""
    app = Starlette(
        routes=[
            Route("/anybody", anybody(answer)),
            Route("/guest", guest(answer)),
            Route("/owner", owner(answer), methods=["GET", "POST"]),
            Route("/preview", owner(answer, changes=False), methods=["POST"]),
            WebSocketRoute("/seen", guest_websocket(greet)),
            WebSocketRoute("/heard", owner_websocket(greet)),
        ]
    )

    async def with_visitor(scope, receive, send):
        await app({**scope, SCOPE_KEY: visitor} if visitor else scope, receive, send)

    return TestClient(with_visitor)


@pytest.mark.parametrize(
    ("visitor", "anybodys", "guests", "owners"),
    [(OWNER, 200, 200, 200), (GUEST, 200, 200, 403), (NOBODY, 200, 401, 401), (None, 200, 401, 401)],
)
def test_a_role_opens_its_own_routes_and_those_of_lower_ones(visitor, anybodys, guests, owners):
    client = client_of(visitor)
    statuses = [client.get(path).status_code for path in ("/anybody", "/guest", "/owner")]
    assert statuses == [anybodys, guests, owners]


def test_a_page_that_is_read_only_refuses_changes_alone():
    client = client_of(replace(OWNER, may_change=False))
    assert client.get("/owner").status_code == 200
    assert client.post("/preview").status_code == 200
    refused = client.post("/owner")
    assert refused.status_code == 403
    assert "read-only" in refused.json()["error"]


@pytest.mark.parametrize(
    ("visitor", "path", "opens"),
    [
        (OWNER, "/heard", True),
        (GUEST, "/seen", True),
        (GUEST, "/heard", False),
        (NOBODY, "/seen", False),
    ],
)
def test_websockets_open_for_their_role_alone(visitor, path, opens):
    client = client_of(visitor)
    if opens:
        with client.websocket_connect(path) as socket:
            assert socket.receive_text() == "hello"
    else:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(path):
            pass


ANYBODYS = {"/healthz", "/api/v1/me", "/api/v1/session", "/api/v1/openapi.yaml", "/{path:path}"}
GUESTS = {
    *("/api/v1/status", "/api/v1/sources", "/api/v1/labels", "/api/v1/overview", "/api/v1/levels"),
    *("/api/v1/events", "/api/v1/events/stream", "/api/v1/events/{id}", "/api/v1/events/{id}/picture"),
    "/api/v1/live",
}


def test_sound_settings_and_all_that_changes_something_are_for_owners_alone(tmp_path):
    """As docs/security.md has it in its table; and every route says its role."""
    needed = {}
    for route in make_app(parts_with_desk(tmp_path)).routes:
        needed.setdefault(role_needed(route.endpoint), set()).add(route.path)
    assert needed.keys() == {Role.NOBODY, Role.GUEST, Role.OWNER}
    assert needed[Role.NOBODY] == ANYBODYS
    assert needed[Role.GUEST] == GUESTS
    assert not needed[Role.OWNER] & (ANYBODYS | GUESTS)
