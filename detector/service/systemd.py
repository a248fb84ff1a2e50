"""Reports to the service manager: ready, status, progress; nothing where there is none.

A message is `KEY=value` lines in one datagram to the Unix socket named by $NOTIFY_SOCKET.
Source: sd_notify(3) and sd_watchdog_enabled(3).
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

log = logging.getLogger(__name__)

SEND_SECONDS = 0.5
"""How long a message may wait for a busy manager before it is dropped."""

STATUS_CHARACTERS = 500
"""A status is one line on a terminal; the manager takes no message over 4096 bytes."""

FEEDS_PER_INTERVAL = 4
"""How often progress is passed on within the watchdog's interval, however often it is reported."""


class Notifier:
    """Reports to the service manager that started this process; silent where $NOTIFY_SOCKET is not set.

    A message that cannot be sent is lost, and the first one logged: listening matters more.
    """

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._clock = clock
        self._failed = False
        self._ready = False
        self._status = ""
        self._next_feed = clock()
        self.watchdog_seconds = _watchdog_seconds(environ, os.getpid()) if self._address else None
        """The manager ends the process after this long without progress; None: it does not watch."""

    @property
    def has_manager(self) -> bool:
        """Whether a service manager started this process and listens."""
        return self._address is not None

    def ready(self) -> None:
        """Report that sound arrives, or is waited for; only the first call sends anything."""
        if not self._ready:
            self._ready = True
            self._send("READY=1")

    def status(self, text: str) -> None:
        """Report the status in one line, which `systemctl status` shows."""
        line = " ".join(text.split())[:STATUS_CHARACTERS]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def watchdog(self) -> None:
        """Report that the pipeline made progress; cheap enough for every block."""
        if self.watchdog_seconds is not None and self._clock() >= self._next_feed:
            self._next_feed = self._clock() + self.watchdog_seconds / FEEDS_PER_INTERVAL
            self._send("WATCHDOG=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Report when a reload begins and ends; before `ready`, send nothing."""
        if self._ready:
            # By this time the manager sees that the message answers its own request.
            self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            if self._ready:
                self._send("READY=1")

    def stopping(self) -> None:
        """Report that the daemon is ending."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_SECONDS)
                sender.sendto(message.encode(errors="replace"), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("notify.failed socket=%r error=%r", self._address, str(error))
            self._failed = True


def _address(name: str) -> str | None:
    """An absolute path, or `@name` for an abstract socket, which the kernel writes with a zero byte."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _watchdog_seconds(environ: Mapping[str, str], pid: int) -> float | None:
    """The interval, where it is meant for this process."""
    interval, owner = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    if owner != str(pid) or not re.fullmatch("[0-9]{1,18}", interval) or int(interval) == 0:
        return None
    return int(interval) / 1e6
