"""The process that judges and writes clips: a fault in a codec or a full disk cannot reach the daemon."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from multiprocessing.connection import Connection

from detector.clips.clip_writer import ClipWriter

SWEEP_SECONDS = 900.0
"""How often old clips are looked for while none is written."""

NICENESS = 10
"""The daemon comes first where the processor is short."""


def serve_clips(pipe: Connection, writer: ClipWriter) -> None:
    """Answer each request with its outcome and the folder's state, until the pipe's other end is closed."""
    # A signal to the whole group ends the daemon, which may still have clips to hand over.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    with contextlib.suppress(
        OSError, ValueError, AttributeError
    ):  # the daemon's standard output is for events
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    writer.warm_up()
    with contextlib.suppress(EOFError, OSError):
        pipe.send(writer.sweep())
        while True:
            if pipe.poll(SWEEP_SECONDS):
                pipe.send(writer.save(pipe.recv()))
            pipe.send(writer.sweep())
