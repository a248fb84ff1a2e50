"""Paths on the command line, in which `~` means the home folder also where the shell left it alone."""

from __future__ import annotations

from pathlib import Path

from detector.files.home import expand_home


def path(text: str) -> Path:
    """An argparse type for a path."""
    return Path(expand_home(text))
