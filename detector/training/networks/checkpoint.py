"""The state of a fit after its last whole epoch, in one file that is there whole or not at all.

What is random in an epoch follows from the seed and the epoch's number, so no generator's state is kept.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from detector.training.recipe import Example

log = logging.getLogger(__name__)

State: TypeAlias = dict[str, Any]

NAME = "network.pt"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file for one fit; `fingerprint` tells fits apart."""

    file: Path
    fingerprint: str

    def load(self) -> State | None:
        """Give what was saved of this very fit; None where there is nothing, or of another one."""
        if not self.file.is_file():
            return None
        try:
            state = read_tensors(self.file)
        except (OSError, ValueError) as error:
            log.warning("training.checkpoint_damaged file=%s error=%s", self.file, error)
            return None
        if not isinstance(state, dict) or state.get("fingerprint") != self.fingerprint:
            log.warning("training.checkpoint_of_another_fit file=%s", self.file)
            return None
        return state

    def save(self, state: State) -> None:
        """Replace what was saved."""
        import torch

        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(f".{os.getpid()}.part")
        torch.save({**state, "fingerprint": self.fingerprint}, part)
        part.replace(self.file)


def fingerprint(settings: Sequence[object], examples: Sequence[Example]) -> str:
    """Digest of everything a fit depends on."""
    digest = blake2b(repr(tuple(settings)).encode(), digest_size=16)
    for each in examples:
        digest.update(repr((str(each.path), each.start, each.stop, each.targets.tolist())).encode())
    return digest.hexdigest()


def read_tensors(file: Path) -> object:
    """Read what `torch.save` wrote, on the CPU, without running code that the file may hold.

    Raises OSError, or ValueError where it is no such file.
    """
    import torch

    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # PyTorch raises anything on other bytes: IndexError, KeyError
        raise ValueError(str(error)) from error
