"""What verdicts did to the events of each label, as far back as the history goes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.history.archive import event_message
from detector.history.verdict_file import read_verdicts
from detector.history.verdict_tables import reading
from detector.history.vetoed_events import read_vetoed
from detector.verdicts.event_verdict import RIGHT, WRONG
from detector.wire.message import event_of


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What became of the sounds of one label."""

    label: str
    heard: int
    """Sounds to which the detector gave this label: without verdicts, so many would have been told."""
    vetoed: int
    renamed: int
    right: int
    """Verdicts that say so."""
    wrong: int
    other: int
    """Verdicts that name another label."""

    @property
    def told(self) -> int:
        """Sounds that were told under this label."""
        return self.heard - self.vetoed - self.renamed


def verdict_report(path: Path) -> list[LabelReport]:
    """A row for each label with verdicts, or with events that these changed; raises HistoryError."""
    with reading(path) as connection:
        return [] if connection is None else _report(connection)


def _report(connection: sqlite3.Connection) -> list[LabelReport]:
    given = read_verdicts(connection)
    vetoed = Counter(event_of(message).label for _, message in read_vetoed(connection))
    renamed = Counter(_renamed(connection))
    said = Counter((each.label, each.said if each.said in (RIGHT, WRONG) else "") for each in given)
    return [
        LabelReport(
            label,
            heard=_told(connection, label) + vetoed[label] + renamed[label],
            vetoed=vetoed[label],
            renamed=renamed[label],
            right=said[label, RIGHT],
            wrong=said[label, WRONG],
            other=said[label, ""],
        )
        for label in sorted({*vetoed, *renamed, *(each.label for each in given)})
    ]


_NEWEST = "NOT EXISTS (SELECT 1 FROM messages AS later WHERE later.id = m.id AND later.seq > m.seq)"
_RENAMED = """instr(m.line, '"verdict":{"heard":') > 0"""
"""Inside a text, JSON has a backslash before each quotation mark."""


def _told(connection: sqlite3.Connection, label: str) -> int:
    """Sounds that have this label by the detector's own choice."""
    sql = f"SELECT count(*) FROM messages AS m WHERE m.label = ? AND NOT {_RENAMED} AND {_NEWEST}"  # noqa: S608
    return int(connection.execute(sql, (label,)).fetchone()[0])


def _renamed(connection: sqlite3.Connection) -> Iterator[str]:
    """The detector's label of each sound that has another one."""
    for (line,) in connection.execute(f"SELECT m.line FROM messages AS m WHERE {_RENAMED} AND {_NEWEST}"):  # noqa: S608
        yield event_of(event_message(line)).heard
