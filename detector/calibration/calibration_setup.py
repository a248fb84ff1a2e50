"""Interfaces of `calibrate`: what was asked for, and what depends on settings and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.calibration.log_replay import LogReplay
from detector.calibration.proposal import Alarms, Change
from detector.calibration.room_statistics import RoomStatistics
from detector.calibration.sound_log import StreamLogger
from detector.config.config_text import Key
from detector.interfaces import Source
from detector.records import Label, ModelSpec

LIVE_SECONDS = 300.0
"""How long to listen to a microphone by default."""


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
    """What calibrating may change: thresholds of the reported labels, and the gate's floor."""

    labels: Sequence[Label]
    on: NDArray[np.float32]
    """Shape (labels,): threshold_on."""
    off: NDArray[np.float32]
    """Shape (labels,): threshold_off."""
    floor: float | None
    """gate.min_level_dbfs; None where there is none."""


class TrialSettings(Protocol):
    """Settings with changes, ready to be tested on the log and to be written."""

    @property
    def tree(self) -> dict[str, object]:
        """Everything that differs from the defaults, as in a config file."""

    @property
    def keys(self) -> dict[int, Key]:
        """Label index -> the key of each changed label in that file."""

    def replay(self) -> LogReplay:
        """A fresh replay with these settings."""


class CalibrationSetup(Protocol):
    """Everything that depends on settings and model."""

    @property
    def spec(self) -> ModelSpec:
        """The model's."""

    @property
    def tuning(self) -> Tuning:
        """The values in force."""

    @property
    def kept(self) -> frozenset[int]:
        """Indices, among the reported labels, of those that must not be changed."""

    @property
    def sources(self) -> Sequence[Source]:
        """What to listen to, one after the other."""

    @property
    def origin(self) -> str:
        """Where the settings come from, for people."""

    def make_logger(self) -> StreamLogger:
        """Make what turns one stream into items of the log."""

    def make_statistics(self) -> RoomStatistics:
        """Make empty statistics."""

    def replay(self) -> LogReplay:
        """A fresh replay with the settings in force."""

    def compose(self, changes: Sequence[Change], floor: float | None) -> TrialSettings:
        """The settings with these changes, read back from what would be written; raises ConfigError."""
