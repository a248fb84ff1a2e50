"""The settings of notifications: where notices go, and which events are worth one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from detector.config.constraints import Limit
from detector.config.hours import parse_hours
from detector.config.wording import did_you_mean, show
from detector.files.home import expand_home

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)")
"""A field name is a token, RFC 9110 section 5.6.2; values are kept to ASCII."""
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")
_OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection")
_HOME_NAMES = (".local", ".lan", ".home", ".internal", ".home.arpa")
"""How names end that exist in a home or a company alone."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A web address that notices are posted to."""

    name: str
    """What rules call it."""
    url: str | None = None
    """http:// or https://; needed unless `url_file` is given."""
    url_file: str | None = None
    """A file with the address, where that is a secret; not readable by others."""
    format: Literal["json", "text"] = "json"
    """The body: the event as a JSON object, or one line for people."""
    headers: tuple[str, ...] = ()
    """`Name: value`, sent with each notice."""
    headers_file: str | None = None
    """A file with such lines, for those that are secret; not readable by others."""
    secret_file: str | None = None
    """A file with the secret that signs the body; not readable by others."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        _expand(self, "url_file", "headers_file", "secret_file")


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """A program that is started with each notice."""

    name: str
    argv: tuple[str, ...] = ()
    """The program by its absolute path, and its arguments; no shell reads them."""


@dataclass(frozen=True, slots=True)
class AppriseSettings:
    """Services that the program `apprise` knows, by the addresses in a file of its own format."""

    name: str
    config_file: str | None = None
    """Its file of addresses; not readable by others, since addresses hold passwords."""
    program: str | None = None
    """The program by its absolute path; None is the one beside this Python, or on the PATH."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        _expand(self, "config_file", "program")


TargetSettings: TypeAlias = WebhookSettings | CommandSettings | AppriseSettings


@dataclass(frozen=True, slots=True)
class NotifyRuleSettings:
    """Which events make a notice, and who gets it."""

    name: str
    to: tuple[str, ...] = ()
    """Names of targets; empty is all of them."""
    labels: tuple[str, ...] = ()
    """Labels or groups; empty is every label."""
    exclude: tuple[str, ...] = ()
    """Labels or groups that make no notice all the same."""
    min_score: Annotated[float, Limit(0, 1)] = 0.0
    """Least highest score so far of an event."""
    hours: str | None = None
    """HH:MM-HH:MM in local time; None is always."""
    source: str | None = None
    """Name of a source; None is any."""
    cooldown_seconds: Annotated[float, Limit(0, 86400, "s")] = 60.0
    """After a notice, no other one of this rule about the same label for this long."""
    first_of_day: bool = False
    """Only the first event of each label since midnight."""
    urgent: bool = False
    """Also in quiet hours, and with a limit of its own."""
    enabled: bool = True
    """False: it makes no notice."""


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Notifications; without rules and `health` there are none."""

    webhooks: tuple[WebhookSettings, ...] = ()
    """Web addresses."""
    commands: tuple[CommandSettings, ...] = ()
    """Programs."""
    apprise: tuple[AppriseSettings, ...] = ()
    """Services of apprise."""
    rules: tuple[NotifyRuleSettings, ...] = ()
    """Each by itself: an event that two of them want makes two notices."""
    health: tuple[str, ...] = ()
    """Targets that are told of a lost microphone or stream, and of what cannot be written."""
    quiet_hours: str | None = None
    """HH:MM-HH:MM in local time: only urgent rules make notices then; the others are summed up after it."""
    burst: Annotated[int, Limit(1, 1000)] = 10
    """Notices that may go out at once."""
    per_minute: Annotated[float, Limit(0.01, 60)] = 1.0
    """How many more may go out in each minute after that."""
    digest_seconds: Annotated[float, Limit(10, 86400, "s")] = 600.0
    """Repetitions of a sound that made no notice of their own are summed up after this."""

    @property
    def target_names(self) -> tuple[str, ...]:
        """The names of all targets, in order."""
        sections: tuple[tuple[TargetSettings, ...], ...] = (self.webhooks, self.commands, self.apprise)
        return tuple(target.name for section in sections for target in section)

    @property
    def is_used(self) -> bool:
        """Whether anything can make a notice."""
        return bool(self.rules or self.health)


def notify_faults(settings: NotifySettings, sources: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Each key below `notify` whose value cannot be, and what is wrong with it; no file is read.

    `sources` are the names of the sources, where the settings name some.
    """
    yield from _doubles(settings)
    for i, webhook in enumerate(settings.webhooks):
        yield from ((f"webhooks[{i}].{key}", message) for key, message in _webhook(webhook))
    for i, command in enumerate(settings.commands):
        if not command.argv:
            yield f"commands[{i}].argv", "expected a program and its arguments, got nothing"
        elif not Path(command.argv[0]).is_absolute():
            yield (
                f"commands[{i}].argv",
                f"expected the absolute path of a program first, got {show(command.argv[0])}",
            )
        elif any("\0" in part for part in command.argv):
            yield f"commands[{i}].argv", "expected text without zero bytes"
    for i, apprise in enumerate(settings.apprise):
        if apprise.config_file is None:
            yield f"apprise[{i}].config_file", "expected the file with apprise's addresses, got nothing"
        if apprise.program is not None and not Path(apprise.program).is_absolute():
            yield f"apprise[{i}].program", f"expected an absolute path, got {show(apprise.program)}"
    known = settings.target_names
    if settings.is_used and not known:
        yield (
            "rules" if settings.rules else "health",
            "there is no target: add one to notify.webhooks, notify.commands or notify.apprise",
        )
    for i, rule in enumerate(settings.rules):
        yield from _unknown_targets(f"rules[{i}].to", rule.to, known)
        if rule.hours is not None and isinstance(message := parse_hours(rule.hours), str):
            yield f"rules[{i}].hours", f"{message}, got {show(rule.hours)}"
        if sources and rule.source is not None and rule.source not in sources:
            yield f"rules[{i}].source", _not_called("source", rule.source, sources)
    yield from _unknown_targets("health", settings.health, known)
    if settings.quiet_hours is not None and isinstance(message := parse_hours(settings.quiet_hours), str):
        yield "quiet_hours", f"{message}, got {show(settings.quiet_hours)}"


def url_fault(url: str) -> str:
    """What is wrong with the address of a webhook; empty where nothing is. It may be secret: not quoted."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "expected an address without spaces and other than ASCII letters"
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # as the resolver will: no part empty or too long
    except ValueError:
        return "expected http://HOST or https://HOST with a name or address and a port of 1..65535"
    if parts.scheme not in ("http", "https"):
        return "expected an address that begins with http:// or https://"
    if not parts.hostname or port == 0:
        return "expected http://HOST or https://HOST, got no host"
    if parts.username is not None or parts.password is not None:
        return "expected no user and password in it: put `Authorization: Basic ...` into headers_file"
    return ""


def crosses_unencrypted(url: str) -> bool:
    """Whether everybody on the way could read what is posted: http:// to a host that is not in a home."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or ("." not in host.strip(".") and ":" not in host):
        return False
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_private
    except ValueError:
        return not host.endswith(_HOME_NAMES)


def header_of(line: str) -> tuple[str, str] | str:
    """Read `Name: value`; what is wrong with it is returned as text, without the value."""
    found = _HEADER.fullmatch(line.strip())
    if found is None:
        return "expected `Name: value` in ASCII"
    if found[1].casefold() in _OWN_HEADERS:
        return f"{found[1]} is set by the program: delete it"
    return found[1], found[2].strip()


def _webhook(webhook: WebhookSettings) -> Iterator[tuple[str, str]]:
    if (webhook.url is None) == (webhook.url_file is None):
        yield "url", "expected either url or url_file"
    elif webhook.url is not None and (message := url_fault(webhook.url)):
        yield "url", message
    for i, line in enumerate(webhook.headers):
        header = header_of(line)
        if isinstance(header, str):
            yield f"headers[{i}]", header
        elif header[0].casefold() in _SECRET_HEADERS:
            yield (
                f"headers[{i}]",
                f"{header[0]} holds a secret: put it into a file and name that in headers_file",
            )


def _doubles(settings: NotifySettings) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for section in ("webhooks", "commands", "apprise"):
        for i, target in enumerate(getattr(settings, section)):
            if target.name in seen:
                yield (
                    f"{section}[{i}].name",
                    f"another target is called {show(target.name)}: choose another name",
                )
            seen.add(target.name)
    rules: set[str] = set()
    for i, rule in enumerate(settings.rules):
        if rule.name in rules:
            yield f"rules[{i}].name", f"another rule is called {show(rule.name)}: choose another name"
        rules.add(rule.name)


def _unknown_targets(key: str, names: tuple[str, ...], known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for i, name in enumerate(names):
        if name not in known:
            yield f"{key}[{i}]", _not_called("target", name, known)


def _not_called(what: str, name: str, known: Sequence[str]) -> str:
    hint = did_you_mean(name, known)
    return f"no {what} is called {show(name)}{hint and '; ' + hint}"


def _expand(settings: object, *keys: str) -> None:
    for key in keys:
        value = getattr(settings, key)
        if value is not None:
            object.__setattr__(settings, key, expand_home(value))
