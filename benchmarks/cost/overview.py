"""How long the page's overview and its list of events take to open, beside bare SQLite queries.

Answers of the page's API, in one process and without a network: of a page that has just been started, which
counts everything (*first*), and of one that was asked before (*again*). Each sound is three messages.

    python -m benchmarks.cost.overview [--events 10000] [--repeats 20] [--folder DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmarks.support.report import table
from detector.audio.level_minute import LevelMinute
from detector.history.event_store import EventStore
from detector.history.schema import connect_reader
from detector.history.sequence_numbers import SequenceNumbers
from detector.interfaces import Message
from detector.records import Phase
from detector.web.app import make_app
from detector.wire.encoding import encode
from detector.wire.message import EventBody, utc_text
from tests.support.web_pages import BASE, make_parts

DAY = 86400.0
EVENTS, REPEATS = 10_000, 20
LABELS = tuple(f"Label number {number}" for number in range(60))
BARE = "SELECT seq, id, label, start, stop FROM messages WHERE start >= ?"
BARE_NEWEST = "SELECT line FROM messages ORDER BY seq DESC LIMIT ?"
BARE_LABEL = "SELECT line FROM messages WHERE label = ? ORDER BY seq DESC LIMIT 150"
BARE_LEVELS = "SELECT minute, heard, lost, leq, max, l10, l90 FROM levels WHERE minute >= ?"

ABOUT = """\
Histories of one and of seven days with {events} sounds a day, three messages each, and a level for each
minute. Answers of the page's API in one process, without a network, medians of {repeats}: of a page that was
just started and counts everything (*first*), and again at once, when only the running day is counted
(*again*). The bare query reads the same rows: their number, label, start and end, all levels, or the
lines of 150 messages.
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """How long one address takes [s]."""

    what: str
    first: float
    first_cpu: float
    """CPU time of the same."""
    again: float
    bare: float
    rows: int
    """Rows of the bare query."""


def write_history(path: Path, *, days: int, events: int, now: float) -> None:
    """Make a history that ends now [UTC seconds]."""
    store = EventStore(path, SequenceNumbers(), keep_seconds=1e10, max_bytes=10**12)
    batch: list[Message] = []
    for message in make_messages(days * events, begin=now - days * DAY, seconds=days * DAY):
        batch.append(message)
        if len(batch) == 5000:
            store.write(batch)
            batch = []
    first = int(now // 60) - days * 1440
    histogram = {80 + number: 62 for number in range(32)}
    levels = [
        LevelMinute("kitchen", first + n, 59.97, 0.03, 6e-4, 1e-3, histogram) for n in range(days * 1440)
    ]
    store.write(batch, levels)
    store.close()


def make_messages(count: int, *, begin: float, seconds: float) -> Iterator[Message]:
    """Three messages for each sound, in the order of their numbers; a tenth get another label later."""
    chance = random.Random(1)
    weights = [1 / (number + 1) for number in range(len(LABELS))]
    for number in range(count):
        start = begin + (number + chance.random()) * seconds / count
        label = chance.choices(LABELS, weights)[0]
        kinds: tuple[Phase, ...] = ("start", "update", "end")
        for seq, kind in enumerate(kinds, start=3 * number + 1):
            name = label if kind == "start" or chance.random() < 0.9 else LABELS[5]
            body = EventBody(
                kind=kind,
                id=f"20260801T140321Z-3f9a-kitchen-{number}",
                label=name,
                class_id="/m/01y3hg",
                ancestors=("Animal", "Domestic animals, pets"),
                model="yamnet",
                score=0.5,
                top_score=0.9,
                start_time=utc_text(start),
                end_time=utc_text(start + 2.5) if kind == "end" else None,
                time=utc_text(start + 1),
                duration=2.5,
                level_dbfs=-20.0,
                source="kitchen",
            )
            yield encode(body, seq)


def measure(folder: Path, *, events: int, repeats: int) -> list[Opening]:
    """Open the overviews of a day and of a week with so many sounds a day, and their levels."""
    return [each for days in (1, 7) for each in _of_days(folder, days, events, repeats)]


def _of_days(folder: Path, days: int, events: int, repeats: int) -> list[Opening]:
    path, now = folder / f"{days}-days.db", time.time()
    write_history(path, days=days, events=events, now=now)
    sounds, since = f"{days * events:,}".replace(",", " "), now - days * DAY
    # The first and the last day are parts of days: they begin at midnight.
    return [
        _opening(path, f"overview of {sounds} sounds", f"overview?days={days + 1}", BARE, since, repeats),
        _opening(
            path,
            f"levels of {days * 1440} minutes",
            f"levels?from={utc_text(since)}",
            BARE_LEVELS,
            since / 60,
            repeats,
        ),
        _opening(path, f"50 newest of {sounds} sounds", "events?limit=50", BARE_NEWEST, 150, repeats),
        _opening(
            path,
            "50 newest of its rarest label",
            f"events?limit=50&label={LABELS[-1]}",
            BARE_LABEL,
            LABELS[-1],
            repeats,
        ),
    ]


def _opening(path: Path, what: str, address: str, query: str, value: float | str, repeats: int) -> Opening:
    with closing(connect_reader(path)) as connection:
        rows = len(connection.execute(query, (value,)).fetchall())
        bare = [_seconds(lambda: connection.execute(query, (value,)).fetchall()) for _ in range(repeats)]
    first, first_cpu, again = asyncio.run(_answers(path, f"/api/v1/{address}", repeats))
    return Opening(what, median(first), median(first_cpu), median(again), median(bare), rows)


async def _answers(path: Path, address: str, repeats: int) -> tuple[list[float], list[float], list[float]]:
    """How long a page needs that was just started, the CPU time of that, and again at once [s]."""
    first: list[float] = []
    first_cpu: list[float] = []
    again: list[float] = []
    for _ in range(repeats):
        transport = httpx.ASGITransport(make_app(make_parts(path.parent, history=(path,))))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            for times, cpu in ((first, first_cpu), (again, [])):
                began, used = time.perf_counter(), time.process_time()
                answer = await client.get(address)
                times.append(time.perf_counter() - began)
                cpu.append(time.process_time() - used)
                if answer.status_code != 200:
                    raise RuntimeError(f"{address}: {answer.text}")
    return first, first_cpu, again


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def openings_table(openings: Sequence[Opening]) -> str:
    """A row for each address [ms]."""
    rows = [["", "first [ms]", "its CPU time [ms]", "again [ms]", "bare query [ms]", "rows"]]
    for each in openings:
        figures = (f"{1000 * seconds:.0f}" for seconds in (each.first, each.first_cpu, each.again, each.bare))
        rows.append([each.what, *figures, f"{each.rows}"])
    return table(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=EVENTS, help="sounds a day")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--folder", type=Path, help="where the files are written (default: a temporary one)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        openings = measure(Path(name), events=options.events, repeats=options.repeats)
    print(ABOUT.format(events=options.events, repeats=options.repeats))
    print(openings_table(openings))


if __name__ == "__main__":
    main()
