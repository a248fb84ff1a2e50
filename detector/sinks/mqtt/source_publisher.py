"""What goes to the broker of one source: its sounds as they happen, its state, and its device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detector.interfaces import Message
from detector.sinks.mqtt.discovery import DeviceFacts, components, discovery_payload
from detector.sinks.mqtt.live_sounds import LiveSounds
from detector.sinks.mqtt.retained import Retained, on_or_off
from detector.sinks.mqtt.sound_classes import SoundClasses
from detector.sinks.mqtt.topics import Topics

_STATES = {"listening": "ok", "clipping": "ok", "paused": "ok", "silent": "silent"}
"""A source's state -> what is published of it; `lost` for the others."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What stays the same for one source."""

    topics: Topics
    device: DeviceFacts
    is_live: bool
    """Whether sound is heard as it happens; that of a recording is not shown as live."""


class SourcePublisher:
    """One source; the only one of a daemon, or one of several."""

    def __init__(
        self,
        facts: SourceFacts,
        retained: Retained,
        make_live: Callable[[Topics], LiveSounds],
        *,
        is_paused: bool,
    ) -> None:
        """`make_live` makes what shows its sounds."""
        self.facts = facts
        """What stays the same."""
        self.topics = facts.topics
        """Where it is published."""
        self.live = make_live(facts.topics)
        """Its sounds as they happen."""
        self._retained = retained
        self._removed: dict[str, str] = {}
        if facts.device.can_pause:
            self.set_listening(not is_paused)

    def take_state(self, state: str) -> None:
        """The state of its device has changed."""
        self._retained.set(self.topics.source_state, _STATES.get(state, "lost").encode())

    def show(self, event: Message) -> None:
        """One of its sounds begins, goes on or has ended."""
        if self.facts.is_live:
            self.live.show(event)

    def set_listening(self, listening: bool) -> None:
        """What its switch shows."""
        self._retained.set(self.topics.listen, on_or_off(listening))

    def exchange(self, classes: SoundClasses) -> None:
        """Go on with other classes."""
        self.live.exchange(classes)

    def end(self) -> None:
        """Nothing sounds any more, and nobody listens."""
        self.live.silence()
        self._retained.set(self.topics.source_state, b"lost")

    def device(self, known: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        """What Home Assistant is told: the payload, and id -> platform of each entity.

        It may have been told earlier of what is `known`; what is gone of that is removed.
        """
        parts = components(self.topics, self.facts.device, self.live.classes)
        self._removed |= {id: platform for id, platform in known.items() if id not in parts}
        payload = discovery_payload(self.topics, self.facts.device, parts, self._removed)
        return payload, {id: str(part["p"]) for id, part in parts.items()}
