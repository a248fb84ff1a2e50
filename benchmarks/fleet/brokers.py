"""Real brokers of their own, on loopback ports, that can be killed and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import ClassVar

START_SECONDS = 120.0


class Broker:
    """One broker; `command` starts it in the foreground."""

    is_version_5: ClassVar[bool]

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = int(server.getsockname()[1])
        self.host = f"127.0.0.1:{self.port}"
        self._command = self.command(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, folder: Path) -> list[str]:
        """Write its configuration, and say what starts it."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{self._command[0]} does not start")

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class MosquittoBroker(Broker):
    """Mosquitto as Debian configures it, but for its queue, which has no limit here."""

    is_version_5 = True

    def command(self, folder: Path) -> list[str]:
        """Its own persistence, saved every 30 minutes, so in fact a kill loses what waits."""
        file = folder / "mosquitto.conf"
        file.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\n"
        )
        return [str(shutil.which("mosquitto", path="/usr/sbin:/usr/bin")), "-c", str(file)]


class NatsBroker(Broker):
    """nats-server with MQTT on JetStream."""

    is_version_5 = False

    def command(self, folder: Path) -> list[str]:
        """One server, its streams in the folder."""
        file = folder / "nats.conf"
        file.write_text(
            f'server_name: fleet\nlisten: "127.0.0.1:-1"\njetstream {{ store_dir: "{folder}/nats" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}" }}\n'
        )
        return [str(shutil.which("nats-server", path="/usr/sbin:/usr/bin")), "-c", str(file)]
