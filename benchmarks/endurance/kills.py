"""The promise under kill -9: what a subscriber was sent is in the history once, and no number comes twice.

A child publishes about 1000 events a second through the real dispatcher, journal, file and Unix socket. It is
killed at a random moment, from its first import to full load, and the next one starts on the same file. One
subscriber reads along, and after each kill asks `since` its last event. Checked after every kill:

- every event that was received is in the file, exactly once, byte for byte;
- numbers only rise, in what is received and in the file, through all runs;
- the file is whole (`PRAGMA integrity_check`), and the next start works.

After the last run, which ends well, what was received and what was written are the same, unless the
subscriber was told that it was too slow.

    python -m benchmarks.endurance.kills [--kills 100] [--rate 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks import ROOT
from detector.records import Event, Label

LONGEST_SECONDS = 0.8
"""From the start of a child, or from the subscriber's connecting, to its death."""

UNDER_LOAD = 0.7
"""Share of the kills that wait for the subscriber; the others may come in the middle of the start."""

LIMIT_SECONDS = 30.0
"""What takes longer hangs."""

POLL_SECONDS = 0.002


class Subscriber:
    """Reads along through all runs, and comes back with `since`."""

    def __init__(self) -> None:
        self.events: list[tuple[int, bytes]] = []
        """Number and line of each, in the order of arrival."""
        self.replayed = 0
        """Of these, events of an earlier run."""
        self.dropped = 0
        """What it was told it had lost, being too slow."""
        self.hellos = 0
        self._connection: socket.socket | None = None
        self._rest = b""
        self._run_id = ""

    def connect(self, path: Path, deadline: float) -> None:
        """Try until it works or time is up."""
        while time.monotonic() < deadline:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                time.sleep(POLL_SECONDS)
                continue
            self._connection, self._rest = connection, b""
            return

    def read(self, deadline: float) -> bool:
        """Take what comes until time is up; whether the connection is still open."""
        while self._connection is not None:
            self._connection.settimeout(max(1e-6, deadline - time.monotonic()))
            try:
                data = self._connection.recv(65536)
            except TimeoutError:
                return True
            except ConnectionResetError:
                data = b""
            if not data:
                self._connection.close()
                self._connection = None
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line), line)
        return False

    def _take(self, message: dict[str, object], line: bytes) -> None:
        if message["type"] == "hello":
            self.hellos += 1
            self._run_id = str(message["run_id"])
            since = self.events[-1][0] if self.events else 0
            if self._connection is not None:
                with contextlib.suppress(OSError):  # killed just now
                    self._connection.sendall(json.dumps({"since": since}).encode() + b"\n")
            return
        if message["type"] == "dropped":  # on a busy machine it did not keep up
            assert isinstance(message["count"], int)
            self.dropped += message["count"]
            return
        assert message["type"] == "start", f"expected events, got {message}"
        assert isinstance(message["seq"], int)
        self.events.append((message["seq"], line))
        self.replayed += not str(message["id"]).startswith(self._run_id)


def run_kills(folder: Path, *, kills: int, rate: float, seed: int) -> Subscriber:
    """Kill so often, let the last run end well; raises AssertionError where the promise breaks."""
    chance = random.Random(seed)
    subscriber = Subscriber()
    for _ in range(kills):
        with _child(folder, rate) as child:
            wait = chance.uniform(0.0, LONGEST_SECONDS)
            deadline = time.monotonic() + wait
            if chance.random() < UNDER_LOAD:
                subscriber.connect(folder / "events.sock", time.monotonic() + LIMIT_SECONDS)
                deadline = time.monotonic() + wait
            else:
                subscriber.connect(folder / "events.sock", deadline)
            subscriber.read(deadline)
            time.sleep(max(0.0, deadline - time.monotonic()))
            child.send_signal(signal.SIGKILL)
            status = child.wait(LIMIT_SECONDS)
            assert status == -signal.SIGKILL, f"a run ended by itself with status {status}"
        # What was on its way when the child died was sent all the same.
        assert not subscriber.read(time.monotonic() + LIMIT_SECONDS)
        check(folder / "history.db", subscriber)
    with _child(folder, rate) as child:
        subscriber.connect(folder / "events.sock", time.monotonic() + LIMIT_SECONDS)
        subscriber.read(time.monotonic() + LONGEST_SECONDS)
        child.communicate(timeout=LIMIT_SECONDS)
        assert child.returncode == 0
    assert not subscriber.read(time.monotonic() + LIMIT_SECONDS)
    written = check(folder / "history.db", subscriber)
    received = [seq for seq, _ in subscriber.events]
    assert subscriber.dropped or received == written, "something was written and never sent"
    return subscriber


def check(path: Path, subscriber: Subscriber) -> list[int]:
    """Hold the file against what was received; the numbers in the file."""
    assert all(a < b for (a, _), (b, _) in pairwise(subscriber.events)), "numbers came twice or fell"
    if not path.exists():
        assert not subscriber.events
        return []
    # A copy: what a kill left is mended on opening, and the next start must do that by itself.
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(sqlite3.connect(_copied(path, Path(folder)))) as connection,
    ):
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            assert not subscriber.events
            return []
        rows = connection.execute("SELECT seq, id, line FROM messages ORDER BY seq").fetchall()
    assert len({id for _, id, _ in rows}) == len(rows), "one event has two rows"
    written = {seq: line for seq, _, line in rows}
    for seq, line in subscriber.events:
        assert written.get(seq, "").encode() == line, f"event {seq} was sent and is not in the file"
    return list(written)


def _copied(path: Path, folder: Path) -> Path:
    """Copy a database with the journals beside it that belong to it; return the copy's path."""
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, folder)
    return folder / path.name


def publish(folder: Path, rate: float) -> None:
    """The child: events until standard input ends."""
    from detector.delivery.dispatcher import Dispatcher
    from detector.history.archive import FileArchive
    from detector.history.event_store import EventStore
    from detector.history.journal import Journal
    from detector.history.sequence_numbers import SequenceNumbers
    from detector.sinks.socket.server import SocketSink
    from detector.wire.message import HelloBody, event_body

    run_id = os.urandom(8).hex()
    hello = HelloBody(version="0", model="yamnet", labels=("Dog",), source="Mic", run_id=run_id)
    numbers = SequenceNumbers()
    store = EventStore(folder / "history.db", numbers, keep_seconds=1e10, max_bytes=10**12)
    journal = Journal(store, numbers)
    archive = FileArchive(
        store.path, oldest_seq=lambda: store.oldest_seq, newest_seq=lambda: journal.recorded_seq
    )
    sink = SocketSink(f"unix://{folder / 'events.sock'}", hello=lambda: hello, archive=archive)
    dispatcher = Dispatcher([sink], journal=journal)
    dispatcher.start()
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    began, count = time.monotonic(), 0
    while not ended.wait(POLL_SECONDS):
        due = int((time.monotonic() - began) * rate)
        for number in range(count + 1, due + 1):
            dispatcher.publish(
                event_body(
                    _event(number),
                    to_utc=lambda n: 1.7e9 + n,
                    sample_rate=16000,
                    source="Mic",
                    run_id=run_id,
                )
            )
        count = due
    dispatcher.close()


def _event(number: int) -> Event:
    return Event(
        phase="start",
        id=number,
        label=Label(name="Dog", class_id="/m/0bt9lr", model="yamnet"),
        onset=number,
        decided=number + 8000,
        offset=None,
        score=0.9,
        top_score=0.9,
        level_dbfs=-20.0,
    )


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


def _child(folder: Path, rate: float) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.endurance.kills",
        "--publish",
        str(folder),
        "--rate",
        str(rate),
    ]
    log = (folder / "log").open("ab")
    with log:
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=log)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1000.0, help="events per second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publish", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.publish is not None:
        publish(options.publish, options.rate)
        return
    with tempfile.TemporaryDirectory() as folder:
        heard = run_kills(Path(folder), kills=options.kills, rate=options.rate, seed=options.seed)
    print(
        f"{options.kills} kills, {heard.hellos - 1} of them with the subscriber connected; "
        f"{len(heard.events)} events received, {heard.replayed} of them after a restart by `since`, "
        f"{heard.dropped} told to be dropped: "
        "all in the history, none twice, no number twice, every start worked"
    )


if __name__ == "__main__":
    main()
