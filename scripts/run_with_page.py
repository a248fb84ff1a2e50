"""Run the daemon and the web page together: scripts/run_with_page.py SOUND_DETECTOR [arguments of `run`]

Both end together, but for a recording that is over: its page stays until Ctrl+C. Ctrl+C reaches both from the
terminal; SIGTERM and SIGHUP are handed on. The exit status is the daemon's. A page that ends by itself is no
fault of the daemon's, which goes on.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType

PAGE_SECONDS = 5.0
"""How long the page may take to end."""
SHARED = ("--config", "--set")
"""Flags of `run` that the page takes too."""


def shared_arguments(arguments: list[str]) -> list[str]:
    """Those of the daemon's arguments that are the page's too."""
    shared: list[str] = []
    for i, flag in enumerate(arguments):
        if flag in SHARED:
            shared += arguments[i : i + 2]
        elif flag.startswith(tuple(f"{each}=" for each in SHARED)):
            shared.append(flag)
    return shared


def main(program: str, *arguments: str) -> int:
    """Run both; returns the exit status."""
    children: list[subprocess.Popen[bytes]] = []
    signals: list[int] = []

    def hand_on(number: int, _: FrameType | None) -> None:
        signals.append(number)
        for child in children:
            child.send_signal(number)

    # A handler, unlike SIG_IGN, is not inherited: the two get the Ctrl+C themselves.
    signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGHUP, hand_on)
    page = subprocess.Popen([program, "web", *shared_arguments([*arguments])], stdin=subprocess.DEVNULL)
    children.append(page)
    daemon = subprocess.Popen([program, "run", *arguments])
    children.append(daemon)
    status = daemon.wait()
    if status == 0 and not signals and page.poll() is None:
        print("sound-detector: the recording is over; the page stays until Ctrl+C", file=sys.stderr)
        page.wait()
    page.terminate()
    try:
        page.wait(PAGE_SECONDS)
    except subprocess.TimeoutExpired:
        page.kill()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
