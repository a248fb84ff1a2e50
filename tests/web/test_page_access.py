"""Who gets in: the rules of the settings, log-in and log-out, other sites' pages, strange names, proxies."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import replace

import pytest
from starlette.websockets import WebSocketDisconnect

from detector.errors import AccessError
from detector.web.access.body_limit import MAX_BODY_BYTES, MAX_HEADER_BYTES
from detector.web.access.log_in_limits import PER_ADDRESS
from detector.web.access.policy import AccessPolicy
from detector.web.access.visitors import COOKIE
from detector.web.app import make_app
from tests.support.fakes import HandClock
from tests.support.web_pages import (
    BASE,
    changing,
    log_in,
    make_doorkeeper,
    open_page,
)

PASSWORD = "correct horse"  # noqa: S105
ANOTHER = "another horse"
EVERYWHERE = "0.0.0.0"  # noqa: S104
PROXY = ipaddress.ip_network("10.0.0.7")


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def enter(parts, tmp_path, clock):
    """Open a page with a password (empty: none) and rules; `client` is who connects."""
    opened = []

    def enter(password=PASSWORD, *, client=("127.0.0.1", 5000), base=BASE, **rules):
        keeper = make_doorkeeper(tmp_path, password=password, clock=clock, **rules)
        context = open_page(replace(parts, doorkeeper=keeper), client=client, base_url=base)
        opened.append(context)
        return context.__enter__()

    yield enter
    for context in opened:
        context.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("rules", "password_set", "fault"),
    [
        ({}, False, None),
        ({"bind": "::1"}, False, None),
        ({"bind": EVERYWHERE}, False, "without a password"),
        ({"bind": "::"}, True, "unencrypted"),
        ({"bind": "192.168.1.2"}, True, "unencrypted"),
        ({"bind": EVERYWHERE, "insecure": True}, False, "without a password"),
        ({"bind": EVERYWHERE, "insecure": True}, True, None),
        ({"bind": EVERYWHERE, "certificate": "c", "key": "k"}, True, None),
        ({"bind": EVERYWHERE, "proxies": (PROXY,)}, True, None),
        ({"proxies": (PROXY,)}, False, "without a password"),
        ({"proxies": (PROXY,)}, True, None),
    ],
)
def test_beyond_this_machine_it_is_not_served_without_password_and_encryption(rules, password_set, fault):
    policy = AccessPolicy(**rules)
    if fault is None:
        policy.check(password_set=password_set)
    else:
        with pytest.raises(AccessError, match=fault):
            policy.check(password_set=password_set)


def test_a_log_in_makes_an_owner_and_a_log_out_ends_that(enter):
    page = enter()
    assert page.get("/api/v1/status").status_code == 401
    assert page.get("/api/v1/me").json()["role"] is None
    assert log_in(page, "wrong horse").status_code == 401
    answer = log_in(page, PASSWORD)
    assert (answer.status_code, answer.content) == (204, b"")
    me = page.get("/api/v1/me").json()
    assert (me["role"], me["password_set"]) == ("owner", True)
    assert page.get("/api/v1/status").status_code == 200
    assert page.delete("/api/v1/session", headers=changing(page)).status_code == 204
    assert page.get("/api/v1/status").status_code == 401


def test_the_cookie_is_for_this_page_alone(enter):
    attributes = log_in(enter(), PASSWORD).headers["set-cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict", "path=/", f"max-age={30 * 86400}"} <= {*attributes}
    assert "secure" not in attributes
    encrypted = enter(base="https://127.0.0.1:8790")
    answer = encrypted.post("/api/v1/session", json={"password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower().split("; ")


def test_a_cookie_from_before_the_log_out_is_worth_nothing(enter):
    page = enter()
    log_in(page, PASSWORD)
    token = page.cookies[COOKIE]
    page.delete("/api/v1/session", headers=changing(page))
    page.cookies.set(COOKIE, token)
    assert page.get("/api/v1/me").json()["role"] is None


def test_a_browser_that_logs_in_again_has_one_session(enter):
    page = enter()
    log_in(page, PASSWORD)
    before = page.cookies[COOKIE]
    log_in(page, PASSWORD)
    assert page.cookies[COOKIE] != before
    page.cookies.clear()
    page.cookies.set(COOKIE, before)
    assert page.get("/api/v1/me").json()["role"] is None


def test_a_new_password_ends_all_sessions(enter, tmp_path, parts):
    page = enter()
    log_in(page, PASSWORD)
    make_doorkeeper(tmp_path, password=ANOTHER)
    assert page.get("/api/v1/me").json()["role"] is None
    assert log_in(page, PASSWORD).status_code == 401
    assert log_in(page, ANOTHER).status_code == 204


def test_a_session_ends_after_its_days(enter, clock):
    page = enter(session_days=1)
    log_in(page, PASSWORD)
    clock.now += 86399
    assert page.get("/api/v1/me").json()["role"] == "owner"
    clock.now += 1
    assert page.get("/api/v1/me").json()["role"] is None


def test_whoever_tries_too_often_has_to_wait(enter, clock):
    page = enter()
    tried = [log_in(page, "wrong horse").status_code for _ in range(PER_ADDRESS.burst + 1)]
    assert tried == [401] * PER_ADDRESS.burst + [429]
    refused = log_in(page, PASSWORD)
    assert refused.status_code == 429
    clock.now += int(refused.headers["retry-after"])
    assert log_in(page, PASSWORD).status_code == 204


def test_whoever_knew_the_password_has_all_tries_again(enter):
    page = enter()
    tried = [*["wrong horse"] * (PER_ADDRESS.burst - 1), PASSWORD] * 2
    statuses = [log_in(page, password).status_code for password in tried]
    assert statuses == [*[401] * (PER_ADDRESS.burst - 1), 204] * 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"password=correct+horse"),
        ("text/plain", b'{"password": "correct horse"}'),
        ("application/json", b'{"password": 1}'),
        ("application/json", b'{"password": "correct horse", "more": 1}'),
        ("application/json", b"[" * 5000),
        ("application/json", b"\xff\xfe"),
    ],
)
def test_a_log_in_is_json_which_a_form_of_another_site_cannot_send(enter, content_type, body):
    answer = enter().post("/api/v1/session", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 400


def test_guests_see_and_change_nothing_and_only_if_asked_for(enter):
    assert enter().get("/api/v1/me").json()["role"] is None
    page = enter(guests=True)
    assert page.get("/api/v1/me").json() | {"version": ""} == {
        "role": "guest",
        "csrf": "",
        "version": "",
        "read_only": False,
        "password_set": True,
    }
    assert page.get("/api/v1/status").status_code == 200
    assert page.post("/api/v1/status").status_code == 401


def test_other_sites_pages_are_refused(enter):
    page = enter("")
    token = changing(page)["X-CSRF-Token"]
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999", "http://[", "http://127.0.0.1"):
        headers = {"Origin": origin, "X-CSRF-Token": token}
        assert page.post("/api/v1/me", headers=headers).status_code == 403
        assert page.get("/api/v1/me", headers=headers).status_code == 403
    assert page.get("/api/v1/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert page.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
    assert (
        page.get("/api/v1/me", headers={"Origin": BASE, "Sec-Fetch-Site": "same-origin"}).status_code == 200
    )


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8790", True),
        ("[::1]:8790", True),
        ("localhost:8790", True),
        ("LOCALHOST.", True),
        ("192.168.1.5", True),
        ("pi.local:8790", True),
        ("evil.example:8790", False),
        ("127.0.0.1.evil.example", False),
        ("localhost:8790@evil.example", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_a_name_that_somebody_points_at_this_machine_is_refused(enter, host, known):
    answer = enter("", hosts=frozenset({"pi.local"})).get("/api/v1/me", headers={"Host": host})
    assert answer.status_code == (200 if known else 421)


def test_without_a_password_nothing_that_came_through_a_proxy_gets_in(enter):
    page = enter("")
    assert page.get("/api/v1/me", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 403
    assert page.get("/api/v1/me", headers={"Forwarded": "for=1.2.3.4"}).status_code == 403


def test_a_trusted_proxy_speaks_for_others(enter):
    page = enter(client=("10.0.0.7", 1), bind=EVERYWHERE, proxies=(PROXY,))
    headers = {"X-Forwarded-Proto": "https"}
    tries = []
    for i in range(PER_ADDRESS.burst + 1):  # who is behind the proxy may tell it anything
        headers["X-Forwarded-For"] = f"6.6.6.{i}, 1.2.3.4"
        answer = page.post("/api/v1/session", json={"password": "wrong horse"}, headers=headers)
        tries.append(answer.status_code)
    assert tries == [401] * PER_ADDRESS.burst + [429]
    headers["X-Forwarded-For"] = "1.2.3.5"
    answer = page.post("/api/v1/session", json={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 204
    assert "secure" in answer.headers["set-cookie"].lower().split("; ")


def test_where_there_is_a_proxy_nobody_gets_past_it(enter):
    page = enter(client=("10.0.0.8", 1), bind=EVERYWHERE, proxies=(PROXY,))
    assert page.get("/api/v1/me").status_code == 403


def test_who_is_no_proxy_does_not_choose_the_address_that_is_counted(enter):
    page = enter(client=("10.0.0.8", 1), bind=EVERYWHERE, insecure=True)
    tries = [
        page.post(
            "/api/v1/session", json={"password": "wrong horse"}, headers={"X-Forwarded-For": f"1.2.3.{i}"}
        ).status_code
        for i in range(PER_ADDRESS.burst + 1)
    ]
    assert tries[-1] == 429


@pytest.mark.parametrize("path", ["/", "/api/v1/me", "/nothing", "/api/v1/status"])
def test_each_answer_forbids_what_the_page_does_not_need(enter, path):
    headers = enter().get(path).headers
    rules = headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= {
        *rules
    }
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    if path.startswith("/api/"):
        assert headers["cache-control"] == "no-store"


def test_a_body_that_is_too_long_is_refused_also_without_a_length(enter):
    page = enter()

    def pieces():
        for _ in range(MAX_BODY_BYTES // 1000 + 1):
            yield b"x" * 1000

    assert page.post("/api/v1/session", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert page.post("/api/v1/session", content=pieces()).status_code == 413


def test_a_password_file_that_is_damaged_lets_the_old_password_in_and_nobody_else(enter, tmp_path):
    page = enter()
    (tmp_path / "web-password").write_text("damaged")
    assert log_in(page, "damaged").status_code == 401
    assert log_in(page, PASSWORD).status_code == 204


@pytest.mark.parametrize("rules", [{"bind": EVERYWHERE, "insecure": True}, {"proxies": (PROXY,)}])
def test_a_password_file_that_is_gone_opens_the_page_to_nobody_beyond_this_machine(enter, tmp_path, rules):
    page = enter(**rules)
    (tmp_path / "web-password").unlink()
    assert page.get("/api/v1/me").json()["role"] is None
    assert log_in(page, PASSWORD).status_code == 409


@pytest.mark.parametrize(
    ("lines", "counted"),
    [
        (["6.6.6.6", "1.2.3.4"], "1.2.3.4"),  # the proxy adds a line of its own
        (["6.6.6.6, 1.2.3.4, 10.0.0.7"], "1.2.3.4"),  # one trusted proxy behind another
        (["10.0.0.7"], "10.0.0.7"),
        (["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
    ],
)
def test_what_a_client_writes_before_its_proxy_does_not_change_who_is_counted(enter, caplog, lines, counted):
    page = enter(client=("10.0.0.7", 1), bind=EVERYWHERE, proxies=(PROXY,))
    headers = [("X-Forwarded-For", line) for line in lines]
    assert page.post("/api/v1/session", json={"password": "wrong horse"}, headers=headers).status_code == 401
    assert f"address={counted}" in caplog.text


@pytest.mark.parametrize("headers", [{"Content-Length": "10"}, {"Transfer-Encoding": "chunked"}])
def test_a_reading_request_with_a_body_is_refused_at_once_since_nobody_reads_it(enter, headers):
    answer = enter("").get("/api/v1/events/stream", headers=headers)
    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"


def test_long_headers_are_refused_also_where_they_come_at_once(enter):
    page = enter("")
    assert page.get("/healthz", headers={"X-Long": "a" * MAX_HEADER_BYTES}).status_code == 431
    assert page.get(f"/api/v1/events?label={'a' * MAX_HEADER_BYTES}").status_code == 431
    assert page.get("/api/v1/me", headers={"X-Long": "a" * (MAX_HEADER_BYTES - 1000)}).status_code == 200
    with (
        pytest.raises(WebSocketDisconnect),
        page.websocket_connect(f"/api/v1/live?x={'a' * MAX_HEADER_BYTES}"),
    ):
        pass


def test_who_hangs_up_in_the_middle_of_a_body_leaves_no_traceback(parts, caplog):
    """Somebody without a log-in could fill the log with them."""

    async def reads(_):
        raise AssertionError("nobody reads")

    async def receive():
        return {"type": "http.disconnect"}

    headers = [(b"host", b"127.0.0.1:8790"), (b"content-length", b"100")]
    path = {"path": "/api/v1/session", "raw_path": b"/api/v1/session", "query_string": b"", "root_path": ""}
    scope = {"type": "http", "method": "POST", "scheme": "http", "headers": headers, **path}
    asyncio.run(make_app(parts)(scope, receive, reads))
    assert not caplog.records
