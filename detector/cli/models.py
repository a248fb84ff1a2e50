"""The flags of `models list | pull | verify | info`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

EXAMPLES = """\
examples:
  sound-detector models list                      what there is, and what it could run on now
  sound-detector models pull yamnet               bring the default model to this machine
  sound-detector models pull yamnet+mn04          what both need
  sound-detector models pull mn04 --from mn04_as_mAP_432.pt      from a file that you have
  sound-detector models verify                    check the files of all that are here
  sound-detector models info yamnet --labels      what it can name, and from which score on
"""

AddCommand = Callable[
    ["argparse._SubParsersAction[argparse.ArgumentParser]", str, str], argparse.ArgumentParser
]


def add_models(parser: argparse.ArgumentParser, add: AddCommand) -> None:
    """Add its actions; `add` makes the parser of one."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add(actions, "list", "list the models and whether they are on this machine")
    listing.add_argument("--json", action="store_true", help="as a JSON list")
    pull = add(actions, "pull", "bring a model to this machine, checked by its sha256")
    pull.add_argument("name", metavar="NAME", help="as for --model: yamnet, yamnet+mn04, a folder")
    pull.add_argument(
        "--from", dest="from_file", metavar="FILE", help="take it from a file instead of the network"
    )
    pull.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    verify = add(actions, "verify", "check the files of these models, or of all, against their sha256")
    verify.add_argument("names", metavar="NAME", nargs="*", help="as for --model (default: all)")
    info = add(actions, "info", "describe a model: licence, figures, where its files lie")
    info.add_argument(
        "name", metavar="NAME", nargs="?", default="yamnet", help="as for --model (default yamnet)"
    )
    info.add_argument("--labels", action="store_true", help="list its labels with their thresholds")
    info.add_argument("--json", action="store_true", help="as a JSON object")
