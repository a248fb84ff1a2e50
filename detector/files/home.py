"""Paths as people write them: `~` is the home folder wherever a path is given, not only in a shell."""

from __future__ import annotations

import os


def expand_home(path: str) -> str:
    """The path with `~` or `~NAME` at its start written out; as it is where there is no such user."""
    if not path.startswith("~"):
        return path
    try:
        return os.path.expanduser(path)  # noqa: PTH111  # Path's raises RuntimeError
    except ValueError:  # a NUL in a user's name
        return path


def names_no_home(path: str) -> str:
    """What is wrong with a path whose `~` is no user's home; empty where nothing is."""
    return (
        f"there is no home folder for `~` here: write the path out, or ./{path}"
        if path.startswith("~")
        else ""
    )
