"""`sound-detector notify`: the rules of notifications, and a test notice to each target."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from detector.cli.command import Command
from detector.cli.setting_options import SettingOptions

EXAMPLES = """\
examples:
  sound-detector notify                        the rules and their targets
  sound-detector notify --test                 send a test notice to each target
  sound-detector notify --test --target phone  to one of them
"""


@dataclass(frozen=True, slots=True)
class NotifyRequest:
    """What `notify` is asked for."""

    test: bool = False
    targets: tuple[str, ...] = ()
    """Names of targets to test; empty is all."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    parser.add_argument(
        "--test", action="store_true", help="send a test notice to each target and say what became of it"
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        dest="targets",
        metavar="NAME",
        help="test only this target; may be repeated",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="config.yaml with the section `notify` (default: as for run)"
    )


def read_request(options: argparse.Namespace) -> NotifyRequest:
    """Read what was asked for."""
    return NotifyRequest(options.test or bool(options.targets), tuple(options.targets))


def execute(request: NotifyRequest, options: SettingOptions) -> int:
    """List the rules, or test the targets."""
    from detector.assemble.notify_trial import list_rules, try_targets

    settings = options.load().settings.notify
    return try_targets(settings, request.targets) if request.test else list_rules(settings)


COMMAND = Command(
    name="notify",
    summary="list the rules of notifications, or send a test notice to each target",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
