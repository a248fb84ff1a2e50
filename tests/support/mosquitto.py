"""A real Mosquitto on a port of its own, and a collector that keeps what it publishes."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.fakes import LONG

PROGRAM = shutil.which(
    "mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin"
)


def why_not() -> str:
    """Why there can be no broker here; empty where there can."""
    if PROGRAM is None:
        return "mosquitto is not installed (apt-get install mosquitto)"
    try:
        import paho.mqtt.client  # noqa: F401
    except ImportError:
        return "paho-mqtt is not installed (pip install 'sound-detector[mqtt]')"
    return ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Mosquitto:
    """A broker that can be killed and started again; `lines` is more of its configuration."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self._config = folder / f"mosquitto-{self.port}.conf"
        lines = lines or ("allow_anonymous true",)
        # As another user, which root's broker would become, it could not read the test's files.
        always = [f"user {getpass.getuser()}", "persistence false", "max_queued_messages 0"]
        text = [f"listener {self.port} 127.0.0.1", *always, *lines]
        self._config.write_text("\n".join([*text, ""]), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        assert PROGRAM is not None
        self._process = subprocess.Popen(
            [PROGRAM, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("mosquitto does not start")

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(LONG)
            self._process = None


class Collector:
    """Subscribes to everything and keeps it; connects again whenever the broker is back."""

    def __init__(self, port: int) -> None:
        paho: Any = import_module("paho.mqtt.client")
        self.messages: list[tuple[str, bytes, bool]] = []
        self._more = threading.Condition()
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="collector")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._keep
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def wait_until_subscribed(self) -> None:
        assert self._subscribed.wait(LONG)
        self._subscribed.clear()

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain)

    def wait(
        self, ending: str, wanted: Callable[[bytes], bool] = lambda payload: True, count: int = 1
    ) -> list[bytes]:
        """Wait until so many wanted messages have come to topics that end so; gives their payloads."""

        def found() -> list[bytes]:
            return [
                payload for topic, payload, _ in self.messages if topic.endswith(ending) and wanted(payload)
            ]

        with self._more:
            assert self._more.wait_for(lambda: len(found()) >= count, LONG), (ending, self.messages[-20:])
            return found()

    def json(self, ending: str) -> list[dict[str, Any]]:
        """What has come to topics that end so."""
        with self._more:
            return [json.loads(payload) for topic, payload, _ in self.messages if topic.endswith(ending)]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _keep(self, client: object, data: object, message: Any) -> None:
        with self._more:
            self.messages.append((message.topic, message.payload, message.retain))
            self._more.notify_all()
