"""What is around a fit: cores, graphics card, memory that may run out, TensorBoard's files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from detector.errors import ModelError

_Foreign: TypeAlias = Any
"""Objects of PyTorch's, which is not followed by the type checker."""


def set_up_torch(seed: int, jobs: int) -> None:
    """Make what follows repeatable, on so many cores (0: all)."""
    import torch

    torch.set_num_threads(jobs or os.cpu_count() or 1)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for the line below
    torch.use_deterministic_algorithms(True, warn_only=True)


def device() -> _Foreign:
    """Give the graphics card, where there is one PyTorch can use."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def memory_errors(batch: int) -> Iterator[None]:
    """Say in one line that memory ran out; PyTorch has several ways to tell."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
            raise ModelError(
                f"out of memory with batches of {batch}; give smaller ones (--batch {max(1, batch // 2)})"
            ) from error
        raise


@contextmanager
def tensorboard_writer(folder: Path | None) -> Iterator[_Foreign]:
    """Give what takes each epoch's row, into TensorBoard's files where a folder is named."""
    if folder is None:
        yield lambda row: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ModelError("--tensorboard needs the package tensorboard (pip install tensorboard)") from error
    writer = SummaryWriter(str(folder))

    def tell(row: Mapping[str, float]) -> None:
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(row["epoch"]))

    try:
        yield tell
    finally:
        writer.close()
