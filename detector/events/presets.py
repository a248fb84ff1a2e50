"""Presets: how sure the tracker must be before it reports a sound, by what people want of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """How many windows must agree, and how much more they must score."""

    needed: int
    """Windows whose score of the label reaches its threshold."""
    of: int
    """Newest windows that are asked, and over which scores are averaged."""
    more_log_odds: float
    """By how much the model's thresholds are raised, or lowered; those that the user sets stay."""
    rivals: bool = False
    """Whether a rival for a sound that reaches its threshold is an event beside it, and corrects it only if
    they are relatives, such as Crying and Baby cry."""


_ALERT = Preset(needed=1, of=2, more_log_odds=0.0, rivals=True)
_HOME = Preset(needed=1, of=2, more_log_odds=0.0)
_QUIET = Preset(needed=3, of=4, more_log_odds=0.5)

PRESETS: dict[str, Preset] = {
    "alert": _ALERT,
    "home": _HOME,
    "quiet": _QUIET,
    "responsive": _ALERT,
    "balanced": _HOME,
    "sure": _QUIET,
}
"""Name -> preset; the last three are the older names of the first three."""
