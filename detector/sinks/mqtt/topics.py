"""The topics that a daemon publishes to, and the names in them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from zlib import crc32

ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
"""What Home Assistant takes in a node's or a component's id: with anything else it ignores the message."""

LONGEST_PREFIX = 200
"""Letters; MQTT's own limit is 65535 bytes for a whole topic."""


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one microphone: those of the only one have no name of a source in them."""

    prefix: str
    node: str
    source: str = ""
    """The id of a source that has a name; empty for the only one."""

    @property
    def node_base(self) -> str:
        """What all topics of this daemon begin with."""
        return f"{self.prefix}/{self.node}"

    @property
    def base(self) -> str:
        """What all topics of this microphone begin with."""
        return f"{self.node_base}/{self.source}" if self.source else self.node_base

    @property
    def availability(self) -> str:
        """`online` or `offline`: of the daemon, so the same for all its microphones."""
        return f"{self.node_base}/availability"

    @property
    def source_state(self) -> str:
        """`ok`, `silent` or `lost`."""
        return f"{self.base}/source/state"

    @property
    def detected(self) -> str:
        """A sound that begins now."""
        return f"{self.base}/detected"

    @property
    def last(self) -> str:
        """The newest of them, retained."""
        return f"{self.base}/last"

    @property
    def events(self) -> str:
        """Every event, also those that happened while there was no connection."""
        return f"{self.base}/events"

    @property
    def events_again(self) -> str:
        """Where a collector asks for events that it misses."""
        return f"{self.node_base}/events/again"

    @property
    def events_resent(self) -> str:
        """Where those go: a subscription that collectors share could give them to one that is away."""
        return f"{self.node_base}/events/resent"

    @property
    def stats(self) -> str:
        """Level and counts, once a minute."""
        return f"{self.base}/stats"

    @property
    def listen(self) -> str:
        """`ON`, or `OFF` while the daemon is paused."""
        return f"{self.base}/listen"

    @property
    def listen_set(self) -> str:
        """Where `ON` and `OFF` are sent to."""
        return f"{self.base}/listen/set"

    def sound_class(self, id: str) -> str:
        """`ON` while such a sound goes on, else `OFF`."""
        return f"{self.base}/class/{id}"


def class_id(name: str) -> str:
    """A label as an id of a-z, 0-9 and _: `smoke_detector_smoke_alarm`; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "_".join("".join(letter if letter.isalnum() else " " for letter in plain).split())


def any_class_id(name: str) -> str:
    """The same for a label that nobody chose: one of which nothing is left gets a number."""
    return class_id(name) or f"sound_{crc32(name.encode('utf-8', 'replace')):08x}"


def node_id(name: str) -> str:
    """A machine's or a source's name as an id: letters, digits, _ and -; without the domain of a host."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().partition(".")[0]
    return "".join(letter if letter in ALLOWED else "-" for letter in plain).strip("-") or "sound-detector"


def prefix_fault(prefix: str) -> str:
    """What is wrong with what topics are to begin with; empty where nothing is."""
    if wrong := next((letter for letter in prefix if letter in "+#"), ""):
        return f"expected a topic without the wildcards + and #, got one with {wrong}: leave it out"
    if not prefix or any(not part for part in prefix.split("/")):
        return "expected words with / between them, such as home/sounds, got an empty word"
    if prefix.startswith("$"):
        return "expected a topic that does not begin with $: such topics are the broker's own"
    if len(prefix) > LONGEST_PREFIX or not prefix.isprintable():
        return f"expected at most {LONGEST_PREFIX} letters that can be printed"
    return ""


def node_fault(node: str) -> str:
    """What is wrong with an id for a node; empty where nothing is."""
    if node and set(node) <= ALLOWED and len(node) <= 64:
        return ""
    return "expected 1 to 64 letters a-z, digits, _ and -, such as kitchen-pi"
