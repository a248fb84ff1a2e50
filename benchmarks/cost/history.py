"""What the history costs: events a second through the journal, beside a bare INSERT loop on the same rows.

The bare loop commits as many rows at once as the journal did on average, into the same tables and folder.
`each by itself` waits for every event to be delivered before the next is published, as in real life.

    python -m benchmarks.cost.history [--events 20000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.support.report import table
from detector.audio.level_minute import LevelMinute
from detector.history.archive import Query, sounds
from detector.history.event_store import INSERT, EventStore, row
from detector.history.journal import Journal
from detector.history.picture_table import EventPicture
from detector.history.schema import connect_writer
from detector.history.sequence_numbers import SequenceNumbers
from detector.interfaces import Message
from detector.records import Event, Label
from detector.wire.encoding import encode
from detector.wire.message import event_body

ALONE = 2000
"""Events of the measurement that waits for each."""


def make_messages(numbers: range) -> list[Message]:
    """Events as the daemon publishes them."""
    label = Label(name="Smoke detector, smoke alarm", class_id="/m/01y3hg", model="yamnet")
    return [
        encode(
            event_body(
                Event(
                    phase="end",
                    id=number,
                    label=label,
                    onset=number * 16000,
                    decided=number * 16000 + 8000,
                    offset=number * 16000 + 7000,
                    score=0.5,
                    top_score=0.9,
                    level_dbfs=-20.0,
                ),
                to_utc=lambda n: 1.7e9 + n / 16000,
                sample_rate=16000,
                source="USB Audio Device: - (hw:1,0)",
                run_id="20260801T140321Z-3f9a",
            ),
            number,
        )
        for number in numbers
    ]


def bare(path: Path, messages: Sequence[Message], size: int) -> float:
    """Seconds of the bare loop, `size` rows to a commit."""
    with closing(connect_writer(path)) as connection:
        began = time.perf_counter()
        for start in range(0, len(messages), size):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, map(row, messages[start : start + size]))
            connection.execute("COMMIT")
        return time.perf_counter() - began


class Counting(EventStore):
    """A store that counts its commits."""

    commits = 0

    def write(
        self,
        messages: Sequence[Message],
        minutes: Sequence[LevelMinute] = (),
        pictures: Sequence[EventPicture] = (),
    ) -> None:
        """Commit events."""
        super().write(messages, minutes, pictures)
        self.commits += bool(messages)


def through_journal(
    path: Path, messages: Sequence[Message], *, alone: bool
) -> tuple[float, int, list[float]]:
    """Seconds, commits, and each event's way from `put` to delivery [s]."""
    numbers = SequenceNumbers()
    store = Counting(path, numbers, keep_seconds=1e10, max_bytes=10**12)
    journal = Journal(store, numbers, queue_length=len(messages) + 1, patience_seconds=600.0)
    delivered = threading.Semaphore(0)
    journal.start(lambda message: delivered.release())
    delays = []
    began = time.perf_counter()
    for message in messages:
        put = time.perf_counter()
        journal.put(message)
        if alone:
            delivered.acquire()
            delays.append(time.perf_counter() - put)
    for _ in range(0 if alone else len(messages)):
        delivered.acquire()
    seconds = time.perf_counter() - began
    journal.close(60.0)
    return seconds, store.commits, delays


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="where the files are written (default: a temporary one)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        messages = make_messages(range(1, options.events + 1))
        few = messages[:ALONE]
        burst, commits, _ = through_journal(folder / "burst.db", messages, alone=False)
        size = max(1, round(len(messages) / commits))
        bare_burst = bare(folder / "bare.db", messages, size)
        lone, _, delays = through_journal(folder / "lone.db", few, alone=True)
        bare_lone = bare(folder / "bare-lone.db", few, 1)
        rows = [["", "events/s", "µs an event", "the bare loop's"]]
        for what, seconds, theirs, count in (
            (f"burst of {len(messages)}, {size} to a commit", burst, bare_burst, len(messages)),
            (f"{len(few)} each by itself", lone, bare_lone, len(few)),
        ):
            cost, their_cost = seconds / count * 1e6, theirs / count * 1e6
            rows.append([what, f"{count / seconds:,.0f}", f"{cost:.1f}", f"{their_cost:.1f}"])
        print(table(rows))
        worst = sorted(delays)[int(len(delays) * 0.99)]
        print(
            f"\nfrom put to delivery: median {statistics.median(delays) * 1e3:.2f} ms, "
            f"99 % within {worst * 1e3:.2f} ms"
        )
        size_bytes = (folder / "burst.db").stat().st_size
        print(f"{size_bytes / len(messages):.0f} bytes an event in the file")
        for what, query in (
            ("the newest 100 sounds", Query(limit=100)),
            ("the newest 100 of a label that is not there", Query(limit=100, labels=("Owl",))),
            ("all sounds", Query()),
        ):
            began = time.perf_counter()
            found = sum(1 for _ in sounds(folder / "burst.db", query))
            print(f"{what}: {found} in {(time.perf_counter() - began) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
