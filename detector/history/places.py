"""Where the history is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NAME = "history.db"

SERVICE_PATH = Path("/var/lib/sound-detector", NAME)
"""The service's, which its StateDirectory= makes."""


def default_path(environ: Mapping[str, str], home: Path) -> Path:
    """Where a daemon that was not told otherwise keeps it: systemd's state folder, else the user's."""
    if state := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(state, NAME)
    folder = environ.get("XDG_STATE_HOME", "")
    base = Path(folder) if Path(folder).is_absolute() else home / ".local" / "state"
    return base / "sound-detector" / NAME


def reading_paths(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Where one who was not told otherwise looks: the user's own, then the service's."""
    return tuple(dict.fromkeys((default_path(environ, home), SERVICE_PATH)))
