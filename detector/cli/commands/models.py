"""`sound-detector models list | pull | verify | info | groups`: the models on this machine."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Literal

from detector.cli.command import Command, add_parser
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_quiet_flag

EXAMPLES = """\
examples:
  sound-detector models list                   which models there are
  sound-detector models pull yamnet+mn04       download the default networks
  sound-detector models pull yamnet            only one, for slow computers
  sound-detector models pull yamnet+mn04 --from mn04_as_mAP_432.pt
  sound-detector models verify                 check the files of all models
  sound-detector models info yamnet --labels   its labels and their thresholds
  sound-detector models groups                 groups of labels: alarms, ...
"""


@dataclass(frozen=True, slots=True)
class ModelsRequest:
    """What `models` is asked for; fields that an action does not have keep their defaults."""

    action: Literal["list", "pull", "verify", "info", "groups"]
    names: tuple[str, ...] = ()
    """One for pull; none means all for verify, and the default model for info and groups."""
    from_file: str | None = None
    labels: bool = False
    as_json: bool = False
    quiet: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its actions, and their flags."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add_parser(
        actions, "list", "list the models and say which of them can run on this machine", EXAMPLES
    )
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    pull = add_parser(actions, "pull", "download a model and check its sha256", EXAMPLES)
    pull.add_argument(
        "names", metavar="NAME", nargs=1, help="as for --model: yamnet, yamnet+mn04 or a folder"
    )
    pull.add_argument(
        "--from", dest="from_file", metavar="FILE", help="read the model from FILE instead of downloading it"
    )
    add_quiet_flag(pull)
    verify = add_parser(actions, "verify", "check the files of models against their sha256", EXAMPLES)
    verify.add_argument("names", metavar="NAME", nargs="*", help="as for --model (default: all models)")
    info = add_parser(
        actions, "info", "describe a model: its licence, its figures and where its files are", EXAMPLES
    )
    info.add_argument(
        "names",
        metavar="NAME",
        nargs="?",
        default=(),
        help="as for --model (default: the model that runs without --model)",
    )
    info.add_argument("--labels", action="store_true", help="also list its labels and their thresholds")
    info.add_argument("--json", action="store_true", help="print a JSON object")
    groups = add_parser(
        actions,
        "groups",
        "list the groups of labels, such as alarms, and what a model reports of each",
        EXAMPLES,
    )
    groups.add_argument(
        "names",
        metavar="NAME",
        nargs="?",
        default=(),
        help="as for --model (default: the model that runs without --model)",
    )
    groups.add_argument("--json", action="store_true", help="print a JSON list")


def read_request(options: argparse.Namespace) -> ModelsRequest:
    """Read what was asked for."""
    names = getattr(options, "names", ())
    return ModelsRequest(
        action=options.action,
        names=(names,) if isinstance(names, str) else tuple(names),
        from_file=getattr(options, "from_file", None),
        labels=getattr(options, "labels", False),
        as_json=getattr(options, "json", False),
        quiet=getattr(options, "quiet", False),
    )


def execute(request: ModelsRequest, _options: SettingOptions) -> int:
    """Do what the action says."""
    from detector.modelstore import commands

    if request.action == "list":
        return commands.list_models(as_json=request.as_json)
    if request.action == "verify":
        return commands.verify_models(list(request.names))
    if request.action == "pull":
        (name,) = request.names
        return commands.pull_model(name, from_file=request.from_file, quiet=request.quiet)
    named = next(iter(request.names), None)
    if request.action == "groups":
        return commands.list_groups(named, as_json=request.as_json)
    return commands.info_model(named, as_json=request.as_json, labels=request.labels)


COMMAND = Command(
    name="models",
    summary="list, download, check or describe models",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
