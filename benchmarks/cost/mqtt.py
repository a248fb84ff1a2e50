"""What MQTT costs the daemon: CPU time beside the bare daemon in one run, for an event, and in an outage.

The daemon reads a busy recording through a pipe, with and without an MQTT sink by turns; a real Mosquitto
takes everything, with Home Assistant's discovery. Both keep a history. The CPU time of a fifth of the
recording is taken off that of the whole, so that no start-up counts. Then events go through history and sink
alone, as fast as possible: while there is no broker, while it takes them, and while it is connected. Memory
is that of this process.

    python -m benchmarks.cost.mqtt [--seconds 600] [--repeats 3] [--events 10000]
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.cost.history import make_messages
from benchmarks.cost.recordings import write_all
from benchmarks.support import children
from benchmarks.support.daemon_setup import DEFAULT
from benchmarks.support.report import middle, table
from benchmarks.support.sounds import RATE
from detector.delivery.dispatcher import Dispatcher
from detector.history.archive import FileArchive
from detector.history.event_store import EventStore
from detector.history.journal import Journal
from detector.history.sequence_numbers import SequenceNumbers
from detector.sinks.context import SinkContext
from detector.sinks.mqtt.broker_counts import CONNECTED
from detector.sinks.mqtt.mqtt_factory import make_mqtt_sink
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.wire.message import HelloBody, ReportBody
from tests.support.mosquitto import Mosquitto, why_not

WAV_HEADER_BYTES = 44


def daemon(recording: Path, folder: Path, *sinks: str) -> float:
    """CPU seconds of the daemon for a recording that comes through a pipe."""
    given = [argument for sink in ("stdout", *sinks) for argument in ("--sink", sink)]
    settings = ["--set", f"history.path={folder / 'history.db'}", "--rate", str(RATE)]
    command = DEFAULT.command("--input", "-", *settings, *given)
    skip = f"tail -c +{WAV_HEADER_BYTES + 1} {shlex.quote(str(recording))}"
    return children.run(["sh", "-c", f"{skip} | {shlex.join(command)}"]).cpu_seconds


def resident_mb() -> float:
    """Resident memory of this process [MB]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def wait(condition: Callable[[], bool]) -> None:
    """Look every 5 ms until it is so."""
    while not condition():
        time.sleep(0.005)


def outage(folder: Path, hub: Mosquitto, events: int) -> list[list[str]]:
    """Publish while there is no broker, then start it; a row for each phase."""
    numbers = SequenceNumbers()
    store = EventStore(folder / "outage.db", numbers, keep_seconds=1e10, max_bytes=10**12)
    journal = Journal(store, numbers)
    archive = FileArchive(
        folder / "outage.db", oldest_seq=lambda: store.oldest_seq, newest_seq=lambda: journal.recorded_seq
    )
    hello = HelloBody(version="1", run_id="run", source="Mic", model="yamnet", labels=("Dog",))
    context = SinkContext(lambda: hello, lambda: ReportBody({}), archive=archive, state_folder=folder)
    dispatcher = Dispatcher([make_mqtt_sink(MqttSettings(f"mqtt://{hub.host}"), context)], journal=journal)
    dispatcher.start()
    (counts,) = context.brokers
    messages = make_messages(range(1, events + 1))
    rows = [
        ["", "events/s", "CPU µs an event", "memory after it [MB]"],
        ["before", "", "", f"{resident_mb():.1f}"],
    ]

    def phase(name: str, act: Callable[[], None], until: Callable[[], bool]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        wait(until)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        rows.append([name, f"{events / wall:,.0f}", f"{cpu / events * 1e6:.0f}", f"{resident_mb():.1f}"])

    def publish() -> None:
        for message in messages:
            dispatcher.publish(message.body)

    def come_back() -> None:
        hub.start()
        dispatcher.reopen()

    try:
        phase("outage", publish, lambda: counts.events_waiting == events)
        phase("the broker is back", come_back, lambda: counts.acknowledged_seq == events)
        phase("connected", publish, lambda: counts.acknowledged_seq == 2 * events)
        assert counts.state == CONNECTED
    finally:
        dispatcher.close()
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--events", type=int, default=10_000)
    options = parser.parse_args(arguments)
    if reason := why_not():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        about = write_all(folder, options.seconds)
        (folder / "short").mkdir()
        write_all(folder / "short", options.seconds // 5)
        counted = options.seconds - options.seconds // 5
        hub = Mosquitto(folder)
        hub.start()
        sink = f"mqtt://{hub.host}"
        pairs = []
        try:
            for _ in range(options.repeats):
                bare, more = (
                    daemon(folder / "busy.wav", folder, *sinks)
                    - daemon(folder / "short" / "busy.wav", folder, *sinks)
                    for sinks in ((), (sink,))
                )
                pairs.append((bare, more))
        finally:
            hub.kill()
        rows = [["CPU seconds per hour of sound", "busy"]]
        for what, values in (("daemon", [a for a, _ in pairs]), ("with MQTT", [b for _, b in pairs])):
            rows.append([what, middle([value / counted * 3600 for value in values])])
        print(about + "\n")
        print(table(rows))
        print(f"with MQTT: {median([b / a for a, b in pairs]):.3f} x, the median of the pairs\n")
        hub = Mosquitto(folder)
        try:
            print(table(outage(folder, hub, options.events)))
        finally:
            hub.kill()


if __name__ == "__main__":
    main()
