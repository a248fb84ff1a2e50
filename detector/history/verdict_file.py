"""Verdicts in the history's file: given on events whose embedding is kept, listed, taken back, counted.

The daemon uses it from one thread (`verdict_keeper`); without a daemon the commands use it directly. Each
call opens the file and closes it again: neither holds up the other, and a file that was replaced is noticed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.config.wording import did_you_mean, either, show
from detector.errors import VerdictError
from detector.history.verdict_tables import reading, writing
from detector.interfaces import Message
from detector.records import Embedding
from detector.verdicts.embedding_code import pack, unpack
from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict
from detector.wire.message import event_of

LAST = "last"
"""Stands for the newest event that was told."""
ALL = "all"
"""Takes all verdicts back."""
MOST_VERDICTS = 1000
"""Where there are more, the oldest fall out."""
MOST_VETOED = 10_000
"""Vetoed events that are kept."""

_KEEP_EMBEDDING = """INSERT INTO event_embeddings (id, heard, told, network, embedding, score)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET heard = excluded.heard, told = excluded.told, network = excluded.network,
    embedding = excluded.embedding, score = excluded.score
    WHERE heard <> excluded.heard OR told IS NOT excluded.told"""
_GIVE = """INSERT INTO verdicts (id, label, said, at, network, embedding, score)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_KEEP_VETOED = """INSERT INTO vetoed_events (id, after_seq, line)
    VALUES (?, (SELECT coalesce(max(seq), 0) FROM messages), ?)
    ON CONFLICT (id) DO UPDATE SET line = excluded.line"""


@dataclass(frozen=True, slots=True)
class GivenVerdict:
    """A verdict that was stored, and what it did to those before it."""

    verdict: EventVerdict
    replaced: str | None
    """What was said of the same event before; None where nothing was."""
    fell_out: EventVerdict | None
    """The oldest verdict, which had no room any more."""
    on_label: int
    """Verdicts on events of the same label, this one included."""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """An event as it was told or vetoed, and what is stored beside it."""

    message: Message
    embedding: Embedding | None


class VerdictFile:
    """The verdicts, embeddings and vetoed events of one history."""

    def __init__(self, path: Path, *, keep: int) -> None:
        """Embeddings of the newest `keep` events are kept; 0 is none."""
        self.path = path
        self.keep = keep

    def exists(self) -> bool:
        """Whether there is a file, as far as it can be seen."""
        with suppress(PermissionError):
            return self.path.exists()
        return True

    def keep_events(self, messages: Sequence[KeptMessage]) -> None:
        """Store the embeddings of events, and those that were vetoed; raises HistoryError."""
        statements = [
            statement for each in messages for statement in _statements(each, with_embedding=self.keep > 0)
        ]
        with writing(self.path) as connection:
            for sql, values in statements:
                connection.execute(sql, values)
            _trim(connection, "event_embeddings", self.keep)
            _trim(connection, "vetoed_events", MOST_VETOED)

    def give(self, wanted: str, said: str, *, at: float, labels: Collection[str]) -> GivenVerdict:
        """Store what is `said` (`right`, `wrong` or one of `labels`) of an event at `at` [UTC seconds].

        `wanted` is its id, the beginning or the end of it, or `last`. Raises VerdictError, HistoryError.
        """
        named = _named(_plain(said), labels)
        with writing(self.path, durable=True) as connection:
            event = _find(connection, _plain(wanted), keep=self.keep)
            meant, embedding = event.meant(named), _unpacked(event)
            verdict = EventVerdict(event.id, event.heard, meant, at, embedding, event.network, event.score)
            before = connection.execute("SELECT said FROM verdicts WHERE id = ?", (event.id,)).fetchone()
            connection.execute("DELETE FROM verdicts WHERE id = ?", (event.id,))
            connection.execute(
                _GIVE, (event.id, event.heard, meant, at, event.network, event.embedding, event.score)
            )
            (count,) = connection.execute("SELECT count(*) FROM verdicts").fetchone()
            fallen = read_verdicts(connection, oldest=max(0, count - MOST_VERDICTS))
            _trim(connection, "verdicts", MOST_VERDICTS)
            on_label = connection.execute("SELECT count(*) FROM verdicts WHERE label = ?", (event.heard,))
            (number,) = on_label.fetchone()
        return GivenVerdict(verdict, before[0] if before else None, fallen[-1] if fallen else None, number)

    def forget(self, what: str) -> list[EventVerdict]:
        """Take verdicts back: on one event, on all of a label, or `all`; returns them.

        Raises VerdictError where there is none, HistoryError.
        """
        what = _plain(what)
        with writing(self.path, durable=True) as connection:
            given = read_verdicts(connection)
            found = [each for each in given if what == ALL or each.label.casefold() == what.casefold()]
            if not found and given:
                wanted = _chosen(what, [each.event_id for each in given])
                found = [each for each in given if each.event_id == wanted]
            if not found:
                raise VerdictError(
                    f"there is no verdict on {show(what)}; `verdicts list` shows those there are"
                )
            if what == ALL:
                connection.execute("DELETE FROM verdicts")  # also those that are damaged
            ids = [(each.event_id,) for each in found]
            connection.executemany("DELETE FROM verdicts WHERE id = ?", ids)
        return found

    def verdicts(self) -> list[EventVerdict]:
        """All verdicts, the oldest first; raises HistoryError."""
        with reading(self.path) as connection:
            return [] if connection is None else read_verdicts(connection)


def read_verdicts(connection: sqlite3.Connection, *, oldest: int = -1) -> list[EventVerdict]:
    """The `oldest` verdicts, all by default, the oldest first; one with a damaged embedding is left out."""
    found = []
    rows = connection.execute(
        "SELECT id, label, said, at, embedding, network, score FROM verdicts ORDER BY number LIMIT ?",
        (oldest,),
    )
    for id, label, said, at, embedding, network, score in rows:
        try:
            found.append(EventVerdict(id, label, said, at, unpack(embedding), network, score))
        except (TypeError, ValueError):
            continue
    return found


@dataclass(frozen=True, slots=True)
class _KeptEvent:
    """A row of `event_embeddings`."""

    id: str
    heard: str
    told: str | None
    network: str
    embedding: bytes
    score: float | None

    def meant(self, said: str) -> str:
        """What is said of the label that the detector gave, where people saw another one."""
        if said == RIGHT and self.told is not None:
            said = self.told
        return RIGHT if said == self.heard else said


def _statements(kept: KeptMessage, *, with_embedding: bool) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What stores an event; worked out before the transaction, which others wait for."""
    event, embedding = event_of(kept.message), kept.embedding
    if event.vetoed is not None:
        yield _KEEP_VETOED, (event.id, kept.message.line[:-1].decode())
    elif event.kind == "start":  # a correction of it may have been vetoed until now
        yield "DELETE FROM vetoed_events WHERE id = ?", (event.id,)
    if with_embedding and embedding is not None:
        told = event.label if event.vetoed is None else None
        with suppress(ValueError):  # a network gave numbers that are none
            packed = pack(embedding.values)
            yield _KEEP_EMBEDDING, (event.id, event.heard, told, embedding.network, packed, event.top_score)


def _plain(text: str) -> str:
    """What a person or a program wrote, as the file can take it."""
    return text.strip().encode("utf-8", "replace").decode()


def _unpacked(event: _KeptEvent) -> NDArray[np.float32]:
    try:
        return unpack(event.embedding)
    except (TypeError, ValueError):
        raise VerdictError(
            f"the embedding of {event.id} is damaged: give a verdict on another event"
        ) from None


def _trim(connection: sqlite3.Connection, table: str, most: int) -> None:
    oldest = f"SELECT number FROM {table} ORDER BY number DESC LIMIT 1 OFFSET ?"  # noqa: S608
    connection.execute(f"DELETE FROM {table} WHERE number <= ({oldest})", (most,))  # noqa: S608


def _named(said: str, labels: Collection[str]) -> str:
    """`right`, `wrong` or a label's own name, in any case of letters."""
    folded = {label.casefold(): label for label in (*labels, RIGHT, WRONG)}
    if (named := folded.get(said.casefold())) is not None:
        return named
    hint = did_you_mean(said, [*folded.values()]) or "`models info --labels` lists them"
    raise VerdictError(f"expected right, wrong or a label of the model, got {show(said)}; {hint}")


def _find(connection: sqlite3.Connection, wanted: str, *, keep: int) -> _KeptEvent:
    """The event that is meant; raises VerdictError where none is, or several are."""
    columns = "SELECT id, heard, told, network, embedding, score FROM event_embeddings"
    if wanted == LAST:
        row = connection.execute(f"{columns} WHERE told IS NOT NULL ORDER BY number DESC LIMIT 1").fetchone()
        if row is None:
            raise VerdictError("there is no event yet on which a verdict could be given")
        return _KeptEvent(*row)
    ids = [id for (id,) in connection.execute("SELECT id FROM event_embeddings")]
    row = connection.execute(f"{columns} WHERE id = ?", (_chosen(wanted, ids),)).fetchone()
    if row is not None:
        return _KeptEvent(*row)
    if connection.execute("SELECT 1 FROM messages WHERE id = ?", (wanted,)).fetchone():
        raise VerdictError(
            f"no embedding is kept of {show(wanted)}: the newest {keep} events have one (verdicts.keep)"
        )
    raise VerdictError(f"there is no event {show(wanted)}; `sound-detector history --ids` shows them")


def _chosen(wanted: str, ids: Sequence[str]) -> str:
    """The id that is meant by its beginning or by its end; `wanted` itself where none is."""
    if wanted in ids or not wanted:
        return wanted
    found = [id for id in ids if id.endswith(f"-{wanted}")] or [id for id in ids if id.startswith(wanted)]
    if len(found) > 1:
        raise VerdictError(f"{show(wanted)} may be {either([found[-1], found[-2]])}: give more of it")
    return found[0] if found else wanted
