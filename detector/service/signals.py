"""What signals ask of a running daemon."""

from __future__ import annotations

import signal
from types import FrameType

from detector.service.daemon import Daemon


def run_with_signals(daemon: Daemon) -> None:
    """Run until the end; SIGINT and SIGTERM stop it (a second one at once), SIGHUP reloads the settings."""

    def on_stop(number: int, frame: FrameType | None) -> None:
        daemon.stop()
        signal.signal(number, signal.SIG_DFL)

    def on_reload(number: int, frame: FrameType | None) -> None:
        daemon.request_reload()

    handlers = {signal.SIGINT: on_stop, signal.SIGTERM: on_stop}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = on_reload
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        daemon.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
