"""The description of an architecture: its input, how it is built and how it is trained.

Modules are built inside functions, since PyTorch is imported only where a network is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from detector.audio.logmel import LogMelParams
from detector.training.recipe import NetworkOptions

Module: TypeAlias = Any
"""torch.nn.Module: takes patches (n, 1, frames, bands), gives log-odds (n, classes)."""
Tensor: TypeAlias = Any
"""torch.Tensor."""

SAMPLE_RATE = 32_000
"""Hertz; mn04's too, so that one microphone serves both."""
WINDOW_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Architecture:
    """One kind of network."""

    description: str
    """For model.yaml: `a small spectrogram CNN`."""
    front_end: LogMelParams
    """The patches it looks at."""
    build: Callable[[int, NetworkOptions], Module]
    """Makes a fresh one for so many classes; draws its weights from torch's generator."""
    epochs: int
    batch: int
    learning_rate: float
    """The highest, reached after a tenth of the steps."""
    weight_decay: float
    """AdamW's, the L2 term."""
    label_smoothing: float = 0.05
    """Share of each target that is spread over all classes."""
