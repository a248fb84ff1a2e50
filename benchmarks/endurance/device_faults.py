"""The microphone is taken away, ten times in three ways, from the real program on a virtual microphone.

    python -m benchmarks.endurance.device_faults [--times 10]

`killed`: the sound server is killed and started again. `unplugged`: its modules are unloaded and loaded
again. `hung`: it is stopped (SIGSTOP), the program must say so and end within seconds with a status that
makes a service manager start it again; this script starts it again when the server goes on. Measured:
seconds from the device being back to `listening`, threads and file descriptors afterwards.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from detector.files.data_folders import models_folder
from tests.support.virtualmic import VirtualMicrophone

LIMIT_SECONDS = 30.0
LISTENING = ("listening", "silent")
"""States in which sound arrives; nothing is played to this microphone."""


class Listener:
    """The program on the virtual microphone, and a subscriber to its socket."""

    def __init__(self, microphone: VirtualMicrophone, folder: Path) -> None:
        path = folder / "events.sock"
        # The microphone's own home is not where the models are.
        environment = microphone.environment | {"SOUND_DETECTOR_HOME": str(models_folder().parent)}
        command = [
            sys.executable,
            "-m",
            "detector",
            "--device",
            "1",
            "-q",
            "--sink",
            f"socket:unix://{path}",
        ]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT_SECONDS
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(LIMIT_SECONDS)
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self._lines = self._socket.makefile(encoding="utf-8")
        hello = json.loads(self._lines.readline())
        if hello["state"] not in LISTENING:
            self.wait_for(*LISTENING)

    def wait_for(self, *states: str) -> dict[str, Any]:
        """Return the next status with one of these states; ends the program and raises where none comes."""
        for line in self._lines:
            message: dict[str, Any] = json.loads(line)
            if message["type"] == "status" and message["state"] in states:
                return message
        wanted = " or ".join(states)
        raise RuntimeError(f"the connection ended before {wanted}; the program's status is {self.close()}")

    def threads_and_descriptors(self) -> tuple[int, int]:
        """What it holds now, from /proc."""
        process = Path(f"/proc/{self.process.pid}")
        return len(list((process / "task").iterdir())), len(list((process / "fd").iterdir()))

    def close(self) -> int:
        """End it and return its exit status."""
        self._lines.close()
        self._socket.close()
        self.process.terminate()
        return self.process.wait(LIMIT_SECONDS)


def lose_and_find(times: int, *, unplugged: bool) -> tuple[list[float], list[tuple[int, int]]]:
    """Take the device from one running program again and again; seconds until it listens, and holdings."""
    seconds, held = [], []
    with VirtualMicrophone() as microphone, tempfile.TemporaryDirectory(prefix="sd-") as folder:
        listener = Listener(microphone, Path(folder))
        held.append(listener.threads_and_descriptors())
        for _ in range(times):
            (microphone.unplug if unplugged else microphone.kill)()
            listener.wait_for("device_lost")
            (microphone.plug if unplugged else microphone.start)()
            back = time.monotonic()
            listener.wait_for(*LISTENING)
            seconds.append(time.monotonic() - back)
            held.append(listener.threads_and_descriptors())
        status = listener.close()
        if status != 0:
            raise RuntimeError(f"the program ended with status {status}")
    return seconds, held


def hang_and_restart(times: int) -> tuple[list[float], list[float], list[int]]:
    """Stop the server; seconds until the program ends, until a new one listens, and exit statuses."""
    ended, back, statuses = [], [], []
    with VirtualMicrophone() as microphone:
        for _ in range(times):
            with tempfile.TemporaryDirectory(prefix="sd-") as folder:
                listener = Listener(microphone, Path(folder))
                microphone.hang()
                stopped = time.monotonic()
                listener.wait_for("hung")
                statuses.append(listener.process.wait(LIMIT_SECONDS))
                ended.append(time.monotonic() - stopped)
                microphone.resume()
                resumed = time.monotonic()
                again = Listener(microphone, Path(folder))
                back.append(time.monotonic() - resumed)
                again.close()
                listener.close()
    return ended, back, statuses


def main() -> int:
    """Run all three and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10, help="how often each (default 10)")
    times = parser.parse_args().times
    print("| fault | times | back after s: median | most | threads, then and now | descriptors |")
    print("|---|---|---|---|---|---|")
    for name, unplugged in (("server killed", False), ("source unloaded", True)):
        seconds, held = lose_and_find(times, unplugged=unplugged)
        (threads, descriptors), (last_threads, last_descriptors) = held[0], held[-1]
        print(
            f"| {name} | {len(seconds)} | {statistics.median(seconds):.2f} | {max(seconds):.2f} "
            f"| {threads}, {last_threads} | {descriptors}, {last_descriptors} |"
        )
    ended, back, statuses = hang_and_restart(times)
    print(
        f"| server stopped | {len(back)} | {statistics.median(back):.2f} | {max(back):.2f} | anew | |\n\n"
        f"A hung device: the program said so and ended after {statistics.median(ended):.2f} s "
        f"(most {max(ended):.2f} s), with status {sorted(set(statuses))}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
