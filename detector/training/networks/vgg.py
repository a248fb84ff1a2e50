"""VGG-11 on 64 log-mel bands, windows of 46 ms every 23 ms; batch normalisation, one mean over what is left.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015
(arXiv:1409.1556), Table 1, column A, without the last group and the dense layers of 4096, which a few hundred
clips cannot fill. `width` thins it (64 is VGG's).
"""

from __future__ import annotations

from detector.training.networks import dilated
from detector.training.networks.architecture import Architecture, Module
from detector.training.recipe import NetworkOptions

WIDTH = 64
GROUPS = ((1,), (2,), (4, 4), (8, 8))
"""Channels of each convolution, in widths; a pool follows each group."""
DROPOUT = 0.5


def build(classes: int, options: NetworkOptions) -> Module:
    """Build it."""
    from torch import nn

    width = options.width or WIDTH
    parts: list[Module] = [nn.BatchNorm2d(1, affine=False)]
    channels = 1
    for group in GROUPS:
        for widths in group:
            out = widths * width
            parts += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        parts.append(nn.MaxPool2d(2))
    dense = [nn.Linear(channels, 4 * width), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(4 * width, classes)]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(DROPOUT), *dense)


VGG = Architecture(
    description="a VGG-11 trained from scratch",
    front_end=dilated.FRONT_END,
    build=build,
    epochs=40,
    batch=32,
    learning_rate=1e-3,
    weight_decay=0.02,
)
