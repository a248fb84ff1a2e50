"""Whether a microphone that delivers blocks really works: silence that no room has, and clipping.

A muted or unplugged input delivers zeros, or one constant value, without any error; an overdriven one
delivers full-scale samples. Both go on for `seconds` before they count, and a healthy block ends them.
"""

from __future__ import annotations

from typing import Literal

from detector.records import Block

Health = Literal["sound", "constant", "clipped"]

FULL_SCALE = 32767
CLIPPED_SHARE = 0.25
"""Share of the blocks of the last `clipping_seconds` with full-scale samples in them that is no accident."""


class HealthMeter:
    """Watches blocks of one source.

    `sample_rate` [Hz]; `silent_seconds` of nothing but one value are `constant`, and `never_heard_seconds`
    (None: the same time) where no other value ever came; `clipping_seconds` in which a quarter of the sound
    touches full scale are `clipped`.
    """

    def __init__(
        self,
        *,
        sample_rate: int,
        silent_seconds: float = 3.0,
        never_heard_seconds: float | None = None,
        clipping_seconds: float = 5.0,
    ) -> None:
        self._silent_after = round(silent_seconds * sample_rate)
        never = silent_seconds if never_heard_seconds is None else never_heard_seconds
        self._never_heard_after = round(never * sample_rate)
        self._heard = False
        self._clipping_over = clipping_seconds * sample_rate
        self._value: int | None = None
        self._same = 0
        self._clipped = 0.0

    def push(self, block: Block) -> Health:
        """What the source is like after this block."""
        length = len(block.samples)
        if length == 0:
            return "sound"
        low, high = int(block.samples.min()), int(block.samples.max())
        self._count_same(low, high, length)
        fade = min(1.0, length / self._clipping_over)
        touches = high >= FULL_SCALE or low <= -FULL_SCALE
        self._clipped += fade * (touches - self._clipped)
        if self._same >= (self._silent_after if self._heard else self._never_heard_after):
            return "constant"
        return "clipped" if self._clipped > CLIPPED_SHARE else "sound"

    def _count_same(self, low: int, high: int, length: int) -> None:
        if low != high:
            self._value, self._same, self._heard = None, 0, True
        elif low == self._value:
            self._same += length
        else:
            self._value, self._same = low, length
