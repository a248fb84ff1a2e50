"""An ImageNet network retrained on spectrograms: the log-mel patch as a picture, a new last layer.

The patch, from silence to loud, becomes 0..1, the same in red, green and blue, standardised as ImageNet's
pictures are; so the first weights see what they were trained for. The weights themselves: `imagenet`.
"""

from __future__ import annotations

from detector.training.networks import cnn
from detector.training.networks.architecture import Architecture, Module
from detector.training.networks.imagenet import load_weights
from detector.training.networks.resnet import resnet18
from detector.training.recipe import NetworkOptions

SILENCE, LOUD = -11.5, 6.5
"""Log-mel values that become black and white: ln(1e-5), and music at full scale."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue."""


def build(classes: int, options: NetworkOptions) -> Module:
    """Build it, with ImageNet's weights where they can be had; says so where they cannot."""
    import torch
    from torch import nn

    colours = nn.Conv2d(1, 3, 1)
    deviation, mean = torch.tensor(DEVIATION), torch.tensor(MEAN)
    colours.weight = nn.Parameter((1 / (LOUD - SILENCE) / deviation).reshape(3, 1, 1, 1), requires_grad=False)
    colours.bias = nn.Parameter((-SILENCE / (LOUD - SILENCE) - mean) / deviation, requires_grad=False)
    network = resnet18(classes)
    load_weights(network, options.weights)
    return nn.Sequential(colours, network)


IMAGE = Architecture(
    description="an ImageNet ResNet-18 retrained on spectrograms",
    front_end=cnn.FRONT_END,
    build=build,
    epochs=20,
    batch=32,
    learning_rate=5e-4,
    weight_decay=0.02,
)
