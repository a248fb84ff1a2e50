"""Verdicts in, a judgement of the next event out: keep its label, veto the event, or rename it.

Sounds are compared by the cosine of the square roots of their embeddings. Of the verdicts on the same label,
the nearest one that speaks against it decides, unless it is outweighed: by the nearest ones that say `right`,
and by a trust that every label has from the start. Weights grow steeply with nearness. Only one verdict
speaks against a label, so no number of them, on other sounds or on one sound, takes the label from all.

An event that scores higher than the one that was called wrong is less like it: so a real dog is told from a
cough that was taken for one. It takes less to tell that a sound is not what it was called than to tell what
it is: a name needs nearer sounds.

Nothing is learned that is not in the list of verdicts: without them every event is kept, and no event is ever
made. The constants were chosen with `evaluate --verdicts`; docs/quality.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict

NEAR = 0.64
"""Cosine at which a verdict outweighs the trust in a label."""
SHARPNESS = 12.0
"""A verdict weighs exp(SHARPNESS x cosine): twice as much if it is nearer by 0.06."""
SURER = 0.12
"""So much less near is a wrong event, for each unit of log-odds by which its score was lower."""
SAME = 0.85
"""Cosine from which a verdict that names another label renames an event; less near, it vetoes it."""
VOTERS = 3
"""So many verdicts that say `right` weigh, at most."""
LEAST_SCORE = 0.005
"""Scores nearer to 0 or 1 than this count as so near."""


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
    """`id` of the event whose verdict decided, the nearest; empty where none did."""


class Verifier:
    """Judges events by verdicts whose embeddings are all of the same network."""

    def __init__(self, verdicts: Sequence[EventVerdict]) -> None:
        """`verdicts` in any order."""
        by_label: dict[str, list[EventVerdict]] = {}
        for verdict in sorted(verdicts, key=lambda each: each.at, reverse=True):
            by_label.setdefault(verdict.label, []).append(verdict)
        self._said = {
            label: (
                tuple((verdict.said, verdict.event_id) for verdict in given),
                _directions([verdict.embedding for verdict in given]),
                np.array([np.inf if each.score is None else _log_odds(each.score) for each in given]),
            )
            for label, given in by_label.items()
        }

    def judge(self, label: str, embedding: NDArray[np.float32], score: float | None = None) -> Judgement:
        """Judge an event of this label by its embedding (features,) and, where known, its top score 0..1."""
        keep = Judgement(Outcome.KEEP, label)
        if label not in self._said:
            return keep
        verdicts, directions, log_odds = self._said[label]
        is_right = np.array([said in (RIGHT, label) for said, _ in verdicts])
        nearness = directions @ _direction(embedding)
        if score is not None:
            nearness -= np.where(is_right, 0.0, SURER * np.maximum(0.0, _log_odds(score) - log_odds))
        # The nearest ones first, of equally near ones the newest.
        order = np.argsort(-nearness, kind="stable").tolist()
        voters = [place for place in order if is_right[place]][:VOTERS]
        against = [place for place in order if not is_right[place]]
        weights = np.exp(SHARPNESS * (nearness - NEAR))
        if not against or weights[against[0]] < 1.0 + weights[voters].sum():
            return keep
        said, nearest = verdicts[against[0]]
        agreeing = sum(verdicts[place][0] == said and bool(nearness[place] >= NEAR) for place in against)
        if said == WRONG or nearness[against[0]] < SAME:
            return Judgement(Outcome.VETO, label, agreeing, nearest)
        return Judgement(Outcome.RENAME, said, agreeing, nearest)


def _directions(embeddings: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Those of all (embeddings, features), made one by one: a thousand take 4 MB."""
    directions = np.empty((len(embeddings), len(embeddings[0])), np.float32)
    for row, embedding in zip(directions, embeddings, strict=True):
        row[:] = _direction(embedding)
    return directions


def _direction(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """The signed square roots (features,), of length 1; zeros stay zeros."""
    roots = np.sign(embedding) * np.sqrt(np.abs(embedding))
    length = float(np.linalg.norm(roots))
    unit: NDArray[np.float32] = (roots / length if length > 0 else roots).astype(np.float32)
    return unit


def _log_odds(score: float) -> float:
    score = min(max(score, LEAST_SCORE), 1 - LEAST_SCORE)
    return math.log(score / (1 - score))
