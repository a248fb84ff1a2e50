"""What the MQTT sink remembers across restarts: two numbers that change with each event, and a few facts.

The numbers have a file of their own, which is written over in its place: to put a new file there and to wait
for the disk costs a millisecond of CPU time. They are in one sector, so that they are written whole or not at
all. A killed process loses nothing; after a power cut, older ones may be there, and events come twice.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from detector.files.daemon_files import make_folder
from detector.files.guarded import read_file, replace_file

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
"""A thousand classes take a tenth of it."""

_NUMBERS = ("acked", "sent")
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


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
    began: int = -1
    """This broker gets the events after this number; -1 where nobody knows."""


class MqttMemory:
    """Reads the files once; what cannot be written costs one line in the log."""

    def __init__(self, path: Path | None) -> None:
        """`path` is the file of the facts, `.seq` behind it that of the numbers; None keeps nothing."""
        self._path = path
        self._file: int | None = None
        self._failed = False
        self.is_new = True
        """Whether the numbers say nothing: there are none, or nobody knows what they belong to."""
        self.now = Remembered()
        """The values; `save` and `save_numbers` write them."""

    def load(self) -> None:
        """Read the files; what is damaged is as good as nothing, with a line in the log."""
        if self._path is None:
            return
        try:
            self.now = _read_facts(self._path)
            self.now.acked, self.now.sent = _read_numbers(self._numbers_path)
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            log.warning(
                'mqtt.memory_unreadable path=%s error="%s": events begin with the next one',
                self._path,
                getattr(error, "strerror", None) or error,
            )
            return
        self.is_new = False

    def save(self) -> None:
        """Write everything; the facts whole or not at all."""
        if self._path is None:
            return
        facts = {key: value for key, value in asdict(self.now).items() if key not in _NUMBERS}
        try:
            make_folder(self._path.parent)
            replace_file(self._path, json.dumps(facts).encode())
        except OSError as error:
            self._tell(error)
            return
        self.save_numbers()

    def save_numbers(self) -> None:
        """Write the numbers over the old ones."""
        if self._path is None:
            return
        try:
            if self._file is None:
                make_folder(self._path.parent)
                self._file = os.open(self._numbers_path, _FLAGS, 0o640)
            os.pwrite(self._file, b"%020d %020d\n" % (self.now.acked, self.now.sent), 0)
        except OSError as error:
            self._tell(error)
        else:
            self._failed = False

    def close(self) -> None:
        """Close the file of the numbers."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    @property
    def _numbers_path(self) -> Path:
        return Path(f"{self._path}.seq")

    def _tell(self, error: OSError) -> None:
        if not self._failed:
            log.warning(
                'mqtt.memory_unwritable path=%s error="%s": after a restart, events may come twice',
                self._path,
                error.strerror,
            )
        self._failed = True


def _read_numbers(path: Path) -> list[int]:
    numbers = [int(text) for text in read_file(path, max_bytes=100).split()]
    if len(numbers) != len(_NUMBERS) or min(numbers) < 0:
        raise ValueError("expected two numbers")
    return numbers


def _read_facts(path: Path) -> Remembered:
    values: Any = json.loads(read_file(path, max_bytes=MAX_BYTES))
    if not isinstance(values, Mapping):
        raise ValueError("expected a JSON object")
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
