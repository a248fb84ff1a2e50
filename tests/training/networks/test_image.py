"""Laws of ImageNet's weights: torchvision's layout is taken, anything else is one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from detector.errors import ModelError  # noqa: E402
from detector.training.networks import image  # noqa: E402
from detector.training.networks.image import load_weights  # noqa: E402
from detector.training.networks.resnet import resnet18  # noqa: E402
from detector.training.recipe import NetworkOptions  # noqa: E402

NOWHERE = "http://127.0.0.1:1/resnet18-00000000.pth"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision publishes: a ResNet-18's state dict with a last layer of 1000."""
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.manual_seed(1)
    torch.save(resnet18(1000).state_dict(), file)
    return file


def test_the_layout_is_torchvisions(published: Path) -> None:
    """The names and shapes by which torchvision's published files are known."""
    shapes = {name: tuple(value.shape) for name, value in torch.load(published, weights_only=True).items()}
    assert len(shapes) == 122
    assert sum(value.numel() for value in resnet18(1000).parameters()) == 11_689_512
    assert shapes["conv1.weight"] == (64, 3, 7, 7)
    assert shapes["bn1.running_mean"] == (64,)
    assert shapes["layer1.0.conv1.weight"] == (64, 64, 3, 3)
    assert shapes["layer2.0.downsample.0.weight"] == (128, 64, 1, 1)
    assert shapes["layer2.0.downsample.1.running_var"] == (128,)
    assert shapes["layer4.1.bn2.num_batches_tracked"] == ()
    assert shapes["fc.weight"] == (1000, 512)


def test_all_but_the_last_layer_is_loaded(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = image.build(3, NetworkOptions(weights=published))
    loaded, stored = module[1].state_dict(), torch.load(published, weights_only=True)
    assert all(torch.equal(value, stored[name]) for name, value in loaded.items() if name[:3] != "fc.")
    assert loaded["fc.weight"].shape == (3, 512)
    assert capsys.readouterr().err == ""


def test_a_patch_becomes_a_picture_as_imagenets_are(published: Path) -> None:
    colours = image.build(3, NetworkOptions(weights=published))[0]
    silence, loud = (
        colours(torch.full((1, 1, 2, 2), level))[0, :, 0, 0] for level in (image.SILENCE, image.LOUD)
    )
    mean, deviation = torch.tensor(image.MEAN), torch.tensor(image.DEVIATION)
    torch.testing.assert_close(silence * deviation + mean, torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(loud * deviation + mean, torch.ones(3), atol=1e-5, rtol=0)


def test_without_weights_it_says_that_it_starts_from_random_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.hub.set_dir(str(tmp_path))
    load_weights(resnet18(2, width=8), None, NOWHERE)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "random weights" in told
    assert "--weights FILE" in told


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "not found"),
        (b"", "not a file of PyTorch weights"),
        (b"junk\n", "not a file of PyTorch weights"),
        (b"PK\x03\x04 no zip", "not a file of PyTorch weights"),
        ([1, 2], "expected named tensors"),
        ({"conv1.weight": torch.zeros(1)}, "no ResNet-18 of torchvision's layout: conv1.weight"),
    ],
)
def test_a_file_without_them_is_refused_in_one_line(tmp_path: Path, content: object, message: str) -> None:
    file = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    with pytest.raises(ModelError, match=message) as caught:
        load_weights(resnet18(2, width=8), file, NOWHERE)
    assert "\n" not in str(caught.value)
