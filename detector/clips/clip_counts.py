"""What the daemon counts of clips; it is shown whether clips are kept or not, so it needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClipCounts:
    """What became of clips since the program started."""

    saved: int = 0
    speech: int = 0
    """Dropped because there was speech in them."""
    unjudged: int = 0
    """Dropped because nothing could judge them."""
    failed: int = 0
    """Could not be written."""
    lost: int = 0
    """Lost because the process died or was behind."""
    deleted: int = 0
    """Old clips that were deleted."""
    pending: int = 0
    """Waiting now."""
    stored: int = 0
    """Clips in the folder now."""
    stored_bytes: int = 0
    working: bool = True
    """Whether the last clip could be judged and written."""
