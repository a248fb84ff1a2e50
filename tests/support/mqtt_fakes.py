"""A broker in memory: it keeps what is published, and acknowledges when it is told to."""

from __future__ import annotations

import json
from dataclasses import dataclass

from detector.sinks.mqtt.link import Acknowledged
from detector.wire.encoding import encode
from detector.wire.message import StatusBody
from tests.support.history_stores import make_message


@dataclass(frozen=True)
class Published:
    """One message, as a subscriber would see it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expires: int | None

    @property
    def json(self):
        return json.loads(self.payload)


class FakeLink:
    """One connection; what is published lies in `published`, and `unanswered` has no answer yet."""

    def __init__(self):
        self.published: list[Published] = []
        self.subscribed: list[str] = []
        self.unanswered: list[int] = []

    def publish(self, topic, payload, *, qos, retain=False, expires=None):
        self.published.append(Published(topic, payload, qos, retain, expires))
        number = len(self.published)
        if qos:
            self.unanswered.append(number)
        return number

    def subscribe(self, topics):
        self.subscribed += topics

    def unsubscribe(self, topics):
        self.subscribed = [topic for topic in self.subscribed if topic not in topics]

    def answers(self, *, refusal=""):
        """Answers to all that was published with QoS 1 and has none yet."""
        answers = [Acknowledged(number, refusal) for number in self.unanswered]
        self.unanswered.clear()
        return answers

    def on(self, ending):
        """What was published to topics that end so."""
        return [message for message in self.published if message.topic.endswith(ending)]

    @property
    def retained(self):
        """What the broker would keep, by topic."""
        values = {message.topic: message.payload for message in self.published if message.retain}
        return {topic: payload.decode() for topic, payload in values.items() if payload}


class FakeArchive:
    """Events in a list, as the history gives them; `error` is raised instead, if there is one."""

    def __init__(self, *seqs):
        self.events = [make_message(seq) for seq in seqs]
        self.error = None
        self.reads = 0

    @property
    def oldest_seq(self):
        return self.events[0].seq if self.events else None

    @property
    def newest_seq(self):
        return self.events[-1].seq if self.events else 0

    def after(self, seq, limit):
        self.reads += 1
        if self.error is not None:
            raise self.error
        return [event for event in self.events if event.seq > seq][:limit]

    def add(self, event):
        self.events.append(event)
        return event


def state(name, source="Mic"):
    """A source's state has changed."""
    return encode(StatusBody(state=name, source=source, time=None))
