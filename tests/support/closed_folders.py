"""A folder that may not be read: root may read everything, so the refusal is made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def close_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to list this folder until the test ends."""
    real = os.scandir

    def scandir(path):
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
