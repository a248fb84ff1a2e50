"""What the microphone is doing, as a table, and the detail that is published with each state.

Rules of this file: every change of state is a row of TABLE; nothing here reads a clock or a device.
The capture thread reports what it observes (SOUND, CONSTANT, CLIPPED from `audio.health`, FAILED when opening
or reading raised), the channel that it throws sound away (PAUSED), the worker what it misses (STALLED: no
block for too long) and the END.

    opening ──SOUND──> listening <──SOUND──> silent, clipping
       │    ^             │  ^
     FAILED └─SOUND─┐  FAILED └──SOUND── device_lost (reopened with back-off, for ever)
       v            │     v
    waiting ────────┘  device_lost ──STALLED──> hung ──> the program ends and is started again

`waiting` is `device_lost` for a device that was never there: it is opened again in the same way.

`silent` and `clipping` are still listening: blocks arrive and are classified. `paused` is not: blocks arrive
and are thrown away, because somebody wants it so; SOUND, CONSTANT and CLIPPED end it. `hung` has one way out:
only the thread that reads may close a stream, and that thread is stuck in the read.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class DeviceState(Enum):
    """The value is what `status` messages carry."""

    OPENING = "opening"
    LISTENING = "listening"
    SILENT = "silent"
    CLIPPING = "clipping"
    PAUSED = "paused"
    WAITING = "waiting"
    LOST = "device_lost"
    HUNG = "hung"
    STOPPED = "stopped"


class DeviceObservation(Enum):
    """One thing that was observed of the device."""

    SOUND = "sound"
    CONSTANT = "constant"
    CLIPPED = "clipped"
    PAUSED = "paused"
    FAILED = "failed"
    STALLED = "stalled"
    END = "end"


_ALIVE = {
    DeviceObservation.SOUND: DeviceState.LISTENING,
    DeviceObservation.CONSTANT: DeviceState.SILENT,
    DeviceObservation.CLIPPED: DeviceState.CLIPPING,
    DeviceObservation.PAUSED: DeviceState.PAUSED,
    DeviceObservation.FAILED: DeviceState.LOST,
    DeviceObservation.STALLED: DeviceState.HUNG,
    DeviceObservation.END: DeviceState.STOPPED,
}

TABLE: dict[tuple[DeviceState, DeviceObservation], DeviceState] = {
    (state, observation): after
    for state in (
        DeviceState.OPENING,
        DeviceState.WAITING,
        DeviceState.LISTENING,
        DeviceState.SILENT,
        DeviceState.CLIPPING,
        DeviceState.PAUSED,
        DeviceState.LOST,
    )
    for observation, after in _ALIVE.items()
} | {
    (DeviceState.OPENING, DeviceObservation.FAILED): DeviceState.WAITING,
    (DeviceState.WAITING, DeviceObservation.FAILED): DeviceState.WAITING,
    (DeviceState.HUNG, DeviceObservation.END): DeviceState.STOPPED,
}
"""(state, observation) -> next state. A hung device may deliver what it wants; STOPPED is the end."""

DETAIL: dict[DeviceState, str] = {
    DeviceState.OPENING: "opening the source",
    DeviceState.LISTENING: "",
    DeviceState.SILENT: "digital silence only: is the microphone muted? Unmute or plug it in, or choose "
    "another one: `sound-detector devices` lists them",
    DeviceState.CLIPPING: "the microphone is overdriven: lower its gain",
    DeviceState.PAUSED: "sound is thrown away unheard until listening is turned on again",
    DeviceState.WAITING: "waiting for a microphone: it is used as soon as it is there",
    DeviceState.LOST: "it is opened again as soon as it is back",
    DeviceState.HUNG: "the device delivers nothing and cannot be closed; the program ends, to be restarted",
    DeviceState.STOPPED: "",
}
"""What is published beside the state's name, for people. WAITING and LOST come after a reason."""

TROUBLE = (
    DeviceState.WAITING,
    DeviceState.LOST,
    DeviceState.HUNG,
    DeviceState.SILENT,
    DeviceState.CLIPPING,
)
"""States that are logged as warnings."""

STREAM_DETAIL = DETAIL | {
    DeviceState.SILENT: "digital silence only: does the stream have sound now?",
    DeviceState.CLIPPING: "the stream is overdriven: lower the gain where it is made",
    DeviceState.WAITING: "it is asked for again and again, at most every 30 s",
    DeviceState.LOST: "it is asked for again and again, at most every 30 s",
}
"""The same for a stream."""

UNHURRIED_DETAIL = DETAIL | {
    DeviceState.OPENING: "no sound has come yet; a pipe has none before somebody writes into it",
}
"""The same for a pipe or a recording at full speed: nothing is lost while it waits."""

ENDED_BESIDE_OTHERS = "its sound has ended; the other sources go on; restart the program to hear it again"
"""Why a source stops that has come to its end while others have not."""

HUNG_BESIDE_OTHERS = (
    "the device delivers nothing and cannot be closed; the other sources go on; restart the program to use it"
)
"""The detail of HUNG where the program does not end."""

HEARD = (DeviceState.LISTENING, DeviceState.SILENT, DeviceState.CLIPPING)
"""States in which blocks are classified."""

WORST_FIRST = (
    DeviceState.HUNG,
    DeviceState.LOST,
    DeviceState.WAITING,
    DeviceState.OPENING,
    DeviceState.SILENT,
    DeviceState.CLIPPING,
    DeviceState.PAUSED,
    DeviceState.LISTENING,
    DeviceState.STOPPED,
)
"""The state of several sources is the first of these that one of them is in."""

RETRY_FIRST_SECONDS = 0.25
RETRY_LONGEST_SECONDS = 2.0

STREAM_RETRY_FIRST_SECONDS = 1.0
STREAM_RETRY_LONGEST_SECONDS = 30.0
"""A camera that is asked too often, or with a wrong password, may refuse everybody for a while."""


def next_state(state: DeviceState, observation: DeviceObservation) -> DeviceState:
    """The state after an observation; pairs that are not in the table change nothing."""
    return TABLE.get((state, observation), state)


def overall_state(states: Iterable[DeviceState]) -> DeviceState:
    """The state of several sources together: the worst."""
    return min(states, key=WORST_FIRST.index)


def stream_retry_seconds(attempt: int) -> float:
    """The same as `retry_seconds` for a stream: 1, 2, 4, ... 30 s."""
    return min(STREAM_RETRY_LONGEST_SECONDS, STREAM_RETRY_FIRST_SECONDS * 2.0 ** min(attempt, 16))


def retry_seconds(attempt: int) -> float:
    """How long to wait before opening a lost device for the `attempt`-th time, counted from 0.

    Doubles up to 2 s, so that a device that comes back is used again within 5 s.
    """
    return min(RETRY_LONGEST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(attempt, 16))
