"""Stand-ins for what is foreign, slow or outside: scripted sources, detectors, models, sinks, clocks.

They fill the Protocols of `detector.interfaces` and can be used wherever the real ones can.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import SinkError
from detector.interfaces import Message
from detector.records import Block, Label, ModelSpec, Scores, Window

LONG = 30.0
"""Seconds after which a test that waits for another thread has failed."""


def make_label(name: str, *ancestors: Label, background: bool = False, model: str = "fake") -> Label:
    """A label whose class_id is `/` and its name; give its parents, theirs follow."""
    above = frozenset().union(*(parent.ancestors | {parent.class_id} for parent in ancestors))
    return Label(name=name, class_id=f"/{name}", model=model, ancestors=above, background=background)


def make_spec(
    *labels: Label | str,
    sample_rate: int = 16000,
    window: int = 15600,
    threshold_on: float = 0.5,
    thresholds: Mapping[str, float] | None = None,
) -> ModelSpec:
    """A model of these labels; a text is a label with nothing above it."""
    return ModelSpec(
        name="fake",
        labels=tuple(make_label(label) if isinstance(label, str) else label for label in labels),
        sample_rate=sample_rate,
        window=window,
        threshold_on=threshold_on,
        thresholds=thresholds or {},
    )


def cut(samples: NDArray[np.int16], length: int, *, start: int = 0) -> list[Block]:
    """Consecutive blocks of `length` samples, the last one of what is left."""
    return [Block(start + i, samples[i : i + length]) for i in range(0, len(samples), length)]


class FakeClassifier:
    """Scores each window with a function of it, and keeps the windows it was given."""

    def __init__(self, spec: ModelSpec, score: Callable[[Window], Sequence[float]]) -> None:
        self.spec = spec
        self.windows: list[Window] = []
        self.closed = False
        self._score = score

    @classmethod
    def scripted(cls, spec: ModelSpec, scores: Mapping[int, Sequence[float]]) -> FakeClassifier:
        """Scores by the window's last sample, `span.stop`; 0 for every label where the script is silent."""
        return cls(spec, lambda window: scores.get(window.span.stop, [0.0] * len(spec.labels)))

    def scores(self, window: Window) -> Scores:
        assert len(window.samples) == window.span.length == self.spec.window
        self.windows.append(window)
        return Scores(window.span, np.array(self._score(window), dtype=np.float32))

    def close(self) -> None:
        self.closed = True

    @property
    def stops(self) -> list[int]:
        """Where the windows ended."""
        return [window.span.stop for window in self.windows]


class FakeVad:
    """Active in frames that begin at these samples, or in all; counts its resets."""

    def __init__(self, active: Collection[int] | None = None) -> None:
        self.active = active
        self.resets = 0

    def is_active(self, frame: Block) -> bool:
        return self.active is None or frame.start in self.active

    def reset(self) -> None:
        self.resets += 1


class FakeSource:
    """Plays a script: blocks are yielded, exceptions raised, anything else is called between blocks.

    Opened again after an exception it goes on behind it.
    """

    def __init__(
        self, script: Iterable[Block | Exception | Callable[[], object]], *, live: bool = False
    ) -> None:
        self.name = "fake"
        self.live = live
        self.immediate = False
        self.closed_by: list[str] = []
        self.delivered = 0
        self._script = iter(script)

    def blocks(self) -> Iterator[Block]:
        for item in self._script:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, Block):
                self.delivered += 1
                yield item
            else:
                item()

    def close(self) -> None:
        self.closed_by.append(threading.current_thread().name)


class MemorySink:
    """Keeps what it is given; `open_error` is raised when it is opened."""

    def __init__(self, name: str = "memory", *, open_error: SinkError | None = None) -> None:
        self.name = name
        self.messages: list[Message] = []
        self.calls: list[str] = []
        self.reopened = threading.Event()
        self._open_error = open_error

    def open(self) -> None:
        self.calls.append("open")
        if self._open_error is not None:
            raise self._open_error

    def takes(self, message: Message) -> bool:
        return True

    def write(self, message: Message) -> None:
        self.messages.append(message)

    def reopen(self) -> None:
        self.calls.append("reopen")
        self.reopened.set()

    def close(self) -> None:
        self.calls.append("close")

    def told(self, *names: str) -> list[object]:
        """One field of every message, or a tuple of several; None where a message has no such field."""
        rows = [tuple(field_of(message, name) for name in names) for message in self.messages]
        return [row[0] for row in rows] if len(names) == 1 else list(rows)


def field_of(message: Message, name: str) -> object:
    """The number of a message, its kind, or a field of its body; None where it has no such field."""
    return message.seq if name == "seq" else getattr(message.body, name, None)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something that other threads do is so; fails after LONG seconds."""
    pause, end = threading.Event(), time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it never happened"
        pause.wait(0.001)


class HandClock:
    """Shows the time it was set to [UTC seconds]."""

    def __init__(self, now: float = 1_785_593_001.5) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
