"""What one source is doing, for people: the state of its device, and why it is in it."""

from __future__ import annotations

import logging

from detector.interfaces import Source
from detector.service.device_state import (
    DETAIL,
    HUNG_BESIDE_OTHERS,
    STREAM_DETAIL,
    TROUBLE,
    UNHURRIED_DETAIL,
    DeviceObservation,
    DeviceState,
    next_state,
)

log = logging.getLogger(__name__)


class SourceStatus:
    """Follows the table of states for one source; each change is a line in the log."""

    def __init__(self, source: Source, *, is_stream: bool, is_alone: bool) -> None:
        self.state = DeviceState.OPENING
        """What the source is doing."""
        self._source = source  # its name may become another one when it is opened
        self._reason = ""
        self._details = STREAM_DETAIL if is_stream else DETAIL if source.live else UNHURRIED_DETAIL
        if not is_alone:
            self._details = self._details | {DeviceState.HUNG: HUNG_BESIDE_OTHERS}

    @property
    def detail(self) -> str:
        """Why it is in this state, and what helps; empty where there is nothing to say."""
        return "; ".join(part for part in (self._reason, self._details[self.state]) if part)

    def observe(self, observation: DeviceObservation, reason: str = "", *, is_told: bool = False) -> bool:
        """Change the state by the table; whether it is another one now.

        `is_told`: another line says it already.
        """
        state = next_state(self.state, observation)
        if state is self.state:
            if observation is DeviceObservation.FAILED:
                self._reason = reason  # it fails again, perhaps for another reason
            return False
        self.state, self._reason = state, reason
        log.log(
            logging.DEBUG if is_told else logging.WARNING if state in TROUBLE else logging.INFO,
            f"daemon.{state.value} source=%r%s",
            self._source.name,
            f" detail={self.detail!r}" if self.detail else "",
        )
        return True
