"""Networks trained from spectrograms in PyTorch: `cnn`, `resnet18-dilated`, `vgg`, `image`."""

from __future__ import annotations

from importlib.util import find_spec

from detector.errors import ConfigError, ModelError
from detector.training.networks.cnn import CNN
from detector.training.networks.dilated import DILATED
from detector.training.networks.image import IMAGE
from detector.training.networks.network_recipe import NetworkRecipe
from detector.training.networks.vgg import VGG
from detector.training.recipe import NetworkOptions

ARCHITECTURES = {"cnn": CNN, "resnet18-dilated": DILATED, "vgg": VGG, "image": IMAGE}


def make_network_recipe(options: NetworkOptions) -> NetworkRecipe:
    """Return how to train one; ConfigError where it is unknown, ModelError where PyTorch is not here."""
    arch = options.arch
    if arch not in ARCHITECTURES:
        raise ConfigError(f"architecture {arch!r} is unknown; expected one of {', '.join(ARCHITECTURES)}")
    if find_spec("torch") is None:
        raise ModelError("--arch needs PyTorch (pip install 'sound-detector[networks]')")
    return NetworkRecipe(ARCHITECTURES[arch], options)
