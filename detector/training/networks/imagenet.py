"""ImageNet's weights for a ResNet-18: from a file, or from their published address where it can be reached.

Source: torchvision's `ResNet18_Weights.IMAGENET1K_V1` (BSD-3-Clause); the file's name carries the first eight
digits of its SHA-256.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from detector.errors import ModelError
from detector.training.networks.architecture import Module
from detector.training.networks.tensors import read_tensors

ADDRESS = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
SHA256_PREFIX = "f37072fd"
LONGEST_SECONDS = 20.0
"""Without an answer."""


def load_weights(network: Module, file: Path | None, address: str = ADDRESS) -> None:
    """Load them, all but the last layer's, or say on stderr that the network starts from random weights.

    ModelError where a file is named and does not hold them.
    """
    source: Path | None = file or _downloaded(address)
    if source is None:
        print(
            "image: ImageNet's weights could not be had from "
            f"{address}; the network starts from random weights (--weights FILE names a copy)",
            file=sys.stderr,
        )
        return
    state = _read(source)
    wanted = {name: value for name, value in network.state_dict().items() if not name.startswith("fc.")}
    missing = [
        name for name, value in wanted.items() if name not in state or state[name].shape != value.shape
    ]
    if missing:
        raise ModelError(f"{source}: no ResNet-18 of torchvision's layout: {missing[0]} is not as expected")
    network.load_state_dict({name: state[name] for name in wanted}, strict=False)


def _read(source: Path) -> dict[str, Any]:
    try:
        state = read_tensors(source)
    except FileNotFoundError as error:
        raise ModelError(f"{source}: not found; --weights expects a file of PyTorch weights") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{source}: not a file of PyTorch weights") from error
    if not isinstance(state, dict):
        raise ModelError(f"{source}: expected named tensors, got {type(state).__name__}")
    return state


def _downloaded(address: str) -> Path | None:
    """Fetch the file once, into PyTorch's own cache; None where it cannot be reached."""
    import torch

    kept = Path(torch.hub.get_dir()) / "checkpoints" / address.rsplit("/", 1)[-1]
    if kept.is_file():
        return kept
    try:
        with urlopen(address, timeout=LONGEST_SECONDS) as answer:  # noqa: S310 - https, a constant
            content = answer.read()
    except (URLError, OSError):
        return None
    if not sha256(content).hexdigest().startswith(SHA256_PREFIX):
        return None
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(".part")
    part.write_bytes(content)
    part.replace(kept)
    return kept
