"""Pictures of events in the history's file: a small spectrogram of each of the newest ones.

A picture goes with its event, and the oldest go where there are more than are kept. It is read without numpy,
so that a small program can.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from detector.history.schema import reading_table, unreadable

PICTURE_BYTES = 20_000
"""A file may have a picture for so many bytes of its limit: they take a fifth of it, and events the rest."""

DELETE_PICTURES = 200
"""Pictures deleted at once, so that an event never waits for long."""

MOST_PIXELS = 1_000_000
"""A picture of more is none of ours, but a damaged file's."""

MOST_IDS = 500
"""Events that are asked for in one statement."""


@dataclass(frozen=True, slots=True)
class EventPicture:
    """The spectrogram of an event; twenty columns are a second (`audio.mel_columns`)."""

    id: str
    """The event's."""
    rows: bytes
    """One byte for each pixel, row by row, the highest band first: value / 2 - 120 is a level [dBFS]."""
    width: int
    """Columns."""
    height: int
    """Bands."""


def store_pictures(connection: sqlite3.Connection, pictures: Iterable[EventPicture], *, keep: int) -> None:
    """Write pictures, and delete some of the oldest beyond `keep`; the caller has begun a transaction."""
    for picture in pictures:
        connection.execute(
            "INSERT INTO pictures (id, width, height, pixels) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET width = excluded.width, height = excluded.height, "
            "pixels = excluded.pixels",
            (picture.id, picture.width, picture.height, zlib.compress(picture.rows, 6)),
        )
        delete_pictures(connection, keep=keep)


def delete_pictures(connection: sqlite3.Connection, *, keep: int) -> int:
    """Delete the oldest of more than `keep` pictures, DELETE_PICTURES at most; returns how many."""
    (count,) = connection.execute("SELECT count(*) FROM pictures").fetchone()
    if count <= keep:
        return 0
    limit = min(DELETE_PICTURES, count - keep)
    oldest = "SELECT number FROM pictures ORDER BY number LIMIT ?"
    return connection.execute(f"DELETE FROM pictures WHERE number IN ({oldest})", (limit,)).rowcount  # noqa: S608


def event_picture(path: Path, id: str) -> EventPicture | None:
    """The picture of an event; None where there is none. Raises HistoryError."""
    with reading_table(path, "pictures") as connection:
        if connection is None:
            return None
        row = connection.execute("SELECT width, height, pixels FROM pictures WHERE id = ?", (id,)).fetchone()
    return None if row is None else _read(path, id, *row)


def pictured(path: Path, ids: Collection[str]) -> set[str]:
    """Those of these events that have a picture; raises HistoryError."""
    wanted, found = list(ids), set[str]()
    with reading_table(path, "pictures") as connection:
        if connection is None:
            return found
        for start in range(0, len(wanted), MOST_IDS):
            some = wanted[start : start + MOST_IDS]
            marks = ", ".join("?" * len(some))
            rows = connection.execute(f"SELECT id FROM pictures WHERE id IN ({marks})", some)  # noqa: S608
            found.update(id for (id,) in rows)
    return found


def _read(path: Path, id: str, width: object, height: object, pixels: object) -> EventPicture:
    """The picture of a row; whatever a damaged file holds, no more memory is taken than a picture needs."""
    if (
        isinstance(width, int)
        and isinstance(height, int)
        and isinstance(pixels, bytes)
        and width > 0
        and height > 0
        and width * height <= MOST_PIXELS
    ):
        try:
            rows = zlib.decompressobj().decompress(pixels, width * height + 1)
        except zlib.error:
            rows = b""
        if len(rows) == width * height:
            return EventPicture(id, rows, width, height)
    raise unreadable(path, ValueError("a picture is damaged"))
