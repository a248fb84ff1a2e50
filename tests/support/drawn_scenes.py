"""A 10 Hz "recording" and its scores, written as strings: one character is one sample, one frame, one hop.

`level`: `_` quiet (-60 dBFS), `=` hardly more (-57), `+` louder (-40), `#` loud (-20), `0` digital silence,
`x` missing (a gap).
Each label: the score of the window that ends with this sample: `A` 0.9 (sure), `B` 0.7, `a` 0.3 (between
threshold_off 0.25 and threshold_on 0.5), `.` 0, a space: no window here, the gate is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detector.events.boundaries import LevelHistory
from detector.events.labels import LabelMap
from detector.events.presets import Preset
from detector.events.rules import LabelRule, make_rules
from detector.events.tracker import EventTracker
from detector.records import Event, Label, Scores, Span
from tests.support.fakes import make_label

RATE = 10
"""Samples in a second."""
WINDOW = 10
LEVELS = {"_": -60.0, "=": -57.0, "+": -40.0, "#": -20.0, "0": -120.0}
SCORES = {"A": 0.9, "B": 0.7, "a": 0.3, ".": 0.0}

ANIMAL = make_label("Animal")
DOG = make_label("Dog", ANIMAL)
BARK = make_label("Bark", DOG)
GROWL = make_label("Growl", DOG)
CAT = make_label("Cat", ANIMAL)
SIREN = make_label("Siren")
TREE = (ANIMAL, DOG, BARK, GROWL, CAT, SIREN)


class Scene:
    """What was told of a recording."""

    def __init__(
        self, events: Sequence[Event], samples: int, tracker: EventTracker, settled: Sequence[int]
    ) -> None:
        self.events = list(events)
        self.settled = "".join("|" if at in settled else " " for at in range(samples)).rstrip()
        """`|` under the windows after which the next one may wait."""
        self.samples = samples
        self.tracker = tracker

    def told(self, label: str) -> str:
        """`s`tart, `u`pdate, `e`nd under the sample that decided it; an end with the stream is after it."""
        line = [" "] * (self.samples + 1)
        for event in self._of(label):
            at_end = event is self.events[-1] and event.decided == self.samples and event.phase == "end"
            line[event.decided - (0 if at_end else 1)] = event.phase[0]
        return "".join(line).rstrip()

    def marks(self, label: str) -> str:
        """`^` under the samples from onset to offset of each ended event."""
        line = [" "] * self.samples
        for event in self._of(label):
            if event.phase == "end":
                assert event.offset is not None
                line[event.onset : event.offset] = "^" * (event.offset - event.onset)
        return "".join(line).rstrip()

    @property
    def story(self) -> list[str]:
        """Phase and label of each event in the order of telling."""
        return [f"{event.phase} {event.label.name}" for event in self.events]

    def _of(self, label: str) -> list[Event]:
        return [event for event in self.events if event.label.name == label]


def hear(
    *,
    level: str,
    needed: int = 1,
    of: int = 1,
    rivals: bool = False,
    release: int = 5,
    update: int = 0,
    longest_hop: int | None = None,
    exclude: Sequence[str] = (),
    common: LabelRule | None = None,
    own: Mapping[str, LabelRule] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    tree: Sequence[Label] = TREE,
    window: int = WINDOW,
    **scores: str,
) -> Scene:
    """Play a recording to a tracker; a gap shorter than `release` leaves events open, as in the pipeline.

    The labels with scores are reported, or with `exclude` all others.
    """
    history = LevelHistory(sample_rate=RATE, frame_length=1, longest_window=window)
    named = [label.name for label in tree]
    members = {name for names in (groups or {}).values() for name in names}
    include = [name for name in named if name in scores and name not in members and not exclude]
    labels = LabelMap(tree, include=[*include, *(groups or {})], exclude=exclude, groups=groups)
    tracker = EventTracker(
        labels,
        make_rules(
            [0.5] * len(labels.competing),
            common=common or LabelRule(),
            own={labels.find_all("own", name)[0]: rule for name, rule in (own or {}).items()},
        ),
        history,
        preset=Preset(needed, of, 0.0, rivals),
        hop=1,
        longest_hop=longest_hop,
        release=release,
        update=update,
    )
    events: list[Event] = []
    settled: list[int] = []
    for at, sound in enumerate(level):
        if sound == "x":
            continue
        if at - history.stop > release:
            events += tracker.flush()
            history.forget()
        history.push(Span(at, at + 1), LEVELS[sound])
        values = [scores.get(name, "").ljust(len(level), ".")[at] for name in named]
        if " " not in values:
            row = np.array([SCORES[value] for value in values], dtype=np.float32)
            events += tracker.push(Scores(Span(at + 1 - window, at + 1), row))
            settled += [at] if tracker.settled else []
    events += tracker.flush()
    return Scene(events, len(level), tracker, settled)
