"""The folders of models: the user's own, those of an installed service, and those that come with the program.

As root, a folder that somebody else may change holds no models: whoever writes a description there would say
what root fetches, from where, and which hash is right. docs/security.md has the rule.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from detector.errors import ModelError
from detector.files.guarded import changeable_by_others, is_root

INSTALLATION = Path("/opt/sound-detector")
"""Where `make install-service` puts the program, and models that it and the service find; root's alone."""


def models_folder() -> Path:
    """The folder in which this user's models are, and to which new ones are brought; it need not exist."""
    installed = installed_folder(Path(sys.prefix))
    if installed is not None and is_root() and not os.environ.get("SOUND_DETECTOR_HOME"):
        return installed
    return data_folder(os.environ, sys.platform, Path("~").expanduser()) / "models"


def installed_folder(prefix: Path) -> Path | None:
    """The models that root brought for everybody; None where `prefix` is of no installed program."""
    return INSTALLATION / "models" if INSTALLATION in prefix.resolve().parents else None


def searched_folders() -> list[Path]:
    """Every folder in which models are looked for, before those that come with the program."""
    installed = installed_folder(Path(sys.prefix))
    folders = [models_folder()] if installed is None else [models_folder(), installed]
    return list(dict.fromkeys(folders))


def is_closed(folder: Path) -> bool:
    """Whether this user may rely on what lies there: only root is asked for more than that it can be read."""
    return not is_root() or folder.parent == shipped_folder() or changeable_by_others(folder) is None


def check_closed(folder: Path) -> None:
    """Raise ModelError where root would rely on, or write to, a folder that somebody else may change."""
    if not is_closed(folder):
        raise ModelError(
            f"{folder}: others than root may change {changeable_by_others(folder)}, so root neither reads "
            f"models there nor writes any; run this as the user to whom it belongs, or use a folder of "
            f"root's own (for the service: without SOUND_DETECTOR_HOME)"
        )


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
