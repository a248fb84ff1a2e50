"""The folders of models: the user's own, those of an installed service, and those that come with the program.

As root, a folder that somebody else may change holds no models: whoever writes a description there would say
what root fetches, from where, and which hash is right. docs/security.md has the rule.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

from detector.errors import ModelError
from detector.files.data_folders import installed_folder, models_folder
from detector.files.guarded import changeable_by_others, is_root


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


def shipped_folder() -> Path:
    """The folder of the program's own bundles: in the installed package, or models/ of a checkout."""
    try:
        packaged = Path(str(resources.files("detector.models")))
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "models"
    return packaged
