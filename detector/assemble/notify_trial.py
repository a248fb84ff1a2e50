"""`sound-detector notify`: which rules and targets there are, and one test notice to each target."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime

from detector.config.notify_settings import NotifyRuleSettings, NotifySettings
from detector.config.wording import did_you_mean, show
from detector.errors import AccessError, ConfigError
from detector.files.terminal import print_escaped
from detector.sinks.notify.notices import trial_notice
from detector.sinks.notify.notify_sink import make_targets
from detector.sinks.notify.retry_queue import Attempt
from detector.sinks.notify.target import Target


def list_rules(settings: NotifySettings) -> int:
    """Print the rules, and where their notices go."""
    if not settings.is_used:
        print_escaped("no notifications: docs/notifications.md shows how to set them up")
        return 0
    for rule in settings.rules:
        to = ", ".join(rule.to or settings.target_names)
        print_escaped(f"{rule.name}: {_about(rule)} -> {to}")
    if settings.health:
        print_escaped(f"health: sources, overload, history, clips, outputs -> {', '.join(settings.health)}")
    return 0


def try_targets(settings: NotifySettings, names: Collection[str] = ()) -> int:
    """Send a test notice to these targets, or to all, and print what became of each; 1 where one failed.

    Raises ConfigError where there is no such target.
    """
    known = settings.target_names
    if not known:
        raise ConfigError("no target to test: docs/notifications.md shows how to set one up", key="notify")
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ConfigError(f"--target: no target is called {show(name)}{hint and '; ' + hint}")
    now = datetime.now()
    width = max(map(len, known))
    failed = 0
    for target in make_targets(settings):
        if names and target.name not in names:
            continue
        started = time.monotonic()
        outcome = _try(target, now)
        failed += not outcome.delivered
        result = "delivered" if outcome.delivered else "FAILED"
        seconds = time.monotonic() - started
        print_escaped(f"{target.name:{width}}  {result:9}  {seconds:5.2f} s  {outcome.detail}")
    return 1 if failed else 0


def _try(target: Target, now: datetime) -> Attempt:
    notice = trial_notice((target.name,), f"test-{now:%Y%m%dT%H%M%S%f}/{target.name}", now)
    try:
        target.open()
    except AccessError as error:
        return Attempt(False, str(error))
    return target.deliver(notice, lambda: False)


def _about(rule: NotifyRuleSettings) -> str:
    parts = [", ".join(rule.labels) or "all labels"]
    if rule.exclude:
        parts.append(f"without {', '.join(rule.exclude)}")
    if rule.min_score > 0:
        parts.append(f"from {rule.min_score:g}")
    if rule.hours is not None:
        parts.append(rule.hours)
    if rule.source is not None:
        parts.append(f"source {rule.source}")
    if rule.first_of_day:
        parts.append("first of the day")
    if rule.urgent:
        parts.append("urgent")
    if not rule.enabled:
        parts.append("off")
    return "; ".join(parts)
