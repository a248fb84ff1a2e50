"""A fleet of simulated daemons on a real broker, with brokers and collectors that are killed; what it costs.

    python -m benchmarks.fleet.run                   1000 daemons x 20 events, ten kills, Mosquitto, SQLite
    python -m benchmarks.fleet.run --broker nats     the same with nats-server
    python -m benchmarks.fleet.run --into postgres   into a PostgreSQL of its own
    python -m benchmarks.fleet.run --kills 0         events a second, beside a bare subscriber

Each daemon has its own history, outbox, publisher and MQTT client, all in one process. Two collectors are the
real program. A kill is SIGKILL of the broker or of one collector, which is started again after a second.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.fleet.brokers import Broker, MosquittoBroker, NatsBroker
from benchmarks.fleet.nodes import Node
from benchmarks.support.report import table

SPREAD_SECONDS = 60.0
"""With kills, the events come in this time; without, as fast as they can."""
TOLD_AT_ONCE = 200
"""Events between two rounds through all connections."""


class Process:
    """A child that can be killed and started again; its CPU time is that of all its lives."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self._log = command, log
        self._spent = 0.0
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        with self._log.open("a") as file:
            self._process = subprocess.Popen(self._command, stdout=file, stderr=file)
        self._is_killed = False

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if (status := self._process.poll()) is not None:
            raise RuntimeError(f"it ended by itself, with {status}: {self._log.read_text()[-2000:]}")
        self._process.kill()
        _, _, used = os.wait4(self._process.pid, 0)
        self._process.returncode = -9
        self._is_killed = True
        self._spent += used.ru_utime + used.ru_stime

    def end(self) -> None:
        """Kill it, unless it has ended."""
        if self._process.poll() is None:
            self.kill()

    def cpu_seconds(self) -> float:
        """User and system time so far [s]."""
        if self._is_killed:
            return self._spent
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return self._spent + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Highest resident memory of this life [MB]; 0 between two lives."""
        if self._is_killed:
            return 0.0
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--events", type=int, default=20, help="of each daemon")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--broker", choices=("mosquitto", "nats"), default="mosquitto")
    parser.add_argument("--into", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--deadline", type=float, default=900.0, metavar="SECONDS", help="give up after these"
    )
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    with tempfile.TemporaryDirectory(prefix="fleet-") as name, ExitStack() as stack:
        try:
            print(_run(options, Path(name), stack))
        except TimeoutError as error:
            sys.exit(str(error))


def _run(options: argparse.Namespace, folder: Path, stack: ExitStack) -> str:
    broker = (MosquittoBroker if options.broker == "mosquitto" else NatsBroker)(folder)
    stack.callback(broker.kill)
    broker.start()
    into, count = _database(options.into, folder, stack)
    collectors = [
        Process(_collect(broker, into, f"collector-{n}"), folder / f"collector-{n}.log") for n in range(2)
    ]
    bare = None if options.kills else Process(_bare(broker), folder / "bare.log")
    for process in (*collectors, *filter(None, (bare,))):
        stack.callback(process.end)
    time.sleep(3)
    nodes = []
    for number in range(options.nodes):
        home = folder / f"node-{number}"
        home.mkdir()
        nodes.append(Node(home, number, broker.host, is_version_5=broker.is_version_5))
    for node in nodes:
        node.dial()
    before = [process.cpu_seconds() for process in collectors]
    before_bare = bare.cpu_seconds() if bare else 0.0
    began = time.monotonic()
    wanted = options.nodes * options.events
    killed = _tell_and_kill(options, nodes, broker, collectors, count, wanted)
    seconds = time.monotonic() - began
    spent = sum(p.cpu_seconds() - b for p, b in zip(collectors, before, strict=True))
    rows = [["", ""]]
    rows.append(["daemons x events", f"{options.nodes} x {options.events}"])
    rows.append(["broker, database", f"{options.broker}, {options.into}"])
    rows.append(["killed", ", ".join(killed) or "nobody"])
    rows.append(["events in the database, each once", f"{count()} of {wanted}"])
    rows.append(["seconds", f"{seconds:.1f}"])
    rows.append(["events a second", f"{wanted / seconds:.0f}"])
    rows.append(["CPU of both collectors [us an event]", f"{spent / wanted * 1e6:.0f}"])
    if bare:
        cpu = (bare.cpu_seconds() - before_bare) / wanted * 1e6
        rows.append(["CPU of a bare paho subscriber [us an event]", f"{cpu:.0f}"])
        rows.append(["highest memory of the bare subscriber [MB]", f"{bare.memory_mb():.1f}"])
    rows.append(["highest memory of a collector [MB]", f"{max(p.memory_mb() for p in collectors):.1f}"])
    return table(rows)


def _tell_and_kill(
    options: argparse.Namespace,
    nodes: list[Node],
    broker: Broker,
    collectors: list[Process],
    count: Callable[[], int],
    wanted: int,
) -> list[str]:
    """Have all events told, kill at random times, and wait until the database has them.

    Returns who was killed. TimeoutError with what was reached at the deadline.
    """
    rng = random.Random(options.seed)
    spread = SPREAD_SECONDS if options.kills else 0.0
    began = time.monotonic()
    kills = sorted(began + rng.uniform(0.05, 0.95) * spread for _ in range(options.kills))
    each = [number for number in range(len(nodes)) for _ in range(options.events)]
    due = deque(sorted((began + rng.random() * spread, number) for number in each))
    again: list[tuple[float, Callable[[], None]]] = []
    killed: list[str] = []
    looked = 0.0
    while time.monotonic() < began + options.deadline:
        now = time.monotonic()
        for _ in range(TOLD_AT_ONCE):
            if due and due[0][0] <= now:
                nodes[due.popleft()[1]].tell()
        if kills and kills[0] <= now and not again:
            kills.pop(0)
            victims: list[Broker | Process] = [broker, *collectors]
            victim = rng.choice(victims)
            killed.append("broker" if victim is broker else "collector")
            victim.kill()
            again.append((now + 1.0, victim.start))
        if again and again[0][0] <= now:
            again.pop(0)[1]()
        for node in nodes:
            node.dial()
            node.turn()
        if not due and not kills and not again and now - looked > 1.0:
            looked = now
            if count() >= wanted:
                return killed
    raise TimeoutError(
        f"not done after {options.deadline:.0f} s: {count()} of {wanted} events in the database, "
        f"{wanted - len(due)} told, {len(killed)} of {options.kills} kills"
    )


def _database(kind: str, folder: Path, stack: ExitStack) -> tuple[str, Callable[[], int]]:
    if kind == "sqlite":
        import sqlite3

        path = folder / "fleet.db"

        def count() -> int:
            with closing(sqlite3.connect(path, timeout=10)) as connection:
                try:
                    (n,) = connection.execute("SELECT COUNT(*) FROM events").fetchone()
                except sqlite3.OperationalError:  # no collector has made the table yet
                    return 0
            return int(n)

        return f"sqlite:{path}", count
    import psycopg

    from tests.support.postgres import Postgres

    server = stack.enter_context(Postgres())

    def count_there() -> int:
        with psycopg.connect(server.uri) as connection:
            try:
                row = connection.execute("SELECT COUNT(*) FROM events").fetchone()
            except psycopg.errors.UndefinedTable:  # no collector has made it yet
                return 0
        return int(row[0]) if row else 0

    return server.uri, count_there


def _collect(broker: Broker, into: str, name: str) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "detector",
        "collect",
        f"mqtt://{broker.host}",
        "--into",
        into,
        "--name",
        name,
    ]
    return command if broker.is_version_5 else [*command, "--mqtt311", "--group", ""]


def _bare(broker: Broker) -> list[str]:
    return [sys.executable, "-m", "benchmarks.fleet.bare_subscriber", broker.host, str(broker.is_version_5)]


if __name__ == "__main__":
    main()
