"""docs/api.md: every curl command works, and every answer that is shown has the form of a real one."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from urllib.parse import urlsplit

import pytest

from tests.support import ROOT
from tests.support.api_place import CLIP, EVENT, open_place
from tests.support.openapi import API, answer_schema, faults
from tests.support.web_pages import changing

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PAGE = "http://127.0.0.1:8790"
COMMAND = re.compile(r"^    (curl (?:[^\n]*\\\n)*[^\n]*)$", re.MULTILINE)
SHOWN = re.compile(r"```json\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with open_place(tmp_path_factory.mktemp("place")) as client:
        yield client


def read_curl(command):
    """Method, address below the page, headers and body of a command."""
    parser = argparse.ArgumentParser()
    for flag in ("-X", "-d", "-o", "-c", "-r", "--data-urlencode"):
        parser.add_argument(flag, dest=flag.strip("-").replace("-", "_"))
    parser.add_argument("-H", action="append", default=[], dest="headers")
    for flag in ("-s", "-N", "-G"):
        parser.add_argument(flag, action="store_true", dest=flag.strip("-"))
    parser.add_argument("address")
    text = command.replace("\\\n", " ").replace("$PAGE", PAGE)
    read = parser.parse_args(shlex.split(text)[1:])
    headers = dict(header.split(": ", 1) for header in read.headers)
    if read.r:
        headers["Range"] = f"bytes={read.r}"
    parts = urlsplit(read.address)
    params = dict([read.data_urlencode.split("=", 1)]) if read.data_urlencode else {}
    return read.X or ("POST" if read.d else "GET"), parts, headers, params, read.d


def commands():
    """Each command, and the JSON that follows it directly."""
    for match in COMMAND.finditer(TEXT):
        between = TEXT[match.end() :].split("\n    curl ", 1)[0]
        shown = SHOWN.search(between)
        yield match[1], json.loads(shown[1]) if shown and not between[: shown.start()].strip() else None


def operation_of(method, path):
    patterns = [path] if path in API["paths"] else API["paths"]
    fitting = [each for each in patterns if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)]
    return API["paths"][fitting[0]][method.lower()]


def test_there_are_commands_and_answers():
    found = [*commands()]
    assert len(found) > 15
    assert sum(answer is not None for _, answer in found) > 8
    assert EVENT in TEXT and CLIP in TEXT


@pytest.mark.parametrize(("command", "shown"), [*commands()])
def test_it_works_and_answers_as_shown(place, command, shown):
    method, address, headers, params, body = read_curl(command)
    operation = operation_of(method, address.path)
    if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
        return  # has no end; test_event_stream reads such streams
    if "X-CSRF-Token" in headers:
        assert headers["X-CSRF-Token"] == "$TOKEN"
        headers |= changing(place)
    query = f"?{address.query}" if address.query else ""
    answer = place.request(method, address.path + query, headers=headers, params=params or None, content=body)
    if address.path == "/api/v1/session":
        assert answer.status_code == 409  # this page has no password
        return
    expected = 400 if shown is not None and shown.keys() == {"error"} else 299
    assert answer.status_code <= expected
    if shown is not None:
        assert faults(answer_schema(operation, answer.status_code), shown) == []
        if expected == 400:
            assert answer.json() == shown
