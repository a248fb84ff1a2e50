"""What may be wrong with a clip that somebody wants to train with, and from when on it is."""

from __future__ import annotations

from enum import Enum

FLOOR_PERCENTILE = 10
"""Of the levels of a clip and of what was before it: the room."""
LOWEST_DBFS = -96.0
"""No floor counts as quieter: digital silence would make a whisper stand out by 100 dB."""
LEAST_OVER_DB = 6.0
"""Steady noise varies by up to 3 dB above its own floor; less than this is the room itself."""
FULL_SCALE = 32767
CLIPPED_SAMPLES = 10
"""A recording at the highest possible level reaches full scale once or twice, without harm."""


class Verdict(Enum):
    """What is wrong with a clip, and what to do about it."""

    GOOD = ("good", "")
    TOO_QUIET = ("too quiet", "go nearer, or raise the microphone's level")
    CLIPPED = ("clipped", "go further away, or lower the microphone's level")
    SILENT = ("digital silence", "is the microphone muted or unplugged?")

    def __init__(self, text: str, advice: str) -> None:
        self.text = text
        self.advice = advice
