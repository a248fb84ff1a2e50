"""How the program itself is, as something to tell people: a problem that lasts, and its end."""

from __future__ import annotations

from dataclasses import dataclass

GRACE_SECONDS = 10.0
"""A problem that is over sooner is not told: a sound server that restarts takes the microphone for 2 s."""


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A problem has lasted, or one that was told is over."""

    problem: str
    """`source`, `overload`, `history`, `clips` or `sink`."""
    is_over: bool
    title: str
    """A few words: `Source lost`."""
    text: str
    """A line for people, or empty."""


@dataclass(slots=True)
class _Problem:
    title: str
    text: str
    since: float
    told: bool = False
    owes_end: bool = False
    """Whether this problem, or the one that it took the place of, was told."""


class HealthWatch:
    """Remembers the problems that there are; `about` says which thing has one: a source, a sink."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, str], _Problem] = {}

    def bad(self, problem: str, about: str, title: str, text: str, seconds: float) -> None:
        """Something is wrong at this moment [s]; another title tells it again."""
        known = self._problems.get((problem, about))
        if known is not None and known.title == title:
            known.text = text
        else:
            owes_end = known is not None and known.owes_end
            self._problems[problem, about] = _Problem(title, text, seconds, owes_end=owes_end)

    def good(self, problem: str, about: str, title: str) -> list[HealthChange]:
        """Nothing is wrong any more; told only where the problem was."""
        known = self._problems.pop((problem, about), None)
        is_told = known is not None and known.owes_end
        return [HealthChange(problem, is_over=True, title=title, text=about)] if is_told else []

    def due(self, seconds: float, *, grace: float = GRACE_SECONDS) -> list[HealthChange]:
        """The problems that have lasted for `grace` and were not told yet."""
        changes = []
        for (problem, _), known in self._problems.items():
            if not known.told and seconds - known.since >= grace:
                known.told = known.owes_end = True
                changes.append(HealthChange(problem, is_over=False, title=known.title, text=known.text))
        return changes
