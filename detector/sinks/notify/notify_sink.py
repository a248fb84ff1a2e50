"""The sink of notifications: events and changes of state in, notices to the threads of the targets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from detector.config.hours import Hours, parse_hours
from detector.config.notify_settings import NotifyRuleSettings, NotifySettings
from detector.errors import AccessError
from detector.events.groups import WantedNames
from detector.interfaces import Message, Sink
from detector.sinks.context import NotifyReport, SinkContext
from detector.sinks.notify.command_target import CommandTarget
from detector.sinks.notify.engine import Limits, NotifyEngine, Now, Rule
from detector.sinks.notify.health_watch import HealthChange, HealthWatch
from detector.sinks.notify.notices import Notice
from detector.sinks.notify.target import Target
from detector.sinks.notify.target_thread import TargetThread
from detector.wire.message import EventBody, StatusBody
from detector.wire.source_table import some_names

log = logging.getLogger(__name__)

REFRESH_SECONDS = 5.0
"""How late a digest or a word about the program's health may be."""
LOOK_SECONDS = 1.0
"""How often it is looked whether one is due, where events come faster."""
LEAVING_SECONDS = 1.5
"""How long the targets may take for what they have to deliver when the program ends."""

OVERLOAD_OVER_SECONDS = 60.0
"""Overloads less than this apart are one: on a machine that is nearly fast enough they come and go."""

PROBLEMS_OF_SOURCES = {
    "device_lost": "Source lost",
    "waiting": "Source missing",
    "silent": "Source silent",
    "hung": "Source hangs",
    "stopped": "Source ended",
}
"""States of a source that are told, and what they are called; `listening` ends them."""


def make_notify_sink(settings: NotifySettings, context: SinkContext) -> Sink:
    """Build the sink, not opened; `status` and the metrics find it through the context."""
    sink = NotifySink(
        make_engine(settings, series=f"{time.time_ns():x}"),
        [TargetThread(target) for target in make_targets(settings)],
        unhealthy=lambda: unhealthy(context.report().values),
        watches_health=bool(settings.health),
        on_closed=lambda: context.notifiers.remove(sink.report) if sink.report in context.notifiers else None,
    )
    context.notifiers[:] = [sink.report]
    return sink


def make_targets(settings: NotifySettings) -> list[Target]:
    """Build all targets, not opened; what a kind of target needs is loaded only for one of its kind."""
    targets: list[Target] = []
    if settings.webhooks:
        from detector.sinks.notify.webhook import WebhookTarget

        targets += [WebhookTarget(each) for each in settings.webhooks]
    targets += [CommandTarget(each) for each in settings.commands]
    if settings.apprise:
        from detector.sinks.notify.apprise_target import AppriseTarget

        targets += [AppriseTarget(each) for each in settings.apprise]
    return targets


def make_engine(settings: NotifySettings, *, series: str) -> NotifyEngine:
    """Build the rules, their limits among them; `series` as in NotifyEngine."""
    limits = Limits(
        burst=settings.burst,
        per_minute=settings.per_minute,
        digest_seconds=settings.digest_seconds,
        quiet=_hours(settings.quiet_hours),
    )
    rules = [_rule(rule, settings.target_names) for rule in settings.rules if rule.enabled]
    return NotifyEngine(rules, limits, series=series, health_to=settings.health)


def unhealthy(report: Mapping[str, object]) -> dict[tuple[str, str], tuple[str, str]]:
    """What does not work by a report of `status`: (problem, about) -> (title, text)."""
    found = {}
    if report.get("overloaded") is True:
        found["overload", "this machine"] = ("Machine too slow", _overload_text(report))
    if report.get("history_working") is False:
        text = "events are sent, but not kept: is the disk full?"
        found["history", "history"] = ("History cannot be written", text)
    if report.get("clips_working") is False:
        found["clips", "clips"] = ("Clips cannot be written", "is the disk full?")
    sinks = report.get("sinks")
    for sink in sinks if isinstance(sinks, list) else []:
        if sink.get("working") is False:
            name = str(sink.get("name"))
            why = "is the disk full?" if name.startswith("log:") else "the daemon's log says why"
            found["sink", name] = ("An output does not work", f"{name}: {why}")
    return found


class NotifySink:
    """Asks the rules about each event, and hands their notices to the threads of the targets."""

    name = "notify"

    def __init__(
        self,
        engine: NotifyEngine,
        targets: Sequence[TargetThread],
        *,
        unhealthy: Callable[[], Mapping[tuple[str, str], tuple[str, str]]] = dict,
        watches_health: bool = False,
        on_closed: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        local: Callable[[], datetime] = datetime.now,
    ) -> None:
        """`unhealthy` tells what does not work now; it is asked where `watches_health` says so.

        `on_closed` is called when the sink has been closed.
        """
        self._engine = engine
        self._targets = targets
        self._unhealthy = unhealthy
        self._watches_health = watches_health
        self._on_closed = on_closed
        self._watch = HealthWatch()
        self._seen: dict[tuple[str, str], float] = {}  # problem and what has it -> when it was seen last
        self._monotonic = monotonic
        self._local = local
        self._looked = monotonic()

    @property
    def refresh_seconds(self) -> float | None:
        """How long it may go without a look at the time."""
        return REFRESH_SECONDS if self._watches_health or self._engine.holds else None

    def open(self) -> None:
        """Read the targets' secrets and start their threads; raises AccessError."""
        for target in self._targets:
            target.reopen()
        for target in self._targets:
            target.start()

    def takes(self, message: Message) -> bool:
        """Events, and changes of state where somebody is told of them."""
        return isinstance(message.body, EventBody) or (
            self._watches_health and isinstance(message.body, StatusBody)
        )

    def write(self, message: Message) -> None:
        """Ask the rules; what they tell is queued for the targets, and nobody waits for those."""
        now, body = self._now(), message.body
        if isinstance(body, EventBody):
            self._send(self._engine.event(message, body, now))
        elif isinstance(body, StatusBody):
            self._note_state(body, now)
        self._look(now)

    def refresh(self) -> None:
        """Send the digests that are due, and look at the program's health."""
        self._look(self._now())

    def reopen(self) -> None:
        """Read the targets' secrets anew; where that fails, the old ones stay."""
        for target in self._targets:
            try:
                target.reopen()
            except AccessError as error:
                log.error("notify.secrets_refused target=%s the old ones stay: %s", target.name, error)

    def close(self) -> None:
        """End the targets' threads; what could not be told is counted and logged."""
        self._engine.close()
        for counts in self._engine.counts:
            if counts.dropped:
                log.warning("notify.unsaid rule=%s count=%d", counts.rule, counts.dropped)
        for target in self._targets:
            target.finish()
        end = self._monotonic() + LEAVING_SECONDS
        for target in self._targets:
            target.join(max(0.0, end - self._monotonic()))
        self._on_closed()

    def report(self) -> NotifyReport:
        """What became of events and notices so far, for `status` and the metrics; from any thread."""
        return NotifyReport(
            rules=tuple(asdict(counts) for counts in self._engine.counts),
            targets=tuple(asdict(target.counts()) for target in self._targets),
        )

    def _note_state(self, body: StatusBody, now: Now) -> None:
        about = ("source", body.source)
        if body.state == "stopped" and not body.detail:
            return  # the program ends
        if body.state in PROBLEMS_OF_SOURCES:
            self._watch.bad(*about, PROBLEMS_OF_SOURCES[body.state], _about(body), now.seconds)
            if body.state == "hung":  # the program ends now
                self._tell(self._watch.due(now.seconds, grace=0.0), now)
        elif body.state in ("listening", "clipping"):
            self._tell(self._watch.good(*about, "Source is back"), now)

    def _look(self, now: Now) -> None:
        if now.seconds - self._looked < LOOK_SECONDS:
            return
        self._looked = now.seconds
        self._send(self._engine.due(now))
        if not self._watches_health:
            return
        found = self._unhealthy()
        for (problem, about), (title, text) in found.items():
            self._watch.bad(problem, about, title, text, now.seconds)
            self._seen[problem, about] = now.seconds
        for problem, about in self._seen.keys() - found.keys():
            is_overload = problem == "overload"
            if not is_overload or now.seconds - self._seen[problem, about] >= OVERLOAD_OVER_SECONDS:
                del self._seen[problem, about]
                end = "Keeps up again" if is_overload else "Works again"
                self._tell(self._watch.good(problem, about, end), now)
        self._tell(self._watch.due(now.seconds), now)

    def _tell(self, changes: Sequence[HealthChange], now: Now) -> None:
        for change in changes:
            self._send(self._engine.health(change, now))

    def _send(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            for target in self._targets:
                if target.name in notice.to:
                    target.put(notice)

    def _now(self) -> Now:
        return Now(self._monotonic(), self._local())


def _overload_text(report: Mapping[str, object]) -> str:
    sources = report.get("sources")
    rows = sources if isinstance(sources, list) else []
    names = [str(row.get("name")) for row in rows if row.get("overloaded") is True]
    where = f" in {some_names(names)}" if names else ""
    return f"windows are left out{where}; {report.get('overload_advice', 'fewer sources would help')}"


def _about(body: StatusBody) -> str:
    return f"{body.source}: {body.detail}" if body.detail else body.source


def _rule(settings: NotifyRuleSettings, targets: tuple[str, ...]) -> Rule:
    return Rule(
        name=settings.name,
        to=settings.to or targets,
        wanted=WantedNames.of(settings.labels),
        unwanted=WantedNames.of(settings.exclude),
        min_score=settings.min_score,
        hours=_hours(settings.hours),
        source=settings.source,
        cooldown_seconds=settings.cooldown_seconds,
        first_of_day=settings.first_of_day,
        urgent=settings.urgent,
    )


def _hours(text: str | None) -> Hours | None:
    hours = None if text is None else parse_hours(text)
    return hours if isinstance(hours, Hours) else None
