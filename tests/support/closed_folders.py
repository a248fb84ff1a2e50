"""Folders that may not be read: root may read everything, so the refusal is made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import ROOT


def skip_where_others_cannot_read() -> None:
    """Skip a test that becomes another user, where the checkout lies in a folder that is closed to others."""
    closed = next((folder for folder in (ROOT, *ROOT.parents) if folder.stat().st_mode & 0o5 != 0o5), None)
    if closed is not None:
        pytest.skip(f"{closed} is closed to other users, and with it the program")


def close_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to list this folder until the test ends."""
    real = os.scandir

    def scandir(path):
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
