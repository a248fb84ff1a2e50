"""The verdicts in force: who judges an event, and the labels that it may be renamed to.

A verdict counts only while the model has both the label that it is on and the one that it names: one that a
newer model lacks is kept, and is without effect.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.records import Embedding, Label
from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict
from detector.verdicts.verifier import Judgement, Outcome, Verifier


class VerdictBook:
    """Answers for all pipelines of a process; what is in force is exchanged as a whole."""

    def __init__(self) -> None:
        self._verifiers: dict[tuple[str, int], Verifier] = {}
        """By the network and its number of features: a network that was trained anew may have others."""
        self._labels: dict[str, Label] = {}

    def exchange(self, verdicts: Sequence[EventVerdict], labels: Sequence[Label]) -> list[EventVerdict]:
        """Go on with these verdicts and labels; returns the verdicts that are without effect."""
        known = {label.name: label for label in reversed(labels)}
        counting = [verdict for verdict in verdicts if _counts(verdict, known)]
        by_network: dict[tuple[str, int], list[EventVerdict]] = {}
        for verdict in counting:
            by_network.setdefault((verdict.base, len(verdict.embedding)), []).append(verdict)
        self._labels = known
        self._verifiers = {network: Verifier(given) for network, given in by_network.items()}
        return [verdict for verdict in verdicts if not _counts(verdict, known)]

    def judge(self, label: Label, embedding: Embedding | None, score: float | None = None) -> Judgement:
        """What the verdicts say of an event of this label and top score; one without an embedding is kept."""
        if embedding is None:
            return Judgement(Outcome.KEEP, label.name)
        verifier = self._verifiers.get((embedding.network, len(embedding.values)))
        if verifier is None:
            return Judgement(Outcome.KEEP, label.name)
        return verifier.judge(label.name, embedding.values, score)

    def label_named(self, name: str) -> Label | None:
        """The label of that name; of several models' the first one's."""
        return self._labels.get(name)


def _counts(verdict: EventVerdict, known: dict[str, Label]) -> bool:
    return verdict.label in known and (verdict.said in (RIGHT, WRONG) or verdict.said in known)
