"""What the MQTT sink remembers across restarts, in a small file of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from detector.files.daemon_files import make_folder
from detector.files.guarded import read_file, replace_file

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
"""A thousand classes take a tenth of it."""


@dataclass(slots=True)
class Remembered:
    """The values; each has the type of its default, or it is left out when read."""

    acked: int = 0
    """The broker has acknowledged every event up to this number."""
    sent: int = 0
    """Events up to this number may have reached it."""
    generation: str = ""
    """What these numbers belong to, as in the hello."""
    devices: dict[str, dict[str, str]] = field(default_factory=dict)
    """What Home Assistant was told of: topic of a device -> id of each entity -> its platform."""
    class_topics: list[str] = field(default_factory=list)
    """Topics of classes that the broker keeps."""
    paused: list[str] = field(default_factory=list)
    """Sources that somebody has paused by MQTT; the only one of a daemon has an empty name here."""


class MqttMemory:
    """Reads the file once, and writes it whole; a file that cannot be written costs one line in the log."""

    def __init__(self, path: Path | None) -> None:
        """None keeps nothing."""
        self._path = path
        self._failed = False
        self.is_new = True
        """Whether there was no such file."""
        self.now = Remembered()
        """The values; `save` writes them."""

    def load(self) -> None:
        """Read the file; what is no such file is as good as none, with a line in the log."""
        if self._path is None:
            return
        try:
            values = json.loads(read_file(self._path, max_bytes=MAX_BYTES))
            if not isinstance(values, Mapping):
                raise ValueError("expected a JSON object")
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            log.warning(
                'mqtt.memory_unreadable path=%s error="%s": it is begun anew, with the next event',
                self._path,
                getattr(error, "strerror", None) or error,
            )
            return
        self.now = _read(values)
        self.is_new = False

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if self._path is None:
            return
        try:
            make_folder(self._path.parent)
            replace_file(self._path, json.dumps(asdict(self.now)).encode())
        except OSError as error:
            if not self._failed:
                log.warning(
                    'mqtt.memory_unwritable path=%s error="%s": after a restart, events may come twice',
                    self._path,
                    error.strerror,
                )
            self._failed = True
        else:
            self._failed = False


def _read(values: Mapping[str, Any]) -> Remembered:
    known = Remembered()
    for item in fields(Remembered):
        value = values.get(item.name)
        if type(value) is type(getattr(known, item.name)):
            setattr(known, item.name, value)
    known.devices = {
        topic: {str(id): str(platform) for id, platform in parts.items()}
        for topic, parts in known.devices.items()
        if isinstance(parts, dict)
    }
    known.class_topics = [topic for topic in known.class_topics if isinstance(topic, str)]
    known.paused = [name for name in known.paused if isinstance(name, str)]
    return known
