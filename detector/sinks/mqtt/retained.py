"""Topics whose newest value the broker keeps: each is sent when it changes, and all after a connection."""

from __future__ import annotations

from detector.sinks.mqtt.link import Link


class Retained:
    """The values, and which of them the broker does not have yet."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}

    def set(self, topic: str, payload: bytes) -> None:
        """Change a value."""
        if self._values.get(topic) != payload:
            self._values[topic] = payload
            self._unsent[topic] = None

    def remove(self, topic: str) -> None:
        """Have the broker forget a topic: that is what an empty value means."""
        self.set(topic, b"")

    def send_all_again(self) -> None:
        """The broker may have other values, or none."""
        self._unsent = dict.fromkeys(self._values)

    def pump(self, link: Link) -> int:
        """Send what the broker does not have; returns how many messages that were."""
        count = len(self._unsent)
        for topic in self._unsent:
            link.publish(topic, self._values[topic], qos=1, retain=True)
        self._unsent.clear()
        return count


def on_or_off(state: bool) -> bytes:
    """What Home Assistant expects of a switch and of a binary sensor."""
    return b"ON" if state else b"OFF"
