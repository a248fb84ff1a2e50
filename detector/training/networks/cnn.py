"""A small spectrogram CNN from scratch: 128 log-mel bands x 128 frames, 0.56 M parameters.

In the manner of Salamon and Bello, "Deep convolutional neural networks and data augmentation for
environmental sound classification", IEEE SPL 2017 (arXiv:1608.04363): convolutions of 5 x 5, pooling after
each, dropout and L2 before a small dense layer. Newer: batch normalisation, two more layers, and in place of
the flattened picture one convolution over all that is left of the bands, then mean and maximum over time, so
that it does not matter when in the window something sounds.
"""

from __future__ import annotations

from detector.audio.logmel import LogMelParams
from detector.training.networks.architecture import SAMPLE_RATE, Architecture, Module, Tensor
from detector.training.recipe import NetworkOptions

WIDTH = 24
"""Channels of the first layer."""
BANDS = 128
DROPOUT = 0.3

FRONT_END = LogMelParams(
    sample_rate=SAMPLE_RATE,
    frame=1488,  # 46.5 ms
    hop=744,  # 128 frames in 3 s
    fft=2048,
    bands=BANDS,
    low_hz=50.0,
    high_hz=15_000.0,
    log_offset=1e-5,
    power=2,
)


def build(classes: int, options: NetworkOptions) -> Module:
    """Build it."""
    import torch
    from torch import nn

    width = options.width or WIDTH

    def layer(channels: int, out: int, size: int, pool: int, stride: int = 1) -> Module:
        parts = [
            nn.Conv2d(channels, out, size, stride=stride, padding=size // 2, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        ]
        return nn.Sequential(*parts, nn.MaxPool2d(pool)) if pool > 1 else nn.Sequential(*parts)

    class Cnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.standardise = nn.BatchNorm2d(1, affine=False)
            self.layers = nn.Sequential(
                layer(1, width, 5, 2, stride=2),  # (width, 32, 32)
                layer(width, 2 * width, 5, 2),  # (2 width, 16, 16)
                layer(2 * width, 4 * width, 3, 2),  # (4 width, 8, 8)
                layer(4 * width, 8 * width, 3, 1),
            )
            self.all_bands = nn.Sequential(
                nn.Conv2d(8 * width, 8 * width, (1, BANDS // 16), bias=False),  # (8 width, 8, 1)
                nn.BatchNorm2d(8 * width),
                nn.ReLU(),
            )
            self.dropout = nn.Dropout(DROPOUT)
            self.hidden = nn.Linear(16 * width, 64)
            self.relu = nn.ReLU()
            self.logits = nn.Linear(64, classes)

        def forward(self, patch: Tensor) -> Tensor:
            seen = self.all_bands(self.layers(self.standardise(patch)))
            over_time = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1)
            return self.logits(self.dropout(self.relu(self.hidden(self.dropout(over_time)))))

    return Cnn()


CNN = Architecture(
    description="a spectrogram CNN trained from scratch",
    front_end=FRONT_END,
    build=build,
    epochs=40,
    batch=32,
    learning_rate=3e-3,
    weight_decay=0.02,
)
