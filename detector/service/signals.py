"""What signals ask of a running daemon."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from detector.service.daemon import Daemon
from detector.service.hangups import Hangups


@contextmanager
def exiting_on_sigterm() -> Iterator[None]:
    """A SIGTERM is an exit with status 0, which closes what is open; a second one ends all at once."""

    def on_stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, on_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_with_signals(daemon: Daemon, hangups: Hangups | None = None) -> None:
    """Run until the end; SIGINT and SIGTERM stop it (a second one at once), SIGHUP reloads the settings.

    A SIGHUP because the terminal was closed stops it. `hangups` has held those that came before.
    """
    hangups = Hangups() if hangups is None else hangups

    def on_stop(number: int, frame: FrameType | None) -> None:
        daemon.stop()
        signal.signal(number, signal.SIG_DFL)

    def on_reload(number: int, frame: FrameType | None) -> None:
        if hangups.terminal_closed:
            daemon.stop()
        else:
            daemon.request_reload()

    handlers = {signal.SIGINT: on_stop, signal.SIGTERM: on_stop}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = on_reload
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    if hangups.came:
        daemon.request_reload()
    try:
        daemon.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
