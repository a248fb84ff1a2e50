"""What the service manager reads on its socket: real datagrams, an own clock."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.service.systemd import STATUS_CHARACTERS, Notifier

THIRTY_SECONDS = {"WATCHDOG_USEC": "30000000"}


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.environ = {"NOTIFY_SOCKET": address.replace("\0", "@", 1)}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_life_is_told_in_its_order(manager: Manager) -> None:
    notifier = Notifier(manager.environ | THIRTY_SECONDS)
    notifier.status("opening")
    notifier.ready()
    notifier.watchdog()
    notifier.status("Dog")
    notifier.stopping()
    assert manager.heard() == ["STATUS=opening", "READY=1", "WATCHDOG=1", "STATUS=Dog", "STOPPING=1"]


def test_ready_is_said_once(manager: Manager) -> None:
    notifier = Notifier(manager.environ)
    notifier.ready()
    notifier.ready()
    assert manager.heard() == ["READY=1"]


def test_the_same_status_is_said_once(manager: Manager) -> None:
    notifier = Notifier(manager.environ)
    for text in ("listening", "listening", "Dog", "listening"):
        notifier.status(text)
    assert manager.heard() == ["STATUS=listening", "STATUS=Dog", "STATUS=listening"]


def test_a_status_is_one_short_line(manager: Manager) -> None:
    """A name from a label file cannot smuggle in a message of its own."""
    notifier = Notifier(manager.environ)
    notifier.status("Dog\nMAINPID=1\r\n")
    notifier.status("ü" * 5000)
    first, second = manager.heard()
    assert first == "STATUS=Dog MAINPID=1"
    assert second == "STATUS=" + "ü" * STATUS_CHARACTERS


def test_progress_is_passed_on_four_times_an_interval(manager: Manager) -> None:
    clock = Clock()
    notifier = Notifier(manager.environ | THIRTY_SECONDS, clock)
    for _ in range(10 * 60):  # a block each 0.1 s
        notifier.watchdog()
        clock.now += 0.1
    assert manager.heard() == ["WATCHDOG=1"] * 8


def test_no_progress_is_told_to_a_manager_that_does_not_watch(manager: Manager) -> None:
    Notifier(manager.environ).watchdog()
    assert manager.heard() == []


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),  # meant for our parent
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
    ],
)
def test_the_interval_of_the_watchdog(
    manager: Manager, environ: dict[str, str], seconds: float | None
) -> None:
    assert Notifier(manager.environ | environ).watchdog_seconds == seconds


def test_a_reload_is_told_with_its_time_and_its_end(manager: Manager) -> None:
    notifier = Notifier(manager.environ)
    notifier.ready()
    before = time.monotonic_ns() // 1000
    with notifier.reloading():
        notifier.status("settings kept: threshold_on is 1.4")
    ready, reloading, status, again = manager.heard()
    key, microseconds = reloading.split("\n")[1].split("=")
    assert (ready, status, again) == ("READY=1", "STATUS=settings kept: threshold_on is 1.4", "READY=1")
    assert reloading.startswith("RELOADING=1\n") and key == "MONOTONIC_USEC" and int(microseconds) >= before


def test_a_reload_ends_though_it_failed(manager: Manager) -> None:
    notifier = Notifier(manager.environ)
    notifier.ready()
    with pytest.raises(RuntimeError), notifier.reloading():
        raise RuntimeError
    assert manager.heard()[-1] == "READY=1"


def test_a_reload_before_the_first_sound_does_not_say_ready(manager: Manager) -> None:
    notifier = Notifier(manager.environ)
    with notifier.reloading():
        pass
    assert manager.heard() == []


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_socket_nothing_is_said(environ: dict[str, str]) -> None:
    notifier = Notifier(environ | THIRTY_SECONDS)
    assert notifier.watchdog_seconds is None
    notifier.ready()
    notifier.status("Dog")
    notifier.watchdog()
    notifier.stopping()


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="abstract sockets are Linux's")
def test_an_abstract_socket() -> None:
    manager = Manager(f"\0sound-detector-test-{os.getpid()}")
    Notifier(manager.environ).ready()
    assert manager.heard() == ["READY=1"]
    manager.close()


def test_a_manager_that_has_gone_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.ready()
    notifier.stopping()
    assert [record.getMessage().split(" ")[0] for record in caplog.records] == ["notify.failed"]
