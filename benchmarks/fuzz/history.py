"""A history that is not what we wrote: a damaged database, or somebody else's."""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC
from pathlib import Path

from benchmarks.fuzz.target import Run, Target
from detector.audio.level_minute import LevelMinute
from detector.errors import HistoryError
from detector.history.archive import FileArchive, Query, sounds
from detector.history.level_listing import levels_command
from detector.history.level_series import level_series, level_sources
from detector.history.level_table import store_minutes
from detector.history.picture_png import picture_png
from detector.history.picture_table import EventPicture, event_picture, pictured, store_pictures
from detector.history.schema import connect_writer
from detector.history.sound_overview import HistoryOverview


@contextmanager
def _databases(folder: Path) -> Iterator[Run]:
    path = folder / "history.db"

    def run(data: bytes) -> None:
        for stale in folder.iterdir():
            stale.unlink()
        path.write_bytes(data)
        refused = None
        for read in (_pictures, _levels, _overview, _events):  # what one refuses, another may take
            try:
                read(path)
            except HistoryError as error:
                refused = error
        if refused is not None:
            raise refused

    yield run


def _pictures(path: Path) -> None:
    for id in pictured(path, ["r-1", "r-2"]):
        if (picture := event_picture(path, id)) is not None:
            picture_png(picture)


def _levels(path: Path) -> None:
    for form in ("json", "csv", "table"):
        levels_command([path], format=form, stdout=io.StringIO(), stderr=io.StringIO(), zone=UTC)
    for until in (600.0, 1e7):
        json.dumps(asdict(level_series(path, since=0.0, until=until)))
    level_sources(path)


def _overview(path: Path) -> None:
    overviews = HistoryOverview(utc=lambda: 20.0 * 60)
    for sources in ((), ("Mic",)):
        overviews.read(path, days=2, sources=sources, zone=UTC)


def _events(path: Path) -> None:
    list(sounds(path, Query(since=0.0, labels=("Dog",), min_score=0.1, limit=5)))
    list(sounds(path, Query()))
    FileArchive(path, oldest_seq=lambda: 1, newest_seq=lambda: 0).after(0, 100)


def _seeds() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        with closing(connect_writer(path)) as connection:
            for seq in range(1, 20):
                line = json.dumps({"type": "start", "id": f"r-{seq}", "label": "Dog", "seq": seq})
                connection.execute(
                    "INSERT INTO messages VALUES (?, ?, 'start', 'Dog', '/m/0bt9lr', ?, NULL, 0.9, 'Mic', ?)",
                    (seq, f"r-{seq}", 1.0 * seq, line),
                )
            connection.execute("UPDATE messages SET line = ? WHERE seq = 7", (b"\xff",))
            connection.execute("UPDATE messages SET line = ? WHERE seq = 9", ("[" * 5000,))
            minutes = [
                LevelMinute("Mic", number, 50.0, 10.0, 5e-5, 1e-5, {100: 200, 130: 300})
                for number in range(9)
            ]
            store_minutes(connection, minutes, at=5)
            store_pictures(connection, [EventPicture("r-2", bytes(range(60)), 10, 6)], keep=9)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            whole = path.read_bytes()
            connection.execute("DELETE FROM messages WHERE seq IN (7, 9)")
            connection.execute("PRAGMA journal_mode = DELETE")
        other = Path(folder) / "other.db"
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("CREATE TABLE messages (line)")
            connection.execute("PRAGMA user_version = 1")
        return (path.read_bytes(), whole, other.read_bytes(), b"SQLite format 3\0" + bytes(84))


TARGETS = (
    Target(
        "history database",
        30,
        _seeds,
        _databases,
        (b"SQLite format 3\0", b"line", b"seq", b"pixels", b"levels", b"{"),
        guided=False,
    ),
)
