"""What calibrating is asked for, and what it needs of settings and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.calibration.configtext import Key
from detector.calibration.ear import Ear
from detector.calibration.learning import Learnt
from detector.calibration.proposal import Alarms, Change
from detector.calibration.replay import LogReplay
from detector.interfaces import Source
from detector.records import Label, ModelSpec

LIVE_SECONDS = 300.0
"""How long a live source is listened to where nobody says."""


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """What was asked for."""

    inputs: tuple[str, ...] = ()
    """Recordings of the room, or `-`; none is the source of the settings."""
    keep: tuple[str, ...] = ()
    """Names of labels never to be changed."""
    seconds: float | None = None
    """How long to listen; None listens to recordings to their end, to a microphone for LIVE_SECONDS."""
    out: Path | None = None
    """None is standard output."""
    overwrite: bool = False
    alarms: Alarms = Alarms.LIMIT
    quiet: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """Reported labels, their thresholds, the gate's floor: what calibrating changes."""

    labels: Sequence[Label]
    on: NDArray[np.float32]
    off: NDArray[np.float32]
    floor: float | None


class Composed(Protocol):
    """Settings with changes, ready to be tried and written."""

    @property
    def tree(self) -> dict[str, object]:
        """Everything that differs from the defaults, as in a config file."""

    @property
    def keys(self) -> dict[int, Key]:
        """Where each changed label stands in it."""

    def replay(self) -> LogReplay:
        """What they would have told."""


class Bench(Protocol):
    """Everything that depends on settings and model."""

    @property
    def spec(self) -> ModelSpec:
        """The model's."""

    @property
    def tuning(self) -> Tuning:
        """What is in force."""

    @property
    def kept(self) -> frozenset[int]:
        """Places of the labels never to be touched."""

    @property
    def sources(self) -> Sequence[Source]:
        """What to hear, one after the other."""

    @property
    def origin(self) -> str:
        """The settings' file and what else they come from."""

    def make_ear(self) -> Ear:
        """A fresh one for one stream."""

    def learn(self) -> Learnt:
        """Nothing is learnt yet."""

    def replay(self) -> LogReplay:
        """What the settings in force tell."""

    def compose(self, changes: Sequence[Change], floor: float | None) -> Composed:
        """The settings with these changes, read back from what would be written; raises ConfigError."""
