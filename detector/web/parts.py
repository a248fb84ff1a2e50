"""What the routes of the page need: plain values and objects, made by `assemble`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from detector.web.access.doorkeeper import Doorkeeper
from detector.web.daemon_link import DaemonLink
from detector.web.desk.page_desk import PageDesk


@dataclass(frozen=True, slots=True)
class WebParts:
    """Everything that a route may use."""

    daemon: DaemonLink
    """The connection to the daemon's event socket."""
    doorkeeper: Doorkeeper
    """Who gets in."""
    history: tuple[Path, ...]
    """Where the history may be; the first file that exists is the one."""
    clips: Path | None = None
    """The folder of clips; None where the settings keep none."""
    desk: PageDesk | None = None
    """What changes settings and teaches sounds; None where the page only shows."""
    version: str = ""
    level_offset_db: float = 0.0
    """Added to levels that the page shows [dB]."""
    utc: Callable[[], float] = time.time
    """The clock that the overview goes by: UTC seconds since 1970."""
