"""What a subscriber gets that watches a source or controls the daemon: neither numbered nor kept.

docs/protocol.md defines each field, as for the bodies in `wire.message`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrogramBody:
    """The next columns of a source's spectrogram; `data` is base64, column by column, the low band first."""

    kind: ClassVar[str] = "spectrogram"
    source: str
    level_dbfs: float | None
    bands: int
    columns: int
    low_hertz: float
    high_hertz: float
    columns_per_second: int
    data: str
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundBody:
    """The next samples of a source; `data` is base64 of 16-bit little-endian numbers, one channel."""

    kind: ClassVar[str] = "sound"
    source: str
    sample_rate: int
    start: int
    samples: int
    data: str
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlBody:
    """The answer to one subscriber who wants the daemon to pause, or to read its settings again."""

    kind: ClassVar[str] = "control"
    done: bool
    message: str
    paused: tuple[str, ...]
    faults: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    time: str | None
