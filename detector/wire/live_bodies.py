"""What a subscriber gets that watches a source: the newest sound, which is neither numbered nor kept.

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
