"""What calibrating found, as lines of text and as comments for the written file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from detector.calibration.proposal import Change, ChangeKind, margin
from detector.calibration.room_display import clock
from detector.calibration.room_statistics import STRETCH_SECONDS, RoomStatistics
from detector.config.config_text import Key, Notes
from detector.events.naming import shown

THROUGHOUT_SHARE = 0.5
"""A label that was heard in this share of all pieces of 10 s belongs to the room."""
MOST_NAMED = 6
A_LOT = 0.2
"""An alarm raised by this much will miss quiet ones."""


@dataclass(frozen=True, slots=True)
class EventCount:
    """The events with certain settings, and how often the gate was open."""

    events: int
    open_share: float
    """Share of all windows that were classified."""


@dataclass(frozen=True, slots=True)
class HalfEstimate:
    """Events of the second half, with the settings in force and after calibrating on the first half."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known at the end."""

    statistics: RoomStatistics
    changes: Sequence[Change]
    floor: float | None
    """New gate.min_level_dbfs; None: as it was."""
    floor_was: float | None
    before: EventCount
    after: EventCount
    remaining: Sequence[str]
    """Labels of the events that would still be reported."""
    estimate: HalfEstimate | None
    shared: Collection[str] = frozenset()
    """Names that several labels have: they are shown with their model."""

    @property
    def changed(self) -> list[Change]:
        """Without labels that are left as they were."""
        return [change for change in self.changes if change.kind is not ChangeKind.LEFT]

    @property
    def is_nothing(self) -> bool:
        """Whether the settings stay as they are."""
        return not self.changed and self.floor is None


def heard_line(findings: Findings) -> str:
    """How long it listened, to how many windows, and how loud it was."""
    statistics, levels = findings.statistics, findings.statistics.levels
    return (
        f"heard: {clock(statistics.seconds)}, {statistics.votes.windows} windows; levels of 30 ms: median "
        f"{levels.percentile(50):.1f}, 99 % of them below {levels.percentile(99):.1f} dBFS"
    )


def table(findings: Findings) -> list[str]:
    """A row for each label and for the floor: threshold before, highest score, threshold now, when."""
    rows = [("label", "was", "heard up to", "now", "heard")]
    seconds = findings.statistics.seconds
    for change in findings.changes:
        if not change.occasions:
            continue
        rows.append(
            (
                shown(change.label, findings.shared),
                _number(change.was),
                f"{change.heard:.3f}",
                _now(change),
                when(change, seconds),
            )
        )
    if findings.floor is not None:
        was = "none" if findings.floor_was is None else f"{findings.floor_was:.1f}"
        room = f"{findings.statistics.levels.percentile(99):.1f}"
        rows.append(("gate.min_level_dbfs", was, room, f"{findings.floor:.1f}", "99 % of the time below"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for label, *numbers, heard in rows:
        columns = [
            label.ljust(widths[0]),
            *(text.rjust(width) for text, width in zip(numbers, widths[1:], strict=True)),
        ]
        lines.append("  ".join([*columns, heard]))
    near = [shown(change.label, findings.shared) for change in findings.changes if not change.occasions]
    if near:
        more = f" and {len(near) - MOST_NAMED} more" if len(near) > MOST_NAMED else ""
        lines.append(f"came near their thresholds and are raised too: {'; '.join(near[:MOST_NAMED])}{more}")
    return lines if len(rows) > 1 else lines[1:]


def verdict_lines(findings: Findings) -> list[str]:
    """Whether the room would have been silent, what to expect, and what to be careful about."""
    before, after = findings.before, findings.after
    lines = [
        f"before: {_count(before.events, 'event')}"
        f" ({_per_hour(before.events, findings.statistics.seconds)}), "
        f"{before.open_share:.0%} of all windows classified"
    ]
    still = "" if not after.events else f" ({', '.join(dict.fromkeys(findings.remaining))})"
    lines.append(
        f"would have stayed silent: {'no' if after.events else 'yes'}; "
        f"{_count(after.events, 'event')}{still}, {after.open_share:.0%} of all windows classified"
    )
    if findings.estimate is not None and findings.estimate.before:
        lines.append(
            f"estimate: calibrated on the first half alone, of {_count(findings.estimate.before, 'event')} "
            f"in the second half {findings.estimate.after} would remain"
        )
    return lines + warnings(findings.changes, findings.statistics.seconds, findings.shared)


def warnings(changes: Sequence[Change], seconds: float, shared: Collection[str] = frozenset()) -> list[str]:
    """One line for each alarm that was changed or left, and one for labels that sounded only once."""
    lines = []
    for change in changes:
        name, keep = shown(change.label, shared), _quoted(change.label.name)
        if change.is_alarm and change.kind is ChangeKind.LEFT:
            lines.append(
                f"WARNING: {name} was heard up to {change.heard:.2f} ({when(change, seconds)}) and is left "
                f"at {_number(change.was)}: expect false alarms, or calibrate without that sound"
            )
        elif change.is_alarm and change.kind is ChangeKind.EXCLUDED:
            lines.append(
                f"WARNING: {name} will not be reported any more, although it is the name of an alarm: "
                f"--keep {keep} leaves it as it was"
            )
        elif change.is_alarm and change.now is not None and change.now - change.was >= A_LOT:
            lines.append(
                f"WARNING: {name} now needs a score of {_number(change.now)} instead of "
                f"{_number(change.was)}: quiet or distant ones will be missed; "
                f"--keep {keep} leaves it as it was"
            )
    once = [change for change in changes if change.once and change.kind is not ChangeKind.LEFT]
    if once:
        first = once[0]
        others = f" (and {len(once) - 1} more)" if len(once) > 1 else ""
        lines.append(
            f"note: {shown(first.label, shared)} sounded once, at {clock(first.first)}{others}: if you "
            f"want events of it, delete its lines, or add --keep {_quoted(first.label.name)}"
        )
    return lines


def when(change: Change, seconds: float) -> str:
    """`throughout`, `once, at 2:13`, `5 times`, or `near` where it stayed below its threshold."""
    if not change.occasions:
        return "near its threshold"
    if change.once:
        return f"once, at {clock(change.first)}"
    if change.blocks * STRETCH_SECONDS >= THROUGHOUT_SHARE * seconds:
        return "throughout"
    if change.occasions == 1:
        return f"from {clock(change.first)} to {clock(change.last)}"
    return "twice" if change.occasions == 2 else f"{change.occasions} times"


def comments(findings: Findings, keys: dict[int, Key]) -> Notes:
    """Comments for the file, above each changed key; `keys`: a label's index -> its key."""
    seconds = findings.statistics.seconds
    notes: dict[Key, list[str]] = {}
    gone = []
    for change in findings.changed:
        reason = f"heard up to {change.heard:.3f} ({when(change, seconds)}); was {_number(change.was)}"
        if change.kind is ChangeKind.EXCLUDED:
            gone.append(f"  {shown(change.label, findings.shared)}: {reason}")
            continue
        own = " limited: an alarm" if change.kind is ChangeKind.LIMITED else ""
        notes[keys[change.label_index]] = [reason + (f";{own}" if own else "")]
    if gone:
        head = "Excluded by calibrate: sounds of the room itself reach high scores of these labels."
        notes["events", "exclude"] = [head, *gone]
    if notes:
        notes["events", "labels"] = [
            f"The highest score plus a margin of {margin(seconds):.2f} in log-odds (less where limited)."
        ]
    if findings.floor is not None:
        levels = findings.statistics.levels
        notes["gate", "min_level_dbfs"] = [
            f"The room: median {levels.percentile(50):.1f}, 99 % below {levels.percentile(99):.1f} dBFS; "
            f"with it {findings.after.open_share:.0%} of windows are classified, "
            f"not {findings.before.open_share:.0%}"
        ]
    return notes


def _now(change: Change) -> str:
    if change.kind is ChangeKind.EXCLUDED:
        return "excluded"
    return "kept" if change.now is None else _number(change.now)


def _number(score: float) -> str:
    return f"{score:g}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _per_hour(events: int, seconds: float) -> str:
    return f"{events * 3600 / seconds:.0f} per hour"


def _quoted(name: str) -> str:
    return name if name.isalnum() else f'"{name}"'
