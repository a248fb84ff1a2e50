"""Laws of exporting: the graph of a module, in numpy, ONNX and TFLite, says what PyTorch says."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from detector.errors import ModelError  # noqa: E402
from detector.graphs.onnx_file import to_onnx  # noqa: E402
from detector.graphs.tflite_file import to_tflite  # noqa: E402
from detector.training.networks import ARCHITECTURES  # noqa: E402
from detector.training.networks.export import to_graph  # noqa: E402
from detector.training.networks.resnet import resnet18  # noqa: E402
from detector.training.recipe import NetworkOptions  # noqa: E402
from tests.support.runtimes import run_onnx, run_tflite  # noqa: E402

TOLERANCE = 2e-5
"""Of a score, 0..1, for a network of eighteen layers in float32."""
SMALL = NetworkOptions(width=8)


def lived(module: torch.nn.Module) -> torch.nn.Module:
    """Give every norm a past, as training does, so that folding it matters."""
    generator = torch.Generator().manual_seed(4)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2, generator=generator)
            part.running_var.uniform_(0.5, 1.5, generator=generator)
    return module.eval()


def assert_agrees(module: torch.nn.Module, frames: int, bands: int, *, multilabel: bool) -> None:
    patches = np.random.default_rng(1).normal(-3, 3, (2, frames, bands)).astype(np.float32)
    graph = to_graph(module, frames, bands, multilabel=multilabel)
    with torch.no_grad():
        logits = module(torch.from_numpy(patches).unsqueeze(1))
    wanted = (torch.sigmoid(logits) if multilabel else torch.softmax(logits, 1)).numpy()
    np.testing.assert_allclose(graph.run(patches), wanted, atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(run_onnx(to_onnx(graph), patches), wanted, atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(run_tflite(to_tflite(graph), patches), wanted, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("arch", ["cnn", "resnet18-dilated", "vgg"])
@pytest.mark.parametrize("multilabel", [False, True])
def test_every_architecture_from_scratch_agrees(arch: str, multilabel: bool) -> None:
    torch.manual_seed(3)
    architecture = ARCHITECTURES[arch]
    module = lived(architecture.build(4, SMALL))
    assert_agrees(module, 128, architecture.front_end.bands, multilabel=multilabel)


def test_the_picture_of_a_patch_agrees() -> None:
    """A thin `image`: three colours in front of a ResNet-18."""
    torch.manual_seed(3)
    colours = torch.nn.Conv2d(1, 3, 1)
    module = lived(torch.nn.Sequential(colours, resnet18(4, width=8)))
    assert_agrees(module, 64, 64, multilabel=False)


def test_without_dilations_there_are_as_many_channels() -> None:
    with_them = ARCHITECTURES["resnet18-dilated"].build(3, SMALL)
    without = ARCHITECTURES["resnet18-dilated"].build(3, NetworkOptions(width=8, dilations=(1,)))
    sizes = [sum(part.numel() for part in module.parameters()) for module in (with_them, without)]
    assert sizes[0] == sizes[1]
    assert [scale.dilation for scale in with_them.scales] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_module_stays_as_it_was() -> None:
    """Exporting neither ends training nor changes weights."""
    module = ARCHITECTURES["cnn"].build(3, SMALL).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    to_graph(module, 128, 128, multilabel=False)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.GELU(),
        torch.nn.Conv2d(2, 2, 3, groups=2),
        torch.nn.Conv2d(2, 2, 3, padding="same"),
        torch.nn.AdaptiveAvgPool2d(2),
    ],
)
def test_a_layer_without_counterpart_is_named(layer: torch.nn.Module) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), layer)
    with pytest.raises(ModelError, match="cannot be written as a graph"):
        to_graph(module, 16, 16, multilabel=False)
