"""Many subscribers of one socket, good ones and bad ones: what is lost, how late, and at what cost.

    python -m benchmarks.endurance.subscribers [--seconds 30] [--subscribers 200] [--rate 1000]

For a Unix socket and for TLS with a token on loopback, a process of its own publishes events through the
real Dispatcher and SocketSink. Besides the good subscribers one never reads, one reads a byte a second,
and 50 each second connect and vanish. At the end the two slow ones read on: what they got and what they
were told they lost must be everything. `flood` is TLS beside a hostile process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ROOT
from benchmarks.endurance.subscriber_crowd import (
    SLOW_BUFFER,
    Reader,
    Trickle,
    Vanishing,
    connector,
    read_until,
)
from detector.subscriber.client import Credentials
from tests.support.keys import make_keys

VANISHING = 50.0
"""So many connect and go each second."""

TIMED = 8
"""So many of the good ones keep the latency of every event."""

SETTLE_SECONDS = 15.0
"""How long the last events may take to arrive."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run gave."""

    kind: str
    subscribers: int
    published: int
    received_min: int
    received_max: int
    lost: int
    """Events that a good subscriber missed, all of them together."""
    disorder: int
    stalled_lost: int
    """Events that the one that never reads and the one that reads a byte a second missed."""
    stalled_told: int
    """How many of those they were told of."""
    vanished: int
    hostile: int
    """Connections of the flood."""
    refused: int
    """Connections that the server did not let in."""
    p50_ms: float
    p99_ms: float
    rate: float
    """Events published each second."""
    cpu: float
    """Share of one core."""
    start_mb: float
    """Resident memory with everybody connected."""
    middle_mb: float
    """The same after half of the time."""
    end_mb: float


def measure(kind: str, folder: Path, *, subscribers: int, rate: float, seconds: float) -> Outcome:
    """Run once; `kind` is `unix`, `tls` or `flood`; `folder` has what `make_keys` makes, but for `unix`."""
    with _serving(kind, folder, rate, seconds) as server:
        uri = str(_hear(server)["uri"])
        make = connector(uri, _credentials(kind, folder))
        good = [Reader.join(make, timed=i % max(1, subscribers // TIMED) == 0) for i in range(subscribers)]
        bad = [Reader.join(make, receive_buffer=SLOW_BUFFER) for _ in range(2)]
        trickle, vanishing = Trickle(bad[1]), Vanishing(make, VANISHING)
        memory = [_resident_mb(server.pid)]
        flood = _flooding(uri) if kind == "flood" else None
        _tell(server)
        read_until(good, lambda: False, seconds / 2)
        memory.append(_resident_mb(server.pid))
        total = int(rate * seconds)
        read_until(good, lambda: all(r.last == total for r in good), seconds / 2 + SETTLE_SECONDS)
        memory.append(_resident_mb(server.pid))
        flooded = 0 if flood is None else int(flood.communicate("stop\n")[0])
        ended = _hear(server)
        vanishing.stop()
        trickle.stop()
        read_until(bad, lambda: all(r.last == total for r in bad), SETTLE_SECONDS)
        for reader in (*good, *bad):
            reader.connection.close()
    latencies = sorted(latency for reader in good for latency in reader.latencies)
    return Outcome(
        kind,
        subscribers,
        published=total,
        received_min=min(reader.events for reader in good),
        received_max=max(reader.events for reader in good),
        lost=sum(total - reader.events for reader in good),
        disorder=sum(reader.disorder for reader in good),
        stalled_lost=sum(total - reader.events for reader in bad),
        stalled_told=sum(reader.told for reader in bad),
        vanished=vanishing.count,
        hostile=flooded,
        refused=int(str(ended["refused"])),
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[len(latencies) * 99 // 100],
        rate=total / float(str(ended["seconds"])),
        cpu=float(str(ended["cpu"])),
        start_mb=memory[0],
        middle_mb=memory[1],
        end_mb=memory[2],
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """The figures as Markdown, one column for each run."""
    rows = {
        "subscribers that read": [f"{o.subscribers}" for o in outcomes],
        "events published (each second)": [f"{o.published} ({o.rate:.0f})" for o in outcomes],
        "received by each of them, min / max": [f"{o.received_min} / {o.received_max}" for o in outcomes],
        "lost by them, out of order": [f"{o.lost}, {o.disorder}" for o in outcomes],
        "lost by the two slow ones": [f"{o.stalled_lost}" for o in outcomes],
        "of which they were told": [f"{o.stalled_told}" for o in outcomes],
        "connected and vanished": [f"{o.vanished}" for o in outcomes],
        "hostile connections (each second), refused": [
            f"{o.hostile} ({o.hostile * o.rate / o.published:.0f}), {o.refused}" for o in outcomes
        ],
        "latency p50 / p99 [ms]": [f"{o.p50_ms:.1f} / {o.p99_ms:.1f}" for o in outcomes],
        "server CPU [cores]": [f"{o.cpu:.2f}" for o in outcomes],
        "server memory, start / middle / end [MB]": [
            f"{o.start_mb:.1f} / {o.middle_mb:.1f} / {o.end_mb:.1f}" for o in outcomes
        ],
    }
    lines = [f"| | {' | '.join(o.kind for o in outcomes)} |", "|---" * (len(outcomes) + 1) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])


@contextmanager
def _serving(kind: str, folder: Path, rate: float, seconds: float) -> Iterator[subprocess.Popen[str]]:
    keys = ("token-file", "token"), ("certificate", "certificate.pem"), ("key", "key.pem")
    where = [f"unix://{folder}/events.sock"]
    if kind != "unix":
        where = ["tcp://127.0.0.1:0", *(f"--{flag}={folder / name}" for flag, name in keys)]
    command = [sys.executable, "-m", "benchmarks.endurance.subscriber_server", *where]
    command += [f"--rate={rate}", f"--seconds={seconds}"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        try:
            yield server
        finally:
            server.terminate()


def _flooding(uri: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.endurance.subscriber_flood", uri]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def _credentials(kind: str, folder: Path) -> Credentials:
    if kind == "unix":
        return Credentials()
    return Credentials(token_file=str(folder / "token"), ca=str(folder / "certificate.pem"))


def _hear(server: subprocess.Popen[str]) -> dict[str, object]:
    assert server.stdout is not None
    fields: dict[str, object] = json.loads(server.stdout.readline())
    return fields


def _tell(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    server.stdin.write("go\n")
    server.stdin.flush()


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--kind", choices=("unix", "tls", "flood"), action="append")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="sd-") as name:
        make_keys(Path(name))
        for kind in options.kind or ("unix", "tls", "flood"):
            began = time.monotonic()
            outcome = measure(
                kind,
                Path(name),
                subscribers=options.subscribers,
                rate=options.rate,
                seconds=options.seconds,
            )
            outcomes.append(outcome)
            print(f"{kind}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(outcomes))


if __name__ == "__main__":
    main()
