"""Sounds as they happen: which classes sound now, and what has just begun. Nothing old is shown here."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from detector.interfaces import Message
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.link import Acknowledged, Link
from detector.sinks.mqtt.payloads import as_resent, detected_payload
from detector.sinks.mqtt.retained import Retained, on_or_off
from detector.sinks.mqtt.sound_classes import ActiveSounds, SoundClasses
from detector.sinks.mqtt.topics import Topics
from detector.wire.message import event_of

log = logging.getLogger(__name__)

LIVE_SECONDS = 30.0
"""A sound that was reported longer ago is no news: an automation must not act on it."""

MOST_LIVE = 100
"""Live messages that may wait for a connection; the oldest are dropped."""


@dataclass(slots=True)
class _Live:
    """A live message on its way."""

    since: float
    payload: bytes


class LiveSounds:
    """Sets the topics of classes, and sends what begins to sound while it is news."""

    def __init__(
        self,
        topics: Topics,
        classes: SoundClasses,
        retained: Retained,
        counts: BrokerCounts,
        clock: Callable[[], float],
    ) -> None:
        """All classes are silent; `clock` [s] never goes back."""
        self._topics = topics
        self.classes = classes
        """What is shown."""
        self._retained = retained
        self._counts = counts
        self._clock = clock
        self._active = ActiveSounds()
        self._waiting: deque[_Live] = deque()
        self._sent: dict[int, _Live] = {}
        self._shown: dict[str, str] = {}
        self.silence()

    def exchange(self, classes: SoundClasses) -> None:
        """Go on with other classes; the topics of those that are gone are removed."""
        before = {one.id for one in self.classes.with_topics}
        now = {one.id for one in classes.with_topics}
        self.classes = classes
        for id in before - now:
            self._retained.remove(self._topics.sound_class(id))
        for id in now - before:
            self._set(id, id in self._active.ids)

    def silence(self) -> None:
        """Nothing sounds: before the first sound, and after the last."""
        for one in self.classes.with_topics:
            self._set(one.id, False)

    def show(self, message: Message) -> None:
        """A sound begins, goes on, or has ended; a label that is corrected is told as another beginning."""
        event = event_of(message)
        if event.vetoed is not None:
            return
        found = self.classes.of(event)
        began, ended = self._active.note(event, found)
        with_topics = {one.id for one in self.classes.with_topics}
        for id in (began | ended) & with_topics:
            self._set(id, id in began)
        if event.kind == "end":
            self._shown.pop(event.id, None)
        elif self._shown.get(event.id) != event.label:
            self._shown[event.id] = event.label
            if len(self._shown) > MOST_LIVE:
                del self._shown[next(iter(self._shown))]
            for one in found:
                payload = detected_payload(message, one)
                self._waiting.append(_Live(self._clock(), payload))
                self._retained.set(self._topics.last, payload)
        while len(self._waiting) > MOST_LIVE:
            self._waiting.popleft()
            self._counts.detected_late += 1

    def disconnected(self) -> None:
        """What was not acknowledged goes again, and says so."""
        for live in reversed(self._sent.values()):
            live.payload = as_resent(live.payload)
            self._waiting.appendleft(live)
        self._sent.clear()

    def acknowledged(self, answer: Acknowledged) -> None:
        """The broker has answered to a message, perhaps to one of these."""
        self._sent.pop(answer.number, None)

    def pump(self, link: Link, now: float) -> None:
        """Send what is news, and drop what is not."""
        late = 0
        while self._waiting:
            live = self._waiting.popleft()
            left = int(LIVE_SECONDS - (now - live.since))
            if left < 1:
                late += 1
                continue
            self._counts.published += 1
            self._sent[link.publish(self._topics.detected, live.payload, qos=1, expires=left)] = live
        if late:
            self._counts.detected_late += late
            log.warning(
                "mqtt.too_late broker=%s sounds=%d: not shown as live; they are in `events`",
                self._counts.name,
                late,
            )

    def _set(self, id: str, sounds: bool) -> None:
        self._retained.set(self._topics.sound_class(id), on_or_off(sounds))
