"""The grammar of `train`, and what it asks for as plain values."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from detector.cli.number_arguments import number, whole
from detector.cli.setting_flags import add_config_flags
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.training.command import TrainRequest
    from detector.training.recipe import NetworkOptions

LAYOUTS = ("esc50", "urbansound8k", "folders")
ARCHITECTURES = ("cnn", "resnet18-dilated", "vgg", "image")
BASES = ("yamnet", "mn04", "yamnet+mn04")
HEADS = ("logistic", "mlp")
OPTIMIZERS = ("adam", "adagrad")
CONTEXT_SECONDS = 3.0
MOST_LAYERS = 3

EXAMPLES = """\
examples:
  sound-detector train sounds --out models/doorbell        a folder of clips for each class
  sound-detector train ESC-50-master --out models/esc50 --base yamnet+mn04
  sound-detector train sounds --out models/mine --head mlp --hidden 256,128 --optimizer adagrad
  sound-detector train recordings/ --annotations labels/ --out models/kitchen
  sound-detector train sounds --out models/mine --arch cnn --augment stretch --augment pitch
then:
  sound-detector --model ./models/doorbell
"""


def add_train_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `train`."""
    parser.add_argument(
        "paths",
        metavar="DATASET",
        nargs="+",
        type=Path,
        help="a folder of clips for each class; with --annotations: recordings or folders of them",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="the model; its last part is its name"
    )
    parser.add_argument("--overwrite", action="store_true", help="also where DIR holds a model")
    data = parser.add_argument_group("the data")
    data.add_argument("--layout", choices=LAYOUTS, help="of the dataset (default: what it looks like)")
    data.add_argument(
        "--annotations",
        metavar="DIR|TABLE",
        type=Path,
        help="folder with one file for each recording: .txt (Audacity), .csv, .tsv, .jams or .rttm; or one "
        ".csv or .tsv with a column filename for all",
    )
    data.add_argument("--licence", metavar="TEXT", default="unknown", help="of the data, as CC-BY-4.0")
    data.add_argument("--attribution", metavar="TEXT", default="", help="who made the data")
    head = parser.add_argument_group("a head on a model that is there (the default)")
    head.add_argument("--base", choices=BASES, help="whose embeddings it reads (default yamnet)")
    head.add_argument("--head", choices=HEADS, help="logistic (default), or mlp with hidden layers")
    head.add_argument(
        "--hidden", metavar="N,N", type=_layers, help="mlp: units of 1 to 3 layers (default 256,128)"
    )
    head.add_argument("--optimizer", choices=OPTIMIZERS, help="mlp: adam (default) or adagrad")
    network = parser.add_argument_group("a network from spectrograms (needs sound-detector[networks])")
    network.add_argument("--arch", choices=ARCHITECTURES, help="instead of a head")
    network.add_argument(
        "--augment",
        metavar="NAME",
        action="append",
        default=[],
        help="stretch, pitch, gain, noise, background, filter, specaugment or mixup; CLASS=NAME for one "
        "class; again for more",
    )
    network.add_argument("--weights", metavar="FILE", type=Path, help="image: ImageNet weights from a file")
    network.add_argument("--tensorboard", metavar="DIR", type=Path, help="write TensorBoard's files there")
    how = parser.add_argument_group("how to train")
    how.add_argument(
        "--window",
        metavar="S",
        type=number(0.25, 30, "seconds"),
        help="seconds that a head looks back over, or that a network hears at once (default 3)",
    )
    how.add_argument("--epochs", metavar="N", type=whole(1), help="at most (mlp: default 60)")
    how.add_argument("--batch", metavar="N", type=whole(1), help="examples in a step")
    how.add_argument(
        "--folds", metavar="N", type=whole(2), help="to try it out on (default: the dataset's own, else 5)"
    )
    how.add_argument("--quick", action="store_true", help="try it out on one fold only")
    how.add_argument(
        "--seed", metavar="N", type=whole(), default=0, help="the same gives the same (default 0)"
    )
    how.add_argument(
        "-j", "--jobs", metavar="N", type=whole(0, 1024), default=0, help="processes (default: each core)"
    )
    how.add_argument("-q", "--quiet", action="store_true", help="no progress bars")
    add_config_flags(parser)


def check_train_flags(options: argparse.Namespace) -> None:
    """ConfigError where flags of a head and of a network are mixed, or one has nothing to act on."""
    head = {"--base": options.base, "--head": options.head}
    mlp = {"--hidden": options.hidden, "--optimizer": options.optimizer}
    network = {
        "--augment": options.augment,
        "--weights": options.weights,
        "--tensorboard": options.tensorboard,
    }
    if options.arch is not None:
        for flag, value in (head | mlp).items():
            if value is not None:
                raise ConfigError(
                    f"{flag} is about a head; --arch {options.arch} trains a network without one"
                )
        from detector.training.augmentation import check_names

        check_names(options.augment)
        if options.weights is not None and options.arch != "image":
            raise ConfigError(f"--weights is about --arch image, not {options.arch}")
        return
    for flag, value in network.items():
        if value:
            raise ConfigError(f"{flag} is about networks; add --arch, one of {', '.join(ARCHITECTURES)}")
    for flag, value in (mlp | {"--epochs": options.epochs, "--batch": options.batch}).items():
        if value is not None and options.head != "mlp":
            raise ConfigError(f"{flag} is about --head mlp; a logistic head has none")


def train_request(options: argparse.Namespace) -> TrainRequest:
    """What `train` was asked for."""
    from detector.training.command import TrainRequest

    return TrainRequest(
        paths=tuple(options.paths),
        out=options.out,
        annotations=options.annotations,
        layout=options.layout,
        licence=options.licence,
        attribution=options.attribution,
        folds=options.folds,
        quick=options.quick,
        seed=options.seed,
        overwrite=options.overwrite,
        jobs=options.jobs,
        quiet=options.quiet,
    )


def network_options(options: argparse.Namespace, *, level: bool, cache: Path) -> NetworkOptions:
    """What was said of a network."""
    from detector.training.recipe import NetworkOptions

    return NetworkOptions(
        epochs=options.epochs,
        batch=options.batch,
        window_seconds=options.window,
        weights=options.weights,
        augment=tuple(options.augment),
        tensorboard=options.tensorboard,
        jobs=options.jobs,
        level=level,
        cache=cache,
    )


def _layers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not (
        len(parts) <= MOST_LAYERS and all(p.isascii() and p.isdigit() and 0 < int(p) < 5000 for p in parts)
    ):
        raise argparse.ArgumentTypeError(f"expected 1 to {MOST_LAYERS} sizes as in 256,128, got {text!r}")
    return tuple(int(part) for part in parts)
