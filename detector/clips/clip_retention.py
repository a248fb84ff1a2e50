"""Which clips are deleted: the oldest first, until age, size and free space are as wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Reason = Literal["age", "size", "space"]


@dataclass(frozen=True, slots=True)
class ClipEntry:
    """A clip that lies on the disk."""

    id: str
    slug: str
    """Of its label."""
    began: float
    """UTC seconds since 1970."""
    size: int
    """Bytes, its JSON included."""
    locked: bool
    """Whether its user keeps it."""


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """What may stay."""

    keep_seconds: float
    max_bytes: int
    min_free_bytes: int
    """What is left free for others on the disk."""
    min_per_label: int
    """So many newest clips of each label are kept in any case."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A clip that has to go, and why."""

    clip: ClipEntry
    reason: Reason


def deletions(
    clips: Sequence[ClipEntry], limits: RetentionLimits, *, now: float, free_bytes: int
) -> list[Deletion]:
    """What has to go, the oldest first; never a locked clip, nor one of the newest of its label.

    `now` [UTC seconds since 1970]; `free_bytes` of the disk as it is.
    """
    oldest_first = sorted(clips, key=lambda clip: (clip.began, clip.id))
    newer = Counter(clip.slug for clip in clips)
    size, free = sum(clip.size for clip in clips), free_bytes
    found: list[Deletion] = []
    for clip in oldest_first:
        newer[clip.slug] -= 1
        if clip.locked or newer[clip.slug] < limits.min_per_label:
            continue
        reason: Reason
        if now - clip.began > limits.keep_seconds:
            reason = "age"
        elif size > limits.max_bytes:
            reason = "size"
        elif free < limits.min_free_bytes:
            reason = "space"
        else:
            break
        found.append(Deletion(clip, reason))
        size -= clip.size
        free += clip.size
    return found
