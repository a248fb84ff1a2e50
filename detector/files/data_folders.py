"""Where this user's models and sounds are: the platform's own custom, or what the environment says."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from detector.files.guarded import is_root
from detector.files.home import expand_home

INSTALLATION = Path("/opt/sound-detector")
"""Where `make install-service` puts the program, and models that it and the service find; root's alone."""


def models_folder() -> Path:
    """The folder in which this user's models are, and to which new ones are brought; it need not exist."""
    installed = installed_folder(Path(sys.prefix))
    if installed is not None and is_root() and not os.environ.get("SOUND_DETECTOR_HOME"):
        return installed
    return data_folder(os.environ, sys.platform, Path(expand_home("~"))) / "models"


def installed_folder(prefix: Path) -> Path | None:
    """The models that root brought for everybody; None where `prefix` is of no installed program."""
    return INSTALLATION / "models" if INSTALLATION in prefix.resolve().parents else None


def data_folder(environ: Mapping[str, str], platform: str, home: Path) -> Path:
    """Name the user's data folder: $SOUND_DETECTOR_HOME, else the platform's own custom.

    Linux and others: the XDG base directory specification, which says to ignore a relative path.
    """
    if environ.get("SOUND_DETECTOR_HOME"):
        return Path(environ["SOUND_DETECTOR_HOME"]).absolute()
    if platform == "darwin":
        return home / "Library" / "Application Support" / "sound-detector"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "sound-detector"
    xdg = Path(environ.get("XDG_DATA_HOME", ""))
    return (xdg if xdg.is_absolute() else home / ".local" / "share") / "sound-detector"
