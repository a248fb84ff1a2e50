"""The page behind a real nginx, set up as docs/web.md says."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.fakes import LONG
from tests.support.keys import make_keys
from tests.support.program import Program

pytest.importorskip("starlette", reason="needs the extra [web]")
pytest.importorskip("uvicorn", reason="needs the extra [web]")

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="needs nginx (apt install nginx-light)"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl"),
]

NAME = "sounds.example.org"
PASSWORD = "correct horse"  # noqa: S105


def recipe(heading: str) -> str:
    """The indented block of docs/web.md that begins with this comment."""
    text = (ROOT / "docs" / "web.md").read_text(encoding="utf-8").partition(f"    {heading}\n")[2]
    return text.partition("\n\n")[0]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def proxied(start: Callable[..., Program], tmp_path: Path) -> Iterator[int]:
    """The port of an nginx with TLS in front of a page with a password."""
    make_keys(tmp_path)
    page_port, port = free_port(), free_port()
    settings = f"web:\n  port: {page_port}\n  proxy: [127.0.0.1]\n  hosts: [{NAME}]\n"
    (tmp_path / "config.yaml").write_text(settings)
    setting = start("web", "--set-password", "--config", "config.yaml")
    setting.stdin.write(f"{PASSWORD}\n".encode())
    assert setting.end() == 0
    start("web", "--config", "config.yaml").says("the page: ")
    server = recipe("# nginx")
    for there, here in (
        ("443", f"127.0.0.1:{port}"),
        ("/etc/ssl/sounds.pem", str(tmp_path / "certificate.pem")),
        ("/etc/ssl/sounds.key", str(tmp_path / "key.pem")),
        ("127.0.0.1:8790", f"127.0.0.1:{page_port}"),
    ):
        assert there in server
        server = server.replace(there, here)
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http_part = f"http {{ access_log off; {folders}\n{server}\n}}"
    main = f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
    (tmp_path / "nginx.conf").write_text(main + http_part)
    command = [str(NGINX), "-e", f"{tmp_path}/error.log", "-c", f"{tmp_path}/nginx.conf"]
    nginx = subprocess.Popen(command)
    try:
        end = time.monotonic() + LONG
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert nginx.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        yield port
    finally:
        nginx.terminate()
        nginx.wait(LONG)


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """An answer and its headers, as a browser on another machine gets them."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    given = {"Host": f"{NAME}:{port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=LONG, context=context, source_address=("127.0.0.2", 0)
    )
    with closing(connection):
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, given | ({"Content-Type": "application/json"} if text else {}))
        answer = connection.getresponse()
        stream = answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        return answer, answer.readline() if stream else answer.read()


def test_behind_nginx_a_browser_logs_in_and_gets_events_and_the_live_view(proxied):
    site = f"https://{NAME}:{proxied}"
    me, body = ask(proxied, "GET", "/api/v1/me")
    assert (me.status, json.loads(body)["role"]) == (200, None)
    login = {"password": PASSWORD}
    assert ask(proxied, "POST", "/api/v1/session", login, Origin="https://evil.example")[0].status == 403
    entered, _ = ask(proxied, "POST", "/api/v1/session", login, Origin=site)
    assert entered.status == 204
    cookie, *attributes = entered.headers["Set-Cookie"].split("; ")
    assert "Secure" in attributes
    _, body = ask(proxied, "GET", "/api/v1/me", Cookie=cookie)
    assert json.loads(body)["role"] == "owner"
    stream, line = ask(proxied, "GET", "/api/v1/events/stream", Cookie=cookie)
    assert (stream.status, line) == (200, b"retry: 2000\n")
    key = "AAAAAAAAAAAAAAAAAAAAAA=="
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Key": key}
    upgrade["Sec_WebSocket_Version"] = "13"
    live, _ = ask(proxied, "GET", "/api/v1/live", Cookie=cookie, Origin=site, **upgrade)
    assert live.status == 101
    other, _ = ask(proxied, "GET", "/api/v1/live", Cookie=cookie, Origin="https://evil.example", **upgrade)
    assert other.status == 403


def test_nginx_says_whose_log_ins_are_counted(proxied):
    """A stranger cannot choose the address: the proxy adds the real one behind what it is told."""
    statuses = [
        ask(proxied, "POST", "/api/v1/session", {"password": "wrong"}, X_Forwarded_For=f"9.9.9.{n}")[0].status
        for n in range(6)
    ]
    assert statuses == [401] * 5 + [429]
