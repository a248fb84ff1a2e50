"""Whatever stands in an address or a body, the page answers it with a fitting status and one line."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.api_place import CLIP, EVENT, open_place
from tests.support.openapi import operations, resolved
from tests.support.web_pages import changing

READING = sorted(
    (path, tuple(resolved(each)["name"] for each in operation.get("parameters", ())))
    for path, method, operation in operations()
    if method == "get" and not operation.get("x-websocket") and not path.endswith("/stream")
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "0", "-1", "1e999", "nan", "9" * 40, "seq:1", "now", "9999-12-31", "\0", "\ud800"]),
    st.integers().map(str),
)
FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with open_place(tmp_path_factory.mktemp("place")) as client:
        yield client


def check(answer):
    assert answer.status_code < 500
    if answer.status_code >= 400:
        (error, *_) = answer.json().values()
        assert error.isprintable()


def encoded(text):
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@FEW
@given(st.sampled_from(READING), st.data())
def test_any_query(place, route, data):
    path, names = route
    query = data.draw(st.lists(st.tuples(st.sampled_from([*names, "other"]), VALUES), max_size=4))
    address = path.replace("{id}", CLIP if "clips" in path else EVENT)
    check(place.get(f"{address}?{'&'.join(f'{name}={encoded(value)}' for name, value in query)}"))


@FEW
@given(st.sampled_from([path for path, _ in READING if "{id}" in path]), VALUES)
@example("/api/v1/clips/{id}/sound", "../../secret")
@example("/api/v1/events/{id}/picture", "\ud800")
def test_any_id(place, path, id):
    check(place.get(path.replace("{id}", encoded(id))))


@FEW
@given(
    st.sampled_from([f"/api/v1/events/{EVENT}/verdict", f"/api/v1/clips/{CLIP}/lock"]),
    st.one_of(
        st.binary(max_size=60),
        st.dictionaries(
            st.sampled_from(["said", "locked", "x"]), st.one_of(VALUES, st.none(), st.booleans())
        ),
    ),
)
def test_any_body(place, path, body):
    headers = {**changing(place), "Content-Type": "application/json"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    check(place.post(path, content=content, headers=headers))


@FEW
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30), st.booleans())
@example("bytes=-", True)
@example("bytes=0-0,1-1", True)
@example("bytes=99999999999999999999-", True)
def test_any_range(place, header, is_range):
    header = header if is_range else f"bytes={header}"
    answer = place.get(f"/api/v1/clips/{CLIP}/sound", headers={"Range": header.strip() or "x"})
    assert answer.status_code in (200, 206, 416)
