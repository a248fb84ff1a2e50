"""What a target is told: one sound, a digest of several, or how the program is; as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from detector.interfaces import Message
from detector.wire.message import EventBody

NoticeKind = Literal["event", "digest", "health", "test"]

MOST_LABELS = 10
"""Labels that the text of a digest names; its JSON has all."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell, to each of `to`."""

    kind: NoticeKind
    rule: str
    """The rule that made it; `health` for those without one."""
    to: tuple[str, ...]
    """Names of targets."""
    key: str
    """The same for every attempt to deliver it, and for no other notice."""
    title: str
    """A few words for people."""
    text: str
    """One line for people."""
    line: bytes
    """JSON, UTF-8, ending in a newline: an event's is that of the event socket."""
    more: int = 0
    """How many other events of the rule made no notice of their own since its last one."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """For commands: facts of the event by name, without a prefix."""


def event_notice(message: Message, event: EventBody, rule: str, to: tuple[str, ...], more: int) -> Notice:
    """Tell of one sound, and that there were `more`."""
    score = "" if event.top_score is None else f" ({event.top_score:.2f})"
    when = "" if event.start_time is None else f" at {local_time(event.start_time)}"
    also = f" (and {more} more)" if more else ""
    return Notice(
        kind="event",
        rule=rule,
        to=to,
        key=f"{event.id}/{rule}",
        title=event.label,
        text=one_line(f"{event.label}{score}{when}, {event.source}{also}"),
        line=message.line,
        more=more,
        variables=event_variables(event),
    )


def event_variables(event: EventBody) -> dict[str, str]:
    """The facts of an event that a command gets as variables of its environment; unknown ones are empty."""
    return {
        "EVENT_ID": event.id,
        "EVENT_TYPE": event.kind,
        "EVENT_CLASS": event.label,
        "EVENT_SCORE": "" if event.top_score is None else f"{event.top_score:g}",
        "EVENT_START": event.start_time or "",
        "EVENT_END": event.end_time or "",
        "EVENT_SOURCE": event.source,
    }


def digest_notice(
    counts: Mapping[str, int], since: datetime, until: datetime, rule: str, to: tuple[str, ...], key: str
) -> Notice:
    """Sum up events that made no notice of their own: how many of each label, the most frequent first."""
    total = sum(counts.values())
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    named = [f"{label} {count}" for label, count in list(ordered.items())[:MOST_LABELS]]
    others = len(ordered) - len(named)
    listed = ", ".join(named) + (f" and {others} other labels" if others else "")
    title = f"and {total} more"
    text = one_line(f"{rule}: {title} since {since:%H:%M}: {listed}")
    body = {
        "type": "digest",
        "rule": rule,
        "count": total,
        "labels": ordered,
        "since": since.isoformat(timespec="seconds"),
        "until": until.isoformat(timespec="seconds"),
        "text": text,
    }
    return Notice("digest", rule, to, key, title, text, json_line(body), total)


def health_notice(
    problem: str,
    *,
    is_over: bool,
    title: str,
    text: str,
    to: tuple[str, ...],
    key: str,
    now: datetime,
    more: int,
) -> Notice:
    """Tell of a problem of the program itself, or of its end."""
    also = f" (and {more} more)" if more else ""
    text = one_line((f"{title}: {text}" if text else title) + also)
    body = {
        "type": "health",
        "problem": problem,
        "over": is_over,
        "time": now.isoformat(timespec="seconds"),
        "text": text,
    }
    return Notice("health", "health", to, key, title, text, json_line(body), more)


def trial_notice(to: tuple[str, ...], key: str, now: datetime) -> Notice:
    """Say that this is only a test."""
    text = f"This is a test of sound-detector, sent at {now:%H:%M:%S}."
    body = {"type": "test", "time": now.isoformat(timespec="seconds"), "text": text}
    variables = {"EVENT_TYPE": "test", "EVENT_CLASS": "test"}
    return Notice("test", "test", to, key, "sound-detector: test", text, json_line(body), variables=variables)


def local_time(utc: str) -> str:
    """The time of day of RFC 3339 text in this machine's zone; the text itself where it is none."""
    try:
        return f"{datetime.fromisoformat(utc).astimezone():%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return utc


def one_line(text: str) -> str:
    """Text without line breaks and control codes."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def json_line(body: Mapping[str, object]) -> bytes:
    """A JSON object as one line of UTF-8."""
    return (json.dumps(body, ensure_ascii=False) + "\n").encode("utf-8", "replace")
