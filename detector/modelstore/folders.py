"""The folders of models: the user's own, and that of the bundles that come with the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path


def models_folder() -> Path:
    """The user's models folder; it need not exist."""
    return data_folder(os.environ, sys.platform, Path("~").expanduser()) / "models"


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


def shipped_folder() -> Path:
    """The folder of the program's own bundles: in the installed package, or models/ of a checkout."""
    try:
        packaged = Path(str(resources.files("detector.models")))
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "models"
    return packaged
