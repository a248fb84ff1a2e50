"""What a subscriber may ask of the running daemon: to pause, to listen again, to read its settings again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from detector.errors import SinkError
from detector.service.daemon import Daemon
from detector.wire.live_bodies import ControlBody
from detector.wire.message import utc_text
from detector.wire.request import ControlLine

log = logging.getLogger(__name__)


class Controls:
    """Does what a line asks for; safe from any thread."""

    def __init__(
        self, daemon: Daemon, *, needs_restart: Callable[[], Sequence[str]], utc: Callable[[], float]
    ) -> None:
        """`needs_restart` lists the settings that the last reload could not put into force."""
        self._daemon = daemon
        self._needs_restart = needs_restart
        self._utc = utc

    def __call__(self, line: ControlLine, answer: Callable[[ControlBody], None]) -> None:
        """Do it, and answer once it is done; raises SinkError where there is no such source."""
        if line.pause is None:
            log.info("daemon.reload_asked_for by=socket")
            self._daemon.request_reload(lambda faults: answer(self._reloaded(faults)))
            return
        answer(self._pause(line.pause, line.source))

    def _pause(self, paused: bool, source: str) -> ControlBody:
        channels = [each for each in self._daemon.channels if source in ("", each.name)]
        if not channels:
            names = ", ".join(repr(each.name) for each in self._daemon.channels)
            raise SinkError(f"expected the name of a source, {names}, got {source[:40]!r}")
        if not any(each.is_live for each in channels):
            return self._body(done=False, message="a recording or a pipe cannot be paused")
        log.info("daemon.pause_asked_for paused=%s source=%r by=socket", paused, source)
        self._daemon.pause(paused, source)
        return self._body(
            done=True,
            message="sound is thrown away unheard until listening is turned on again"
            if paused
            else "listening",
        )

    def _reloaded(self, faults: Sequence[str]) -> ControlBody:
        if faults:
            return self._body(done=False, message="the old settings stay", faults=tuple(faults))
        waiting = tuple(self._needs_restart())
        message = "the settings are in force"
        if waiting:
            message += f", but for {', '.join(waiting)}: restart the program"
        return self._body(done=True, message=message, needs_restart=waiting)

    def _body(
        self, *, done: bool, message: str, faults: tuple[str, ...] = (), needs_restart: tuple[str, ...] = ()
    ) -> ControlBody:
        return ControlBody(
            done=done,
            message=message,
            paused=tuple(each.name for each in self._daemon.channels if each.is_paused),
            faults=faults,
            needs_restart=needs_restart,
            time=utc_text(self._utc()),
        )
