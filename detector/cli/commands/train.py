"""`sound-detector train`: a model for new sounds, from labelled clips or annotated recordings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.number_arguments import number, whole
from detector.cli.path_arguments import path
from detector.cli.setting_flags import add_config_flags
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import (
    add_annotations_flag,
    add_jobs_flag,
    add_layout_flag,
    add_overwrite_flag,
    add_quiet_flag,
    add_seed_flag,
)
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.training.command import TrainRequest
    from detector.training.head_recipe import HeadOptions
    from detector.training.recipe import NetworkOptions

ARCHITECTURES = ("cnn", "resnet18-dilated", "vgg", "image")
BASES = ("yamnet", "mn04", "yamnet+mn04")
HEADS = ("discriminant", "logistic", "mlp")
OPTIMIZERS = ("adam", "adagrad")
MOST_LAYERS = 3

EXAMPLES = """\
examples:
  sound-detector train sounds --out models/doorbell
  sound-detector train ESC-50-master --out models/esc50 --base yamnet
  sound-detector train sounds --out models/mine --head mlp --hidden 256,128
  sound-detector train recordings/ --annotations labels/ --out models/kitchen
  sound-detector train sounds --out models/mine --arch cnn --augment stretch
then listen with the new model:
  sound-detector --model ./models/doorbell
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    parser.add_argument(
        "paths",
        metavar="DATASET",
        nargs="+",
        type=path,
        help="a dataset of clips, with a folder for each class; with --annotations: recordings or folders of "
        "recordings",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=path,
        required=True,
        help="folder of the new model; its last part becomes the model's name",
    )
    add_overwrite_flag(parser, "replace the model in DIR")
    data = parser.add_argument_group("the data")
    add_layout_flag(data)
    add_annotations_flag(data)
    data.add_argument(
        "--licence", metavar="TEXT", default="unknown", help="licence of the data, such as CC-BY-4.0"
    )
    data.add_argument("--attribution", metavar="TEXT", default="", help="who made the data")
    head = parser.add_argument_group("a head: a classifier on top of a pretrained model (the default)")
    head.add_argument(
        "--base",
        choices=BASES,
        help="pretrained model whose embeddings the head reads (default yamnet+mn04, or yamnet where mn04 is "
        "missing)",
    )
    head.add_argument(
        "--head",
        choices=HEADS,
        help="kind of head: discriminant (default), which learns from simulated scenes; logistic (default "
        "with --annotations) or mlp, which has hidden layers, learn from the clips as they are",
    )
    head.add_argument(
        "--hidden",
        metavar="N,N",
        type=_layers,
        help="with --head mlp: units of its 1 to 3 hidden layers (default 256,128)",
    )
    head.add_argument("--optimizer", choices=OPTIMIZERS, help="with --head mlp: adam (default) or adagrad")
    network = parser.add_argument_group("a whole network, from spectrograms (needs sound-detector[networks])")
    network.add_argument("--arch", choices=ARCHITECTURES, help="train this network instead of a head")
    network.add_argument(
        "--augment",
        metavar="NAME",
        action="append",
        default=[],
        help="also train on altered clips: stretch, pitch, gain, noise, background, filter, specaugment or "
        "mixup; CLASS=NAME alters one class only; may be repeated",
    )
    network.add_argument(
        "--weights",
        metavar="FILE",
        type=path,
        help="with --arch image: read the ImageNet weights from FILE instead of downloading them",
    )
    network.add_argument(
        "--tensorboard", metavar="DIR", type=path, help="write logs for TensorBoard to this folder"
    )
    how = parser.add_argument_group("how to train")
    how.add_argument(
        "--window",
        metavar="S",
        type=number(0.25, 30, "seconds"),
        help="seconds of sound that a decision is based on (default: one window of the model; 3 with --head "
        "logistic or mlp)",
    )
    how.add_argument(
        "--epochs", metavar="N", type=whole(1), help="highest number of epochs (default with mlp: 60)"
    )
    how.add_argument("--batch", metavar="N", type=whole(1), help="number of examples in a batch")
    how.add_argument(
        "--folds",
        metavar="N",
        type=whole(2),
        help="number of folds for cross-validation (default: those of the dataset, or else 5)",
    )
    how.add_argument("--quick", action="store_true", help="validate on one fold only")
    add_seed_flag(how)
    add_jobs_flag(how)
    add_quiet_flag(how, "show no progress bars")
    how.add_argument(
        "--json",
        action="store_true",
        help="print JSON lines for programs: the progress, and at the end the result",
    )
    add_config_flags(parser)


def read_request(options: argparse.Namespace) -> TrainRequest:
    """Read what was asked for; raises ConfigError where flags of a head and of a network are mixed."""
    model = _head_options(options) if options.arch is None else _network_options(options)
    from detector.training.command import TrainRequest

    return TrainRequest(
        paths=tuple(options.paths),
        out=options.out,
        model=model,
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
        as_json=options.json,
    )


def execute(request: TrainRequest, options: SettingOptions) -> int:
    """Train the model and write it."""
    from detector.assemble.training import train_command

    return train_command(request, options.load())


def _head_options(options: argparse.Namespace) -> HeadOptions:
    of_network = {
        "--augment": options.augment,
        "--weights": options.weights,
        "--tensorboard": options.tensorboard,
    }
    for flag, value in of_network.items():
        if value:
            raise ConfigError(
                f"{flag} applies to whole networks only: add --arch, one of {', '.join(ARCHITECTURES)}"
            )
    of_mlp = {
        "--hidden": options.hidden,
        "--optimizer": options.optimizer,
        "--epochs": options.epochs,
        "--batch": options.batch,
    }
    for flag, value in of_mlp.items():
        if value is not None and options.head != "mlp":
            raise ConfigError(f"{flag} works with --head mlp only: other heads do not use it")
    from detector.training.head_recipe import CONTEXT_SECONDS, ONE_WINDOW_SECONDS, HeadOptions
    from detector.training.perceptron import PerceptronPlan

    plan = {name.removeprefix("--"): value for name, value in of_mlp.items() if value is not None}
    kind = options.head or ("logistic" if options.annotations else "discriminant")
    if kind == "discriminant" and options.annotations:
        raise ConfigError("--head discriminant learns from clips: with --annotations choose logistic or mlp")
    context = options.window or (ONE_WINDOW_SECONDS if kind == "discriminant" else CONTEXT_SECONDS)
    own = {"base": options.base, "kind": kind, "context_seconds": context}
    return HeadOptions(
        plan=PerceptronPlan(seed=options.seed, **plan),
        **{key: value for key, value in own.items() if value is not None},
    )


def _network_options(options: argparse.Namespace) -> NetworkOptions:
    of_head = {
        "--base": options.base,
        "--head": options.head,
        "--hidden": options.hidden,
        "--optimizer": options.optimizer,
    }
    for flag, value in of_head.items():
        if value is not None:
            raise ConfigError(
                f"{flag} applies to heads only, and --arch {options.arch} trains a whole network: "
                "leave one of them out"
            )
    from detector.training.augmentation import check_names
    from detector.training.recipe import NetworkOptions

    check_names(options.augment)
    if options.weights is not None and options.arch != "image":
        raise ConfigError(f"--weights works with --arch image only, not with --arch {options.arch}")
    return NetworkOptions(
        arch=options.arch,
        epochs=options.epochs,
        batch=options.batch,
        window_seconds=options.window,
        weights=options.weights,
        augment=tuple(options.augment),
        tensorboard=options.tensorboard,
        jobs=options.jobs,
    )


def _layers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not (
        len(parts) <= MOST_LAYERS and all(p.isascii() and p.isdigit() and 0 < int(p) < 5000 for p in parts)
    ):
        raise argparse.ArgumentTypeError(f"expected 1 to {MOST_LAYERS} sizes as in 256,128, got {text!r}")
    return tuple(int(part) for part in parts)


COMMAND = Command(
    name="train",
    summary="train a model for new sounds, from labelled clips or annotated recordings",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
