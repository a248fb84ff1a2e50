"""ResNet-18, its parts named as torchvision names them: conv1, bn1, layer1.0.conv1 ... layer4.1.bn2, fc.

Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015 (arXiv:1512.03385), Table 1;
the names are those of torchvision's published state dicts, so that these can be loaded.
"""

from __future__ import annotations

from detector.training.networks.architecture import Module, Tensor

WIDTH = 64
"""Channels of the first layer; each of the last three groups doubles them."""


def resnet18(classes: int, *, channels: int = 3, width: int = WIDTH) -> Module:
    """Build one that takes pictures of so many channels."""
    from torch import nn

    class BasicBlock(nn.Module):
        def __init__(self, before: int, after: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(after)
            self.relu = nn.ReLU()
            self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(after)
            self.downsample: Module = nn.Identity()
            if stride > 1 or before != after:
                shortcut = nn.Conv2d(before, after, 1, stride=stride, bias=False)
                self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(after))

        def forward(self, given: Tensor) -> Tensor:
            now = self.relu(self.bn1(self.conv1(given)))
            return self.relu(self.bn2(self.conv2(now)) + self.downsample(given))

    class ResNet18(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.relu = nn.ReLU()
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
            self.layer1 = self._group(width, width, 1)
            self.layer2 = self._group(width, 2 * width, 2)
            self.layer3 = self._group(2 * width, 4 * width, 2)
            self.layer4 = self._group(4 * width, 8 * width, 2)
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.flatten = nn.Flatten()
            self.dropout = nn.Dropout(0.2)
            self.fc = nn.Linear(8 * width, classes)

        @staticmethod
        def _group(before: int, after: int, stride: int) -> Module:
            return nn.Sequential(BasicBlock(before, after, stride), BasicBlock(after, after, 1))

        def forward(self, picture: Tensor) -> Tensor:
            now = self.maxpool(self.relu(self.bn1(self.conv1(picture))))
            now = self.layer4(self.layer3(self.layer2(self.layer1(now))))
            return self.fc(self.dropout(self.flatten(self.avgpool(now))))

    return ResNet18()
