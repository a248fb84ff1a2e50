"""A daemon that hears nothing: it speaks the protocol of the event socket and says what it is told.

Tests start and stop it in their own process. `python -m tests.support.fake_daemon FOLDER` runs one with
invented sounds, a history and clips in that folder, so that a page can be developed without a model.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from detector.errors import VerdictError
from detector.interfaces import Message
from detector.wire.encoding import encode
from detector.wire.message import (
    ErrorBody,
    HeartbeatBody,
    HelloBody,
    ReportBody,
    UnknownBody,
    utc_text,
)
from tests.support.invented_sounds import (
    LABELS,
    SOURCES,
    Scene,
    level_of,
    sound_of,
    spectrogram_of,
    verdict_body,
)

REQUEST_SECONDS = 0.5
"""How long a subscriber's line is waited for."""

FEED_SECONDS = 0.1
"""Between two messages of a spectrogram or of live sound."""


class FakeDaemon:
    """The event socket at `path`; for any thread. It can be stopped, as if killed, and started again."""

    def __init__(
        self,
        path: Path,
        *,
        sources: Sequence[str] = SOURCES,
        labels: Sequence[str] = LABELS,
        heartbeat_seconds: float = 30.0,
        sound: bool = True,
        control: bool = True,
        scene: Scene | None = None,
        history: bool = True,
    ) -> None:
        self.path, self.sources, self.labels = path, tuple(sources), tuple(labels)
        self.heartbeat_seconds, self.sound, self.control = heartbeat_seconds, sound, control
        self.scene, self.history = scene, history
        """Where verdicts are kept; None answers them and keeps none."""
        self.generation, self.generation_seq = "0badc0ffee00", 0
        self.told: list[Message] = []
        """Every event, in order: what `since` is answered from."""
        self.requests: list[dict[str, Any]] = []
        """Every line that a subscriber sent."""
        self.watching: Counter[str] = Counter()
        """Connections now, by what they get: `events`, `spectrogram`, `sound`."""
        self.paused = self.overloaded = False
        self.seq = 0
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._subscribers: set[socket.socket] = set()
        self._stopped = threading.Event()
        self._began = time.time()

    @property
    def uri(self) -> str:
        return f"unix://{self.path}"

    def __enter__(self) -> FakeDaemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._stopped = threading.Event()
        self.path.unlink(missing_ok=True)
        self._listener = listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        threading.Thread(target=self._beat, args=(self._stopped,), daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        with self._lock:
            listener, self._listener = self._listener, None
            if listener is not None:
                with suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
                listener.close()
            self.path.unlink(missing_ok=True)
            self.cut()

    def cut(self) -> None:
        """Close every connection, and go on listening."""
        with self._lock:
            for connection in [*self._connections]:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def tell(self, message: Message) -> None:
        """Send a message to every subscriber; an event is kept, and `seq` of the daemon becomes its own."""
        with self._lock:
            if message.seq is not None:
                self.told.append(message)
                self.seq = message.seq
            for connection in [*self._subscribers]:
                self._send(connection, message)

    def hello(self) -> Message:
        several = len(self.sources) > 1
        return encode(
            HelloBody(
                version="0.0.0",
                run_id="20260801T140000Z-fa4e",
                state=self.state,
                source=", ".join(self.sources),
                sources=self.sources if several else None,
                model="invented",
                labels=self.labels,
                time=utc_text(time.time()),
                heartbeat_seconds=self.heartbeat_seconds,
                history=self.history,
                oldest_seq=self.told[0].seq if self.told else None,
                generation=self.generation,
                generation_seq=self.generation_seq,
                seq=self.seq,
            )
        )

    @property
    def state(self) -> str:
        return "paused" if self.paused else "listening"

    def report(self) -> Message:
        now = time.time()
        own = {
            "heard_seconds": round(now - self._began, 1),
            "gain_db": 0.0,
            "windows": 100,
            "events": self.seq,
        }
        own |= {
            "overloaded": self.overloaded,
            "gate_openings": 3,
            "blocks_dropped": 0,
            "samples_lost": 0,
            "lost_seconds": 0.0,
        }
        sources = [
            {"name": name, "state": self.state, "detail": "", "level_dbfs": level_of(name, now), **own}
            for name in self.sources
        ]
        values: dict[str, object] = {
            "version": "0.0.0",
            "run_id": "20260801T140000Z-fa4e",
            "pid": 1,
            "state": self.state,
            "overloaded": self.overloaded,
            **({"overload_advice": "fewer sources would help"} if self.overloaded else {}),
            "source": ", ".join(self.sources),
            "model": "invented",
            "seq": self.seq,
            **own,
            "uptime_seconds": round(now - self._began, 1),
            "level_dbfs": max((level_of(name, now) or -120.0) for name in self.sources),
            "subscribers": len(self._subscribers),
            "history_working": True,
            "clips_working": True,
            **({"sources": sources} if len(self.sources) > 1 else {}),
            "cpu_seconds": 1.5,
            "memory_bytes": 90_000_000,
            "time": utc_text(now),
        }
        return encode(ReportBody(values))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection, self._stopped), daemon=True).start()

    def _beat(self, stopped: threading.Event) -> None:
        while not stopped.wait(self.heartbeat_seconds):
            self.tell(encode(HeartbeatBody(state=self.state, time=utc_text(time.time()), seq=self.seq)))

    def _serve(self, connection: socket.socket, stopped: threading.Event) -> None:
        try:
            self._send(connection, self.hello())
            self._answer(connection, _request(connection), stopped)
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._subscribers.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, request: dict[str, Any], stopped: threading.Event) -> None:
        with self._lock:
            self.requests.append(request)
        name = (request.get("spectrogram") or request.get("sound") or {}).get("source") or self.sources[0]
        if "report" in request:
            self._send(connection, self.report())
        elif "verdict" in request:
            self._send(connection, self._verdict(request["verdict"]))
        elif "control" in request:
            self._send(connection, self._control(request["control"]))
        elif name not in self.sources:
            self._refuse(connection, f"there is no source {name!r}")
        elif "spectrogram" in request:
            self._feed(connection, "spectrogram", lambda now: spectrogram_of(name, now), stopped)
        elif "sound" in request and not self.sound:
            self._refuse(
                connection, "this socket gives no sound; `sound: true` would give it to whoever connects"
            )
        elif "sound" in request:
            self._feed(connection, "sound", lambda now: sound_of(name, now), stopped)
        else:
            self._subscribe(connection, request)

    def _subscribe(self, connection: socket.socket, request: dict[str, Any]) -> None:
        since = request.get("since")
        with self._lock:
            for message in self.told:
                if since is not None and (message.seq or 0) > since:
                    self._send(connection, message)
            self._subscribers.add(connection)
            self.watching["events"] += 1
        with suppress(OSError):
            while connection.recv(4096):
                pass
        with self._lock:
            self.watching["events"] -= 1

    def _feed(
        self,
        connection: socket.socket,
        kind: str,
        values: Callable[[float], dict[str, object]],
        stopped: threading.Event,
    ) -> None:
        with self._lock:
            self.watching[kind] += 1
        try:
            connection.setblocking(False)
            while not stopped.wait(FEED_SECONDS):
                with suppress(BlockingIOError):
                    if not connection.recv(4096):
                        return
                with suppress(BlockingIOError):  # a slow reader loses messages
                    connection.send(encode(UnknownBody(kind, values(time.time()))).line)
        finally:
            with self._lock:
                self.watching[kind] -= 1

    def _verdict(self, asked: dict[str, str]) -> Message:
        id, said = asked.get("id") or asked.get("forget", ""), asked.get("said")
        if self.scene is not None:
            try:
                return encode(self.scene.give(id, said) if said else self.scene.forget(id))
            except VerdictError as error:
                return encode(ErrorBody(message=f"verdict: {error}", time=utc_text(time.time())))
        labels = {json.loads(message.line)["id"]: json.loads(message.line)["label"] for message in self.told}
        if id not in labels:
            return encode(ErrorBody(message=f"verdict: there is no event {id!r}", time=utc_text(time.time())))
        return encode(verdict_body(id, labels[id], said, 1, None, None))

    def _control(self, asked: dict[str, bool]) -> Message:
        now = utc_text(time.time())
        if not self.control:
            return encode(ErrorBody(message="control: this socket takes no orders", time=now))
        self.paused = asked.get("pause", self.paused)
        return encode(UnknownBody("control", {"done": True, "message": self.state, "time": now}))

    def _refuse(self, connection: socket.socket, message: str) -> None:
        self._send(connection, encode(ErrorBody(message=f"request: {message}", time=utc_text(time.time()))))

    def _send(self, connection: socket.socket, message: Message) -> None:
        with self._lock, suppress(OSError):
            connection.sendall(message.line)


def _request(connection: socket.socket) -> dict[str, Any]:
    """The line that a subscriber sends; nothing asked where none comes in time."""
    connection.settimeout(REQUEST_SECONDS)
    received = b""
    try:
        while not received.endswith(b"\n"):
            data = connection.recv(4096)
            if not data:
                break
            received += data
    except TimeoutError:
        pass
    connection.settimeout(None)
    found: dict[str, Any] = json.loads(received) if received.strip() else {}
    return found


def main() -> None:
    """Run one until Ctrl-C."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="where the socket, the history and the clips are made")
    parser.add_argument("--days", type=int, default=8, help="days of the past (default: 8)")
    parser.add_argument("--a-day", type=int, default=150, help="sounds on each of them (default: 150)")
    parser.add_argument("--every", type=float, default=8.0, help="seconds between new sounds (default: 8)")
    options = parser.parse_args()
    scene = Scene(options.folder, random.Random(1))  # noqa: S311
    if not scene.seq:
        scene.remember(options.days, options.a_day, time.time())
    daemon = FakeDaemon(options.folder / "events.sock", scene=scene)
    daemon.told, daemon.seq = scene.newest(1000), scene.seq
    with daemon:
        print(f"socket   {daemon.uri}\nhistory  {scene.history}\nclips    {scene.clips}", flush=True)
        with suppress(KeyboardInterrupt):
            while True:
                for message, pause in scene.happen(options.every):
                    daemon.tell(message)
                    time.sleep(pause)


if __name__ == "__main__":
    main()
