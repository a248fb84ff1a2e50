"""An ImageNet network retrained on spectrograms: the log-mel patch as a picture, a new last layer.

The patch, from silence to loud, becomes 0..1, the same in red, green and blue, standardised as ImageNet's
pictures are; so the first weights see what they were trained for. ImageNet's weights for the ResNet-18 come
from a file, or from their published address where it can be reached.

Source of the weights: torchvision's `ResNet18_Weights.IMAGENET1K_V1` (BSD-3-Clause); the file's name carries
the first eight digits of its SHA-256.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from detector.errors import ModelError
from detector.training.networks import cnn
from detector.training.networks.architecture import Architecture, Module
from detector.training.networks.checkpoint import read_tensors
from detector.training.networks.resnet import resnet18
from detector.training.recipe import NetworkOptions

SILENCE, LOUD = -11.5, 6.5
"""Log-mel values that become black and white: ln(1e-5), and music at full scale."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue."""
ADDRESS = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
SHA256_PREFIX = "f37072fd"
LONGEST_SECONDS = 20.0
"""Without an answer."""


def build(classes: int, options: NetworkOptions) -> Module:
    """Build it with ImageNet's weights; where they cannot be had, a line on stderr says so."""
    import torch
    from torch import nn

    colours = nn.Conv2d(1, 3, 1)
    deviation, mean = torch.tensor(DEVIATION), torch.tensor(MEAN)
    colours.weight = nn.Parameter((1 / (LOUD - SILENCE) / deviation).reshape(3, 1, 1, 1), requires_grad=False)
    colours.bias = nn.Parameter((-SILENCE / (LOUD - SILENCE) - mean) / deviation, requires_grad=False)
    network = resnet18(classes)
    load_weights(network, options.weights)
    return nn.Sequential(colours, network)


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


IMAGE = Architecture(
    description="an ImageNet ResNet-18 retrained on spectrograms",
    front_end=cnn.FRONT_END,
    build=build,
    epochs=20,
    batch=32,
    learning_rate=5e-4,
    weight_decay=0.02,
)
