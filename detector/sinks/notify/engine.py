"""Which events make a notice, and when: rules, cool-downs, a limit on how many, quiet hours, digests.

Every event that a rule wants is said in a notice of its own, counted in a later one ("and 37 more"), or
counted as dropped when the program ends: for each rule `matched == sent + digested + held + dropped`. The
time is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from detector.config.hours import Hours
from detector.events.groups import WantedNames
from detector.interfaces import Message
from detector.sinks.notify.health_watch import HealthChange
from detector.sinks.notify.notices import Notice, digest_notice, event_notice, health_notice
from detector.wire.message import EventBody

MOST_OPEN = 1000
"""Events that a rule remembers to have matched, until they end."""

HEALTH_COOLDOWN_SECONDS = 60.0
"""After a notice about a problem, none of the same kind for this long."""


NO_NAMES = WantedNames()


@dataclass(frozen=True, slots=True)
class Now:
    """The moment something is decided."""

    seconds: float
    """A clock that never goes back [s]."""
    local: datetime
    """Date and time of day of this machine."""

    @property
    def minute(self) -> int:
        """Of the day, 0..1439."""
        return self.local.hour * 60 + self.local.minute


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule of the settings says, ready to compare."""

    name: str
    to: tuple[str, ...]
    """Names of targets, at least one."""
    wanted: WantedNames = NO_NAMES
    """Nothing named is every label."""
    unwanted: WantedNames = NO_NAMES
    min_score: float = 0.0
    hours: Hours | None = None
    source: str | None = None
    cooldown_seconds: float = 60.0
    first_of_day: bool = False
    urgent: bool = False

    def fits(self, event: EventBody, now: Now) -> bool:
        """Whether the rule is about such an event at such a time."""
        names, above = (event.label, event.class_id), event.ancestors
        score = event.top_score
        return (
            (not self.wanted or self.wanted.hold(names, above))
            and not self.unwanted.hold(names, above)
            and (self.min_score <= 0.0 or (score is not None and score >= self.min_score))
            and (self.hours is None or self.hours.hold(now.minute))
            and (self.source is None or self.source.casefold() == event.source.casefold())
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How many notices may go out, and when repetitions are summed up."""

    burst: int = 10
    per_minute: float = 1.0
    digest_seconds: float = 600.0
    quiet: Hours | None = None
    """When only urgent rules make notices."""


@dataclass(slots=True)
class RuleCounts:
    """What became of the events that a rule wanted."""

    rule: str
    matched: int = 0
    sent: int = 0
    """Said in a notice of their own."""
    digested: int = 0
    """Counted in a later notice."""
    held: int = 0
    """Waiting for a later notice."""
    dropped: int = 0
    """Never said, since the program ended."""


class TokenBucket:
    """At most `burst` at once, and `per_minute` more in each minute."""

    def __init__(self, burst: int, per_minute: float) -> None:
        self._most = float(burst)
        self._per_second = per_minute / 60.0
        self._tokens = float(burst)
        self._filled_at: float | None = None

    def take(self, seconds: float) -> bool:
        """Take one, where there is one."""
        if self._filled_at is not None:
            more = max(0.0, seconds - self._filled_at) * self._per_second
            self._tokens = min(self._most, self._tokens + more)
        self._filled_at = seconds
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass(slots=True)
class _Line:
    """One stream of notices: a rule's, or those about the program's health."""

    counts: RuleCounts
    to: tuple[str, ...]
    bucket: TokenBucket
    minds_quiet: bool
    cool_until: dict[str, float] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    held_since: datetime | None = None
    due: float = 0.0
    said_on: dict[str, int] = field(default_factory=dict)
    """Label -> the day (a proleptic ordinal) of its first event."""
    open: dict[str, None] = field(default_factory=dict)
    """Ids of events that matched and go on, the oldest first."""
    digests: int = 0

    def hold(self, label: str, now: Now, due: float) -> None:
        self.due = due if self.held_since is None else min(self.due, due)
        self.held_since = self.held_since or now.local
        self.held[label] = self.held.get(label, 0) + 1
        self.counts.held += 1

    def release(self) -> int:
        """What was held, which is said now."""
        more = self.counts.held
        self.counts.digested += more
        self.counts.held, self.held, self.held_since = 0, {}, None
        return more


class NotifyEngine:
    """Holds the state of all rules; not safe for several threads."""

    def __init__(
        self, rules: Sequence[Rule], limits: Limits, *, series: str, health_to: tuple[str, ...] = ()
    ) -> None:
        """`series` makes the keys of digests differ from those of other engines; `health_to` are targets."""
        self._limits = limits
        self._series = series
        self._rules = tuple(rules)
        usual, urgent, health = (TokenBucket(limits.burst, limits.per_minute) for _ in range(3))
        self._lines = [
            _Line(RuleCounts(rule.name), rule.to, urgent if rule.urgent else usual, not rule.urgent)
            for rule in rules
        ]
        self._health = _Line(RuleCounts("health"), health_to, health, minds_quiet=False)

    @property
    def counts(self) -> tuple[RuleCounts, ...]:
        """One for each rule, in order, then the program's health where anybody is told of it."""
        lines = [*self._lines, *([self._health] if self._health.to else [])]
        return tuple(line.counts for line in lines)

    @property
    def holds(self) -> bool:
        """Whether anything waits for a later notice."""
        return any(counts.held for counts in self.counts)

    def event(self, message: Message, event: EventBody, now: Now) -> list[Notice]:
        """What to tell about an event, by each rule once in the event's life."""
        notices = []
        for rule, line in zip(self._rules, self._lines, strict=True):
            if self._is_wanted(rule, line, event, now):
                line.counts.matched += 1
                if self._may_go(line, event.label, rule.cooldown_seconds, now):
                    notices.append(event_notice(message, event, rule.name, rule.to, line.release()))
            if event.kind == "end":
                line.open.pop(event.id, None)
        return notices

    def health(self, change: HealthChange, now: Now) -> list[Notice]:
        """What to tell about the program itself."""
        line = self._health
        if not line.to:
            return []
        line.counts.matched += 1
        if not self._may_go(line, change.title, HEALTH_COOLDOWN_SECONDS, now):
            return []
        more = line.release()
        return [
            health_notice(
                change.problem,
                is_over=change.is_over,
                title=change.title,
                text=change.text,
                to=line.to,
                key=f"{self._series}/health/{line.counts.sent}",
                now=now.local,
                more=more,
            )
        ]

    def due(self, now: Now) -> list[Notice]:
        """The digests whose time has come."""
        return [
            self._digest(line, now)
            for line in (*self._lines, self._health)
            if line.held
            and now.seconds >= line.due
            and not self._is_quiet(line, now)
            and line.bucket.take(now.seconds)
        ]

    def close(self) -> None:
        """Nothing more is said: what is held counts as dropped."""
        for counts in self.counts:
            counts.dropped += counts.held
            counts.held = 0

    def _is_wanted(self, rule: Rule, line: _Line, event: EventBody, now: Now) -> bool:
        if event.id in line.open or event.vetoed is not None or not rule.fits(event, now):
            return False
        line.open[event.id] = None
        if len(line.open) > MOST_OPEN:
            del line.open[next(iter(line.open))]
        if not rule.first_of_day:
            return True
        today = now.local.toordinal()
        is_first = line.said_on.get(event.label) != today
        line.said_on[event.label] = today
        return is_first

    def _may_go(self, line: _Line, label: str, cooldown: float, now: Now) -> bool:
        """Whether a notice of its own may go out now; else it is held."""
        if self._is_quiet(line, now):
            line.hold(label, now, due=now.seconds)
        elif now.seconds < line.cool_until.get(label, now.seconds):
            line.hold(label, now, due=now.seconds + self._limits.digest_seconds)
        elif not line.bucket.take(now.seconds):
            line.hold(label, now, due=now.seconds)
        else:
            line.cool_until[label] = now.seconds + cooldown
            line.counts.sent += 1
            return True
        return False

    def _is_quiet(self, line: _Line, now: Now) -> bool:
        quiet = self._limits.quiet
        return line.minds_quiet and quiet is not None and quiet.hold(now.minute)

    def _digest(self, line: _Line, now: Now) -> Notice:
        line.digests += 1
        since, counts, rule = line.held_since or now.local, dict(line.held), line.counts.rule
        line.release()
        key = f"{self._series}/{rule}/digest-{line.digests}"
        return digest_notice(counts, since, now.local, rule, line.to, key)
