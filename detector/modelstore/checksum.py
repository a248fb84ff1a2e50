"""Size and sha256 of model files, checked before any runtime parses them (3 ms for YAMNet).

A derived file has no published hash: a side-car written when it was built holds its hash and its origin's.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from detector.backends.modelyaml import MAX_FILE_BYTES
from detector.errors import ModelError
from detector.files.guarded import read_file, replace_file

MAX_SIDECAR_BYTES = 4096
"""Of the few facts about such a file."""


def sha256_of(content: bytes) -> str:
    """Return the sha256 as lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def checked_bytes(path: Path, *, size: int | None, sha256: str, remedy: str) -> bytes:
    """Read a file; ModelError, which ends with `remedy`, unless its size and sha256 are these.

    A file of unknown size was built here, and is at most MAX_FILE_BYTES long.
    """
    limit = MAX_FILE_BYTES if size is None else size
    try:
        given = path.stat().st_size
        if given <= limit:
            content = read_file(path, max_bytes=limit)
            given = len(content)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}; {remedy}") from error
    if given > limit or (size is not None and given != size):
        raise ModelError(
            f"{path}: is damaged: expected {'at most ' * (size is None)}{limit} bytes, got {given}; {remedy}"
        )
    got = sha256_of(content)
    if got != sha256:
        raise ModelError(f"{path}: is damaged: expected sha256 {sha256[:12]}..., got {got[:12]}...; {remedy}")
    return content


def write_sidecar(path: Path, *, content: bytes, origin_sha256: str) -> None:
    """Write the side-car of a derived file: its own sha256 and that of its origin."""
    facts = {"sha256": sha256_of(content), "origin_sha256": origin_sha256}
    replace_file(_sidecar(path), (json.dumps(facts) + "\n").encode())


def checked_derived_bytes(path: Path, *, origin_sha256: str, remedy: str) -> bytes:
    """Read a derived file; ModelError unless it matches its side-car and was built from this origin."""
    try:
        facts = json.loads(read_file(_sidecar(path), max_bytes=MAX_SIDECAR_BYTES))
        sha256, origin = str(facts["sha256"]), str(facts["origin_sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{_sidecar(path)}: is missing or damaged; {remedy}") from error
    if origin != origin_sha256:
        raise ModelError(f"{path}: was built from another version of the model; {remedy}")
    return checked_bytes(path, size=None, sha256=sha256, remedy=remedy)


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")
