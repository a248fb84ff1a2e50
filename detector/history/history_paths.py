"""Where the history is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from detector.errors import HistoryError

NAME = "history.db"

SERVICE_PATH = Path("/var/lib/sound-detector", NAME)
"""The service's; StateDirectory= in its unit makes the folder."""


def writing_path(chosen: str | None, environ: Mapping[str, str]) -> Path:
    """Where a daemon keeps it: the chosen path, else systemd's state folder, else the user's."""
    if chosen:
        return Path(chosen).expanduser()
    if state := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(state, NAME)
    folder = environ.get("XDG_STATE_HOME", "")
    base = Path(folder) if Path(folder).is_absolute() else Path(environ.get("HOME") or "/", ".local", "state")
    return base / "sound-detector" / NAME


def reading_paths(chosen: str | None, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where commands look for it: the chosen path, else the user's own, then the service's."""
    own = writing_path(chosen, environ)
    return (own,) if chosen else tuple(dict.fromkeys((own, SERVICE_PATH)))


def existing_history(paths: Sequence[Path]) -> Path:
    """The first of these files that is there; raises HistoryError where none is."""
    for path in paths:
        if _is_there(path):
            return path
    looked_at = " or ".join(map(str, paths))
    raise HistoryError(
        f"there is no history at {looked_at}: run the daemon first, or name the file with --file"
    )


def _is_there(path: Path) -> bool:
    """Whether the file exists; True where that may not be looked at: reading it will then say why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
