"""What is wrong with settings: values out of their range, and values that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from detector.config.constraints import leaves, wrong_value
from detector.config.named_source import NAME
from detector.config.notify_settings import notify_faults
from detector.config.settings import EventSettings, Settings
from detector.config.sink_settings import SinkSettings
from detector.config.wording import show
from detector.config.yamltext import Fault, join
from detector.files.home import names_no_home

_PATHS = ("source.input", "history.path", "clips.folder")


def check(settings: Settings) -> list[Fault]:
    """Find every fault, by key; without lines, which `Loaded` knows."""
    found = [Fault(None, key, message) for key, message in _values(settings)]
    found += [Fault(None, f"events.{key}", message) for key, message in _events(settings.events)]
    clips = settings.clips
    if clips.preroll_seconds + clips.postroll_seconds >= clips.max_seconds:
        rolls = f"{clips.preroll_seconds} and {clips.postroll_seconds}"
        message = f"expected more than pre-roll and post-roll together, got {clips.max_seconds} for {rolls}"
        found.append(Fault(None, "clips.max_seconds", message))
    found += [Fault(None, key, message) for key, message in _sources(settings)]
    if settings.sinks is not None and not settings.sinks:
        found.append(Fault(None, "sinks", "expected at least one sink: leave it out for the defaults"))
    found += [Fault(None, f"sinks{key}", message) for key, message in _sinks(settings.sinks or ())]
    found += [Fault(None, f"web.{key}", message) for key, message in settings.web.faults()]
    notify = notify_faults(settings.notify, tuple(settings.sources))
    return found + [Fault(None, f"notify.{key}", message) for key, message in notify]


def _values(settings: Settings) -> Iterator[tuple[str, str]]:
    """Single values: their ranges and choices; a text that is given is never empty, but for a sink's keys."""
    for key, hint, value in leaves(settings):
        if value is None:
            continue
        if message := wrong_value(hint, value):
            yield key, message
        elif isinstance(value, str) and not value.strip() and not key.startswith("sinks["):
            yield key, "expected text, got nothing: write it, or delete the key"
        elif key in _PATHS and isinstance(value, str) and (message := names_no_home(value)):
            yield key, message


def _sources(settings: Settings) -> Iterator[tuple[str, str]]:
    """Names, keys of each source by itself, and what only one of them can have."""
    sources, events = settings.sources, settings.events
    if sources and (settings.source.device is not None or settings.source.input is not None):
        yield "sources", "`source` names a source too: move it into `sources`, or delete one of them"
    owners: dict[str, str] = {}
    for name, source in sources.items():
        key = join("sources", name)
        if not NAME.fullmatch(name):
            letters = "1 to 64 letters (A-Z, a-z), digits, _ and -"
            yield key, f"expected a name of {letters}, since topics and files get it too"
        if fault := source.fault():
            yield join(key, fault[0]), fault[1]
        if exclusive := source.exclusive:
            owner = owners.setdefault(exclusive.casefold(), name)
            if owner != name:
                yield key, f"{exclusive} is the source {owner} already: delete one of them"
        on = events.threshold_on if source.threshold_on is None else source.threshold_on
        off = events.threshold_off if source.threshold_off is None else source.threshold_off
        if (source.threshold_on, source.threshold_off) != (None, None) and (message := _thresholds(on, off)):
            yield join(key, "threshold_on" if source.threshold_off is None else "threshold_off"), message


def _sinks(sinks: tuple[SinkSettings, ...]) -> Iterator[tuple[str, str]]:
    for i, sink in enumerate(sinks):
        if sink in sinks[:i]:
            yield f"[{i}].target", f"the same sink as sinks[{sinks.index(sink)}]: delete one"
        elif fault := sink.path_fault() or sink.fault():
            yield f"[{i}].{fault[0]}", fault[1]


def _events(events: EventSettings) -> Iterator[tuple[str, str]]:
    if fault := _thresholds(events.threshold_on, events.threshold_off):
        yield "threshold_off", fault
    for name, label in events.labels.items():
        on, off = label.threshold_on, label.threshold_off
        if on is None and off is None:
            continue
        fault = _thresholds(
            events.threshold_on if on is None else on, events.threshold_off if off is None else off
        )
        if fault:
            yield f"labels.{name}.{'threshold_on' if off is None else 'threshold_off'}", fault
    for name, members in events.groups.items():
        if not members:
            yield (
                f"groups.{name}",
                "expected a list of labels, got an empty one: add one, or delete the group",
            )
    for label_name in sorted(set(events.include) & set(events.exclude)):
        yield "exclude", f"{show(label_name)} is in `include` too: delete one"


def _thresholds(on: float | None, off: float | None) -> str:
    """What is wrong with a pair of thresholds; nothing where one is None, since the model decides it."""
    if on is None or off is None or off < on:
        return ""
    return f"expected threshold_off below threshold_on, got off {off} and on {on}: lower off, or delete it"
