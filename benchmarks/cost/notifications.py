"""What notifications cost the daemon: CPU time beside the bare daemon in one run, and for each event.

The daemon reads a busy recording through a pipe, with and without notifications by turns. Three rules want
all of its events and have targets of their own: a webhook that answers at once, one that hangs, a command.
Their limits are the defaults, so that nearly all events are counted in digests, as in a noisy hour; the CPU
time of the command is the daemon's. Then events go through the sink alone, as fast as possible.

    python -m benchmarks.cost.notifications [--seconds 300] [--repeats 3] [--events 20000]
"""

from __future__ import annotations

import argparse
import shlex
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.cost.history import make_messages
from benchmarks.cost.recordings import write_all
from benchmarks.support import children
from benchmarks.support.daemon_setup import YAMNET
from benchmarks.support.report import middle, table
from benchmarks.support.sounds import RATE
from detector.config.notify_settings import CommandSettings, NotifyRuleSettings, NotifySettings
from detector.delivery.dispatcher import Dispatcher
from detector.sinks.notify.notify_sink import NotifySink, make_engine, make_targets
from detector.sinks.notify.target_thread import TargetThread

WAV_HEADER_BYTES = 44
ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def server(*, answers: bool) -> Iterator[str]:
    """A web server on loopback that answers every request, or none; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if not answers:
                    kept.append(connection)
                    continue
                with connection:
                    connection.recv(65536)
                    connection.sendall(ANSWER)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


def daemon(recording: Path, *settings: str) -> float:
    """CPU seconds of the daemon and all that it starts, for a recording that comes through a pipe."""
    given = [argument for setting in settings for argument in ("--set", setting)]
    command = YAMNET.command("--input", "-", "--rate", str(RATE), *given)
    skip = f"tail -c +{WAV_HEADER_BYTES + 1} {shlex.quote(str(recording))}"
    return children.run(["sh", "-c", f"{skip} | {shlex.join(command)}"]).cpu_seconds


def sink_alone(events: int) -> tuple[float, float]:
    """CPU time of an event in the sink, where none and where one rule wants it [µs]."""
    costs = []
    for labels in ("Dog", "alarms"):
        settings = NotifySettings(
            commands=(CommandSettings("note", ("/bin/true",)),),
            rules=(
                *(NotifyRuleSettings(f"rule {n}", labels=("Dog",)) for n in range(9)),
                NotifyRuleSettings("last", labels=(labels,)),
            ),
        )
        sink = NotifySink(
            make_engine(settings, series="1"), [TargetThread(target) for target in make_targets(settings)]
        )
        dispatcher = Dispatcher([sink], queue_length=events)
        messages = make_messages(range(1, events + 1))
        dispatcher.start()
        began = time.process_time()
        for message in messages:
            dispatcher.publish(message.body)
        dispatcher.close(600.0)
        costs.append((time.process_time() - began) / events * 1e6)
    return costs[0], costs[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as name,
        server(answers=True) as quick,
        server(answers=False) as hanging,
    ):
        about = write_all(Path(name), options.seconds)
        busy = Path(name) / "busy.wav"
        notify = (
            f"notify.webhooks=[{{name: quick, url: '{quick}'}}, {{name: hanging, url: '{hanging}'}}]",
            "notify.commands=[{name: note, argv: [/bin/true]}]",
            "notify.rules=[{name: a, to: [quick]}, {name: b, to: [hanging]}, {name: c, to: [note]}]",
        )
        pairs = [(daemon(busy), daemon(busy, *notify)) for _ in range(options.repeats)]
    rows = [["CPU seconds per hour of sound", "busy"]]
    for what, values in (("daemon", [a for a, _ in pairs]), ("with notifications", [b for _, b in pairs])):
        rows.append([what, middle([value / options.seconds * 3600 for value in values])])
    print(about + "\n")
    print(table(rows))
    print(f"with notifications: {median([b / a for a, b in pairs]):.3f} x, the median of the pairs")
    unwanted, wanted = sink_alone(options.events)
    print(f"an event in the sink with ten rules: {unwanted:.0f} µs, {wanted:.0f} µs where one wants it")


if __name__ == "__main__":
    main()
