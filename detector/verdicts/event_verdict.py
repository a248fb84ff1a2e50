"""What somebody said of one event: that its label is right, that it is wrong, or which label is right."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RIGHT = "right"
WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class EventVerdict:
    """One verdict. It holds the embedding of the event's sound, from which no sound can be made again."""

    event_id: str
    """The event's `id`; an event has one verdict at most, the newest."""
    label: str
    """Name of the label that the detector gave to the sound, before any verdict was applied."""
    said: str
    """`right`, `wrong`, or the name of the label that is right."""
    at: float
    """When it was said [UTC seconds since 1970]."""
    embedding: NDArray[np.float32] = field(compare=False, repr=False)
    """Shape (features,): the mean over the windows on which the label stood."""
    base: str
    """Name of the network that made the embedding: only those of the same network can be compared."""
    score: float | None = None
    """The event's top score, 0..1, when its label was decided; None where it is not known."""
