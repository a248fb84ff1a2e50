"""Folders for what the daemon writes: closed to others."""

from __future__ import annotations

from pathlib import Path

FOLDER_MODE = 0o750
"""Owner and group; `Path.mkdir` would leave parents that it makes open to everybody."""


def make_folder(path: Path) -> list[Path]:
    """Make a folder and the missing ones above it; returns those that are new, uppermost first."""
    made: list[Path] = []
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            made.append(folder)
    return made
