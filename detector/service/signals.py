"""What signals ask of a running daemon."""

from __future__ import annotations

import signal
from types import FrameType

from detector.service.daemon import Daemon
from detector.service.hangups import Hangups


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
