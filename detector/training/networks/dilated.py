"""A ResNet-18 that looks at several scales at once: convolutions of dilation 1, 2, 3 and 4 side by side.

64 log-mel bands, windows of 46 ms every 23 ms, as in the issue's table; `dilations` of one number gives the
network without them: as many channels, all of that dilation. `width` thins everything (64 is ResNet-18's).
Source of the idea: Yu and Koltun, "Multi-scale context aggregation by dilated convolutions", 2016
(arXiv:1511.07122).
"""

from __future__ import annotations

from detector.audio.logmel import LogMelParams
from detector.training.networks import resnet
from detector.training.networks.architecture import SAMPLE_RATE, Architecture, Module, Tensor
from detector.training.recipe import NetworkOptions

DILATIONS = (1, 2, 3, 4)
FRONT_SHARE = 4
"""The front has this share of the ResNet's channels, and at least MIN_FRONT."""
MIN_FRONT = 8

FRONT_END = LogMelParams(
    sample_rate=SAMPLE_RATE,
    frame=1472,  # 46 ms
    hop=736,  # 23 ms
    fft=2048,
    bands=64,
    low_hz=50.0,
    high_hz=15_000.0,
    log_offset=1e-5,
    power=2,
)


def build(classes: int, options: NetworkOptions) -> Module:
    """Build it."""
    import torch
    from torch import nn

    width = options.width or resnet.WIDTH
    dilations = options.dilations or DILATIONS
    each = max(MIN_FRONT, width // FRONT_SHARE) // len(dilations) or 1

    class Dilated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.standardise = nn.BatchNorm2d(1, affine=False)
            self.scales = nn.ModuleList(
                nn.Conv2d(1, each, 3, padding=step, dilation=step, bias=False) for step in dilations
            )
            self.norm = nn.BatchNorm2d(each * len(dilations))
            self.relu = nn.ReLU()
            self.resnet = resnet.resnet18(classes, channels=each * len(dilations), width=width)

        def forward(self, patch: Tensor) -> Tensor:
            patch = self.standardise(patch)
            seen = torch.cat([scale(patch) for scale in self.scales], 1)
            return self.resnet(self.relu(self.norm(seen)))

    return Dilated()


DILATED = Architecture(
    description="a ResNet-18 behind convolutions of several dilations, trained from scratch",
    front_end=FRONT_END,
    build=build,
    epochs=40,
    batch=32,
    learning_rate=2e-3,
    weight_decay=0.02,
)
