"""Names of clips: `LABEL-SESSION-NN.flac`, or `LABEL-SESSION-NN-PP.flac` for parts of one stretch of sound.

SESSION is the UTC second at which the recording began. `detector.datasets.labelled_clips` reads these names:
clips that share LABEL-SESSION-NN were cut from one stretch of sound and stay in one fold.
"""

from __future__ import annotations

import re
import time
import unicodedata

from detector.errors import ConfigError

SUFFIX = ".flac"
LONGEST_LABEL = 100
"""Bytes: a file name has 255."""
_NUMBER_FIRST = re.compile(r"\d+\s*-")
_FORBIDDEN = frozenset('/\\:*?"<>|')
"""Not allowed in folder names on some systems that a dataset may be copied to."""


def session_text(seconds: float) -> str:
    """A moment [UTC seconds since 1970] as `20260801T101530Z`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def clip_name(label: str, session: str, number: int, part: int | None = None) -> str:
    """The file name of one clip."""
    return f"{label}-{session}-{number:02d}{'' if part is None else f'-{part:02d}'}{SUFFIX}"


def check_label(label: str) -> str:
    """Return the label; ConfigError where it cannot be the name of a class and of its folder."""
    if fault := _fault(label):
        raise ConfigError(
            f"LABEL {label!r} {fault}; expected a name for the class and its folder, such as doorbell"
        )
    return label


def model_name(label: str) -> str:
    """A name for a model of this sound: `Türklingel 1` -> `turklingel-1`."""
    plain = unicodedata.normalize("NFKD", label.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "mine"


def _fault(label: str) -> str:
    if not label.strip() or label != label.strip():
        return "is empty, or begins or ends with a space"
    if bad := sorted(_FORBIDDEN & set(label)):
        return f"has {bad[0]} in it"
    if label.startswith(".") or label.endswith("."):
        return "begins or ends with a dot"
    if not label.isprintable():
        return "has a character in it that cannot be shown"
    if (length := len(label.encode())) > LONGEST_LABEL:
        return f"has {length} bytes; at most {LONGEST_LABEL} are allowed"
    if _NUMBER_FIRST.match(label):
        return "begins with a number and a hyphen, which datasets read as the number of a class"
    return ""
