"""Proposes thresholds with which the room would have stayed silent, with a margin.

Of a label that came near its threshold (to half of it, where an event would not yet end), the new threshold
is the highest vote plus a margin in log-odds. The margin is larger where listening was shorter: the highest
score goes on growing, by about `GROWTH` for each e-fold of time (docs/calibrate.md has the figures).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detector.calibration.room_statistics import STRETCH_SECONDS, LabelVotes
from detector.events.rules import OFF_SHARE
from detector.records import Label

LEAST_MARGIN, MOST_MARGIN = 0.5, 2.2
"""Log-odds."""
GROWTH = 0.4
ENOUGH_SECONDS = 3600.0
"""After an hour the margin is the least."""
NEAR = 0.5
"""Share of a threshold: a label whose highest vote is below it is left alone."""
MOST_THRESHOLD = 0.95
"""A label that would need a higher one is a sound of the room itself: it is excluded."""
MOST_ALARM_THRESHOLD = 0.5
"""A label of an alarm is not raised further: the user must decide that a quiet alarm may be missed."""
ALARMS = re.compile(r"alarm|siren|smoke|glass|gunshot|gunfire|scream|baby cry|\bdog\b", re.IGNORECASE)
"""In a label's name or in that of a class above it."""


class ChangeKind(Enum):
    """What is proposed for a label."""

    RAISED = "raised"
    LIMITED = "limited"
    """An alarm, raised by less than the whole margin."""
    EXCLUDED = "excluded"
    LEFT = "left alone"
    """It was reported and still would be: an alarm, or a label that the user keeps."""


@dataclass(frozen=True, slots=True)
class Change:
    """One label that was reported, or nearly."""

    label_index: int
    """Among the reported labels."""
    label: Label
    was: float
    """threshold_on in force."""
    heard: float
    """The highest score that enough windows reached together."""
    kind: ChangeKind
    now: float | None = None
    """New threshold_on; None where it gets none."""
    off: float | None = None
    """New threshold_off; None where the rule in force will do."""
    is_alarm: bool = False
    occasions: int = 0
    """How often it reached `was`."""
    blocks: int = 0
    """In how many pieces of `STRETCH_SECONDS` it did."""
    first: float = 0.0
    last: float = 0.0
    """Seconds: the first and the last time that it did."""

    @property
    def once(self) -> bool:
        """Whether it reached its threshold on one occasion only: it may be no sound of the room itself."""
        return self.occasions == 1 and self.last - self.first <= STRETCH_SECONDS


class Alarms(Enum):
    """How labels of alarms are treated."""

    LIMIT = "limit"
    """Raised to `MOST_ALARM_THRESHOLD` at most, and never excluded."""
    RAISE = "raise"
    """Like any other label."""
    KEEP = "keep"
    """Never touched."""


def margin(seconds: float) -> float:
    """Log-odds over the highest score heard in so many seconds."""
    growing = LEAST_MARGIN + GROWTH * math.log(ENOUGH_SECONDS / max(seconds, 1.0))
    return min(MOST_MARGIN, max(LEAST_MARGIN, growing))


def propose(
    labels: Sequence[Label],
    votes: LabelVotes,
    *,
    on: NDArray[np.float32],
    off: NDArray[np.float32],
    seconds: float,
    keep: Collection[int] = (),
    alarms: Alarms = Alarms.LIMIT,
) -> list[Change]:
    """Every label that came near its threshold, the highest first; `on`, `off` are thresholds in force."""
    over = margin(seconds)
    found = []
    for index in map(int, np.flatnonzero(votes.highest >= NEAR * on)):
        change = Change(
            label_index=index,
            label=labels[index],
            was=_plain(on[index]),
            heard=float(votes.highest[index]),
            kind=ChangeKind.LEFT,
            is_alarm=is_alarm(labels[index]),
            occasions=int(votes.occasions[index]),
            blocks=int(votes.blocks[index]),
            first=float(votes.first[index]),
            last=float(votes.last[index]),
        )
        decided = _decide(change, float(off[index]), over, kept=index in keep, alarms=alarms)
        if decided is not None:
            found.append(decided)
    return sorted(found, key=lambda change: (-change.heard, change.label_index))


def is_alarm(label: Label) -> bool:
    """Whether missing it matters more than a false one, judged by its name and those above it."""
    return any(ALARMS.search(name) for name in (label.name, *label.ancestor_names))


def _decide(change: Change, off: float, over: float, *, kept: bool, alarms: Alarms) -> Change | None:
    """Decide what becomes of a label; None where nothing changes and nothing needs to be reported."""
    wanted = _above(_raised(change.heard, over))
    was_reported = change.heard >= change.was
    if wanted <= change.was:
        return None
    if kept or (change.is_alarm and alarms is Alarms.KEEP):
        return change if was_reported else None
    if change.is_alarm and alarms is Alarms.LIMIT and wanted > MOST_ALARM_THRESHOLD:
        if change.heard >= MOST_ALARM_THRESHOLD or change.was >= MOST_ALARM_THRESHOLD:
            return change if was_reported else None
        return _with(change, MOST_ALARM_THRESHOLD, off, ChangeKind.LIMITED)
    if wanted > MOST_THRESHOLD:
        if _raised(change.heard, LEAST_MARGIN) > MOST_THRESHOLD:
            return _with(change, None, off, ChangeKind.EXCLUDED) if was_reported else None
        wanted = MOST_THRESHOLD
    return _with(change, wanted, off, ChangeKind.RAISED) if wanted > change.was else None


def _with(change: Change, now: float | None, off: float, kind: ChangeKind) -> Change:
    return replace(change, now=now, off=None if now is None else _off(change, now, off), kind=kind)


def _off(change: Change, now: float, off: float) -> float | None:
    """A new threshold_off where an event would not end in the room's own sound; None where it would."""
    follows = math.isclose(off, OFF_SHARE * change.was, rel_tol=1e-5)
    if change.heard < (OFF_SHARE * now if follows else off):
        return None
    above = _above(change.heard)
    return above if above < now else round((change.heard + now) / 2, 4)


def _raised(score: float, by: float) -> float:
    """A score, so many log-odds higher."""
    kept = min(max(score, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-math.log(kept / (1 - kept)) - by))


def _above(score: float) -> float:
    """The next number of two decimals above a score, of three below 0.1."""
    steps = 1000 if score < 0.1 else 100
    return (math.floor(score * steps) + 1) / steps


def _plain(value: np.float32) -> float:
    """A threshold as it was written, not as single precision holds it."""
    return float(str(value))
