"""The `pattern` of an event on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from detector.records import Pattern


@dataclass(frozen=True, slots=True)
class PatternBody:
    """The rhythm by which an alarm is known, how many cycles of it were heard, and its beeps' frequency."""

    name: str
    cycles: int
    hertz: float | None

    @staticmethod
    def of(pattern: Pattern | None) -> PatternBody | None:
        """Describe a pattern, its frequency in whole Hz."""
        return None if pattern is None else PatternBody(pattern.name, pattern.cycles, round(pattern.hertz, 0))
