"""What a network makes of an event: the mean of its embeddings of the windows on which the label stands.

Each network computes its embedding anyway, on its way to the scores, so this costs a few additions for each
event. Of several networks the first one's is taken: for `yamnet+mn04` that is YAMNet's, so verdicts stay
valid where mn04 is missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.records import Embedding, Event, Scores

WINDOWS = 8
"""So many windows at most count: two to four seconds of a sound that goes on."""


class EventEmbeddings:
    """Keeps the embeddings of the newest windows, for the events that these windows start or correct."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, Embedding]] = deque(maxlen=WINDOWS)

    def push(self, scores: Scores) -> None:
        """Take the next window's embeddings, if it has any."""
        for network, values in scores.embeddings.items():
            self._recent.append((scores.span.stop, Embedding(network, values)))
            break

    def attached(self, events: Sequence[Event]) -> list[Event]:
        """The same events; those that do not end have the mean over the windows since their onset."""
        return [event if event.phase == "end" else self._with_embedding(event) for event in events]

    def _with_embedding(self, event: Event) -> Event:
        own = [embedding for stop, embedding in self._recent if event.onset < stop <= event.decided]
        if not own:
            return event
        mean: NDArray[np.float32] = np.mean(np.stack([embedding.values for embedding in own]), axis=0)
        return replace(event, embedding=Embedding(own[0].network, mean))
