"""Runs one program for a bounded time: no shell, a clean environment, a process group that ends with it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, cast

from detector.sinks.notify.target import Stopping

PASSED_ON = ("HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "XDG_RUNTIME_DIR")
"""Variables that a program gets as this one has them; XDG_RUNTIME_DIR leads to the user's sound server."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TERM_SECONDS = 2.0
"""How long a program may take to end after SIGTERM; then comes SIGKILL."""
STOPPING_SECONDS = 0.5
"""How long a program may go on once this one is about to end."""
STOPPING_TERM_SECONDS = 0.25
"""How long it then has after SIGTERM: this program waits a second for its sinks, and leaves none behind."""
_TICK_SECONDS = 0.05
_MOST_SAID = 64 * 1024
"""Bytes of standard error that are read; the rest has nobody who reads it."""
_KEPT = 300


@dataclass(frozen=True, slots=True)
class ProgramEnd:
    """How a program ended."""

    status: int | None
    """Its exit status, negative for a signal; None where it ran out of time and was ended."""
    said: str
    """The beginning of what it wrote to standard error."""


def run_program(
    argv: Sequence[str],
    *,
    content: bytes,
    variables: Mapping[str, str],
    seconds: float,
    stopping: Stopping,
    clock: Callable[[], float] = time.monotonic,
) -> ProgramEnd:
    """Start a program with `content` on standard input and wait for its end; OSError where it cannot start.

    What it has started and left running is ended with it. `clock` counts seconds.
    """
    environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    with tempfile.TemporaryFile() as standard_input:  # a pipe could fill up, and nobody would read it
        standard_input.write(content)
        standard_input.seek(0)
        process = subprocess.Popen(
            list(argv),
            stdin=standard_input,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            env={**environment, "PATH": PATH, **variables},
            start_new_session=True,
        )
    said = bytearray()
    with process:
        errors = cast(IO[bytes], process.stderr).fileno()
        in_time = _wait(process, errors, said, seconds, stopping, clock)
        if not in_time:
            _signal(process, signal.SIGTERM)
            grace = STOPPING_TERM_SECONDS if stopping() else TERM_SECONDS
            _wait(process, errors, said, grace, lambda: False, clock)
        _signal(process, signal.SIGKILL)  # also what it left behind
    status = process.wait()
    text = bytes(said[:_KEPT]).decode("utf-8", "replace").strip()
    return ProgramEnd(status if in_time else None, text)


def _wait(
    process: subprocess.Popen[bytes],
    errors: int,
    said: bytearray,
    seconds: float,
    stopping: Stopping,
    clock: Callable[[], float],
) -> bool:
    """Read what it says until it has ended; False where it has not in time. It is not reaped."""
    end = clock() + seconds
    is_cut_short = False
    while not _has_ended(process):
        now = clock()
        if not is_cut_short and stopping():
            is_cut_short, end = True, min(end, now + STOPPING_SECONDS)
        if now >= end:
            return False
        _read(errors, said)
    _read(errors, said, tick=0.0)
    return True


def _read(errors: int, said: bytearray, tick: float = _TICK_SECONDS) -> None:
    if len(said) >= _MOST_SAID:
        time.sleep(tick)
        return
    readable, _, _ = select.select([errors], [], [], tick)
    if readable:
        chunk = os.read(errors, 4096)
        said += chunk
        if not chunk:
            time.sleep(tick)  # it has closed its standard error and goes on


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; where the system allows, its number stays taken: a signal finds no other."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
