"""`sound-detector web` as a real process: its address, its end, its password, TLS, and what it refuses."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.keys import make_keys
from tests.support.program import Program

pytest.importorskip("starlette", reason="needs the extra [web]")
pytest.importorskip("uvicorn", reason="needs the extra [web]")

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture
def serve(start: Callable[..., Program]) -> Callable[..., tuple[Program, str]]:
    """Start the page on a free port; gives the program and its address."""

    def serve(*arguments: str) -> tuple[Program, str]:
        program = start("web", "--set", "web.port=0", *arguments)
        return program, program.says("the page: ").split()[-1].rstrip("/")

    return serve


def ask(address: str, **options: Any) -> Any:
    with urllib.request.urlopen(address, timeout=30, **options) as answer:  # noqa: S310
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_without_a_daemon_and_ends_at_once_while_a_page_is_open(serve, number):
    program, address = serve()
    assert ask(f"{address}/api/v1/me")["role"] == "owner"
    with urllib.request.urlopen(f"{address}/api/v1/events/stream", timeout=30) as stream:  # noqa: S310
        assert stream.readline()
        program.send(number)
        assert program.end() == 0
    assert not [line for line in program.err.seen if "Traceback" in line]


def test_beyond_this_machine_it_needs_a_password_and_encryption(run, start, serve):
    everywhere = ("--set", "web.bind=0.0.0.0", "--set", "web.port=0")
    refused = run("web", *everywhere)
    assert refused.status == 2
    assert "without a password" in refused.err.seen[-1]
    setting = start("web", "--set-password")
    setting.stdin.write(f"{PASSWORD}\n".encode())
    assert setting.end() == 0
    refused = run("web", *everywhere)
    assert refused.status == 2
    assert "unencrypted" in refused.err.seen[-1]
    _, address = serve(*everywhere, "--set", "web.insecure=true")
    me = ask(f"http://127.0.0.1:{address.rpartition(':')[2]}/api/v1/me")
    assert (me["role"], me["password_set"]) == (None, True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
def test_it_shows_a_new_certificate_after_sighup(serve, tmp_path):
    make_keys(tmp_path)
    files = ("certificate.pem", "key.pem")
    settings = [f"web.{name.removesuffix('.pem')}={tmp_path / name}" for name in files]
    program, address = serve(*(argument for each in settings for argument in ("--set", each)))
    assert address.startswith("https://")

    def trusts() -> bool:
        context = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        try:
            return ask(f"{address}/api/v1/me", context=context)["role"] == "owner"
        except OSError:
            return False

    assert trusts()
    make_keys(tmp_path)
    assert not trusts()
    program.send(signal.SIGHUP)
    end = time.monotonic() + 30
    while not trusts():
        assert time.monotonic() < end
    (tmp_path / "key.pem").write_text("damaged")
    program.send(signal.SIGHUP)
    program.says("web.certificate_unusable")
    assert trusts()


def test_a_port_that_is_taken_and_a_certificate_that_is_none_are_one_line(run, serve, tmp_path: Path):
    _, address = serve()
    taken = run("web", "--set", f"web.port={address.rpartition(':')[2]}")
    assert taken.status == 1
    assert "cannot be opened" in taken.err.seen[-1]
    (tmp_path / "key.pem").write_text("none")
    (tmp_path / "key.pem").chmod(0o600)
    wrong = ("--set", f"web.certificate={tmp_path}/key.pem", "--set", f"web.key={tmp_path}/key.pem")
    refused = run("web", *wrong)
    assert refused.status == 2
    assert "expected PEM files" in refused.err.seen[-1]


def test_without_its_packages_it_says_what_to_install(run, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'starlette' else found(name, *rest)\n"
    )
    missing = run("web", variables={"PYTHONPATH": str(tmp_path)})
    assert missing.status == 1
    assert missing.err.seen == [
        "sound-detector: the page needs starlette; install with: pip install 'sound-detector[web]'"
    ]


def test_strangers_cost_a_line_of_the_log(serve):
    program, address = serve()
    host, _, port = address.removeprefix("http://").rpartition(":")
    for garbage in (b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: evil\r\n\r\n"):
        for _ in range(50):
            with socket.create_connection((host, int(port)), timeout=30) as stranger:
                stranger.sendall(garbage)
                stranger.shutdown(socket.SHUT_WR)
                while stranger.recv(65536):
                    pass
    assert ask(f"{address}/api/v1/me")["role"] == "owner"
    program.send(signal.SIGTERM)
    assert program.end() == 0
    assert len([line for line in program.err.seen if "daemon_gone" not in line]) <= 4
