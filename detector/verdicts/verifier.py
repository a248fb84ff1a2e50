"""Verdicts in, a judgement of the next event out: keep its label, veto the event, or rename it.

A wrong verdict on the same label vetoes an event whose embedding is near enough to its own, and nearer than
to that of any right one. Embeddings are compared by the cosine of their square roots. Nothing is learned that
is not in the list of verdicts: without them every event is kept, and no event is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict

NEAR = 0.8
"""Cosine from which two sounds are taken for the same kind."""


class Outcome(Enum):
    """What becomes of an event."""

    KEEP = "keep"
    VETO = "veto"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the verdicts say of one event."""

    outcome: Outcome
    label: str
    """The label that the event is told under; for a veto the one that it had."""
    verdicts: int = 0
    """How many verdicts on near sounds say so."""
    nearest: str = ""
    """`id` of the event whose verdict decided; empty where none did."""


class Verifier:
    """Judges events by verdicts whose embeddings are all of the same network."""

    def __init__(self, verdicts: Sequence[EventVerdict]) -> None:
        """`verdicts` in any order."""
        by_label: dict[str, list[EventVerdict]] = {}
        for verdict in sorted(verdicts, key=lambda each: each.at, reverse=True):
            by_label.setdefault(verdict.label, []).append(verdict)
        self._said = {
            label: (tuple(given), np.stack([_direction(verdict.embedding) for verdict in given]))
            for label, given in by_label.items()
        }

    def judge(self, label: str, embedding: NDArray[np.float32]) -> Judgement:
        """Judge an event of this label by its embedding (features,)."""
        keep = Judgement(Outcome.KEEP, label)
        if label not in self._said:
            return keep
        verdicts, directions = self._said[label]
        nearness = directions @ _direction(embedding)
        right = np.array([verdict.said in (RIGHT, label) for verdict in verdicts])
        limit = max(NEAR, float(nearness[right].max(initial=-1.0)))
        decisive = np.flatnonzero(~right & (nearness >= NEAR) & (nearness >= limit))
        if not len(decisive):
            return keep
        newest = verdicts[decisive[0]]
        agreeing = sum(verdicts[place].said == newest.said for place in decisive)
        if newest.said == WRONG:
            return Judgement(Outcome.VETO, label, agreeing, newest.event_id)
        return Judgement(Outcome.RENAME, newest.said, agreeing, newest.event_id)


def _direction(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """The signed square roots (features,), of length 1; zeros stay zeros."""
    roots = np.sign(embedding) * np.sqrt(np.abs(embedding))
    length = float(np.linalg.norm(roots))
    unit: NDArray[np.float32] = (roots / length if length > 0 else roots).astype(np.float32)
    return unit
