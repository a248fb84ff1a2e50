"""The description of the API says what the page does: routes, roles, and the form of each answer."""

from __future__ import annotations

import re

import pytest
from starlette.routing import WebSocketRoute

from detector.web.access.roles import role_needed
from detector.web.app import make_app
from tests.support.api_place import CLIP, EVENT, open_place
from tests.support.openapi import API, answer_schema, faults, operations, resolved
from tests.support.page_desks import parts_with_desk
from tests.support.web_pages import changing


def described():
    """Method and path of each operation, with its role; a WebSocket's method is `websocket`."""
    return {
        ("websocket" if operation.get("x-websocket") else method, path): operation["x-role"]
        for path, method, operation in operations()
    }


def test_every_route_is_described_with_its_role_and_no_other(tmp_path):
    routes = {}
    for route in make_app(parts_with_desk(tmp_path)).routes:
        if route.path == "/{path:path}":  # the files of the page
            continue
        methods = {"websocket"} if isinstance(route, WebSocketRoute) else route.methods - {"HEAD"}
        role = role_needed(route.endpoint).name.lower()
        routes |= {(method.lower(), route.path): role.replace("nobody", "anybody") for method in methods}
    assert described() == routes


def examples():
    for path, method, operation in operations():
        contents = {"request": resolved(operation.get("requestBody", {}))}
        contents |= {status: resolved(answer) for status, answer in operation["responses"].items()}
        for name, content in contents.items():
            each = content.get("content", {}).get("application/json", {})
            if "example" in each:
                yield pytest.param(each["schema"], each["example"], id=f"{method}-{path}-{name}")


@pytest.mark.parametrize(("schema", "example"), [*examples()])
def test_examples_are_what_their_schema_says(schema, example):
    assert faults(schema, example) == []


def keys_without_value(item, where="$"):
    """Where something is null outside of examples: a comma in a text without quotes makes such keys."""
    if isinstance(item, dict):
        for key, value in item.items():
            if value is None:
                yield f"{where}.{key}"
            elif key not in ("example", "enum"):
                yield from keys_without_value(value, f"{where}.{key}")
    elif isinstance(item, list):
        for number, value in enumerate(item):
            yield from keys_without_value(value, f"{where}[{number}]")


def test_every_key_has_a_value():
    assert [*keys_without_value(API)] == []


def test_each_operation_has_a_name_of_its_own_and_each_parameter_of_a_path_is_described():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for path, item in API["paths"].items():
        own = {resolved(each)["name"] for each in item.get("parameters", ())}
        assert own == set(re.findall(r"\{(\w+)\}", path)), path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with open_place(tmp_path_factory.mktemp("place")) as client:
        yield client


REQUESTS = (
    ("get", "/healthz", {}),
    ("get", "/api/v1/me", {}),
    ("get", "/api/v1/status", {}),
    ("get", "/api/v1/sources", {}),
    ("get", "/api/v1/labels", {}),
    ("get", "/api/v1/events", {"params": {"limit": 1}}),
    ("get", "/api/v1/events", {"params": {"limit": "x"}}),
    ("get", "/api/v1/events/{id}", {"id": EVENT}),
    ("get", "/api/v1/events/{id}", {"id": "nothing"}),
    ("get", "/api/v1/events/{id}/picture", {"id": EVENT}),
    ("get", "/api/v1/events/{id}/picture", {"id": "nothing"}),
    ("post", "/api/v1/events/{id}/verdict", {"id": EVENT, "json": {"said": "wrong"}}),
    ("post", "/api/v1/events/{id}/verdict", {"id": "all", "json": {"said": "wrong"}}),
    ("delete", "/api/v1/events/{id}/verdict", {"id": EVENT}),
    ("get", "/api/v1/clips", {}),
    ("get", "/api/v1/clips/{id}", {"id": CLIP}),
    ("get", "/api/v1/clips/{id}/sound", {"id": CLIP}),
    ("get", "/api/v1/clips/{id}/sound", {"id": CLIP, "headers": {"Range": "bytes=1-2"}}),
    ("get", "/api/v1/clips/{id}/sound", {"id": CLIP, "headers": {"Range": "bytes=9999-"}}),
    ("post", "/api/v1/clips/{id}/lock", {"id": CLIP, "json": {"locked": True}}),
    ("delete", "/api/v1/clips/{id}", {"id": CLIP}),
    ("get", "/api/v1/overview", {"params": {"tz": "UTC"}}),
    ("get", "/api/v1/levels", {"params": {"from": "2026-08-01T14:00:00Z", "to": "2026-08-01T15:00:00Z"}}),
    ("get", "/api/v1/openapi.yaml", {}),
    ("get", "/api/v1/settings", {}),
    ("get", "/api/v1/notify", {}),
    ("get", "/api/v1/calibrate", {}),
    ("post", "/api/v1/calibrate/finish", {}),
    ("get", "/api/v1/teach", {}),
    ("get", "/api/v1/teach/takes", {"params": {"name": "kettle"}}),
    ("delete", "/api/v1/teach/takes/{id}", {"id": "nothing"}),
    ("post", "/api/v1/settings/preview", {"json": {"changes": {"events.threshold_on": 0.45}}}),
    ("put", "/api/v1/settings", {"json": {"changes": {"events.threshold_on": 7}}}),
    ("put", "/api/v1/settings", {"json": {"changes": {"events.threshold_on": 0.45}}}),
    ("post", "/api/v1/settings/undo", {}),
    ("post", "/api/v1/pause", {"json": {"paused": True}}),
    ("post", "/api/v1/reload", {}),
)


@pytest.mark.parametrize(("method", "path", "options"), REQUESTS)
def test_answers_are_as_they_are_described(place, method, path, options):
    options = dict(options)
    headers = {**options.pop("headers", {}), **({} if method == "get" else changing(place))}
    address = path.replace("{id}", options.pop("id", ""))
    answer = place.request(method.upper(), address, headers=headers, **options)
    schema = answer_schema(API["paths"][path][method], answer.status_code)
    if answer.headers.get("content-type") == "application/json":
        assert faults(schema, answer.json()) == []
    else:
        assert schema is None
