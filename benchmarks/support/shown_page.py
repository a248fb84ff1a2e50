"""A daemon on a virtual microphone and the page that shows what it hears, as two processes in one folder.

What is played at the microphone is what the page shows. Settings, history, clips and sockets of the user do
not count.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.support.children import Running
from tests.support.invented_sounds import KINDS, Scene
from tests.support.virtualmic import VirtualMicrophone

LISTENING = "daemon.listening"
SHOWN = "the page:"
DEVICE = "vmic"


class ShownPage:
    """Starts both on entering and ends them on leaving; `web` and `daemon` say what they cost.

    Raises `virtualmic.Unavailable` where there can be no virtual microphone.
    """

    def __init__(self, folder: Path, *, port: int, settings: Mapping[str, object] | None = None) -> None:
        """`settings` by their dotted names go to both, above those of this class."""
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}/"
        self.history = folder / "history.db"
        self.clips = folder / "clips"
        self._settings = {
            "source.device": DEVICE,
            "sinks": [{"kind": "socket", "sound": True}],
            "model.heads": [],
            "history.path": str(self.history),
            "clips.folder": str(self.clips),
            "web.port": port,
            **(settings or {}),
        }
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.clips.mkdir(mode=0o700, exist_ok=True)
            self.microphone = stack.enter_context(VirtualMicrophone())
            (self.folder / "config.yaml").write_text(_yaml(self._settings))
            self.daemon = stack.enter_context(self._running("run"))
            self.daemon.seconds_until(LISTENING)
            self.web = stack.enter_context(self._running("web"))
            self.web.seconds_until(SHOWN)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _running(self, command: str, *arguments: str) -> Running:
        own: Sequence[str] = (sys.executable, "-m", "detector", command, *arguments)
        return Running([*own, "--config", str(self.folder / "config.yaml")], self.microphone.variables)


def invent_the_past(folder: Path, *, days: int = 8, a_day: int = 60) -> None:
    """Write a history of the last days into the folder, before its daemon starts; some sounds get clips."""
    chance = random.Random(3)
    kinds = [kind for kind in KINDS if kind[1].startswith(("/m/", "/t/"))]  # the others are hostile names
    scene = Scene(folder, chance, kinds=kinds, sources=(DEVICE, DEVICE))
    scene.remember(days, a_day, time.time())
    scene.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _yaml(settings: Mapping[str, object]) -> str:
    """Settings by their dotted names as a config file; JSON is YAML."""
    sections: dict[str, object] = {name: value for name, value in settings.items() if "." not in name}
    for section in dict.fromkeys(name.partition(".")[0] for name in settings if "." in name):
        own = f"{section}."
        sections[section] = {n.removeprefix(own): v for n, v in settings.items() if n.startswith(own)}
    return "".join(f"{section}: {json.dumps(value)}\n" for section, value in sections.items())
