"""`sound-detector check-config`: the effective settings, or every fault in them."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.setting_flags import add_setting_flags
from detector.cli.setting_options import SettingOptions
from detector.files.terminal import print_escaped, print_json

if TYPE_CHECKING:
    from detector.config.settings import Settings

EXAMPLES = """\
examples:
  sound-detector check-config                     each setting and its origin
  sound-detector check-config --config new.yaml   every fault with its line
  sound-detector check-config --model yamnet+doorbell --include Doorbell
"""


@dataclass(frozen=True, slots=True)
class CheckConfigRequest:
    """What `check-config` is asked for, besides settings."""

    as_json: bool = False
    """JSON in place of YAML with comments."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags: those of `run`."""
    add_setting_flags(
        parser,
        format_help="how to print the settings: text or auto (default) is YAML with comments, "
        "json is a JSON object",
    )


def read_request(options: argparse.Namespace) -> CheckConfigRequest:
    """Read what was asked for."""
    return CheckConfigRequest(as_json=options.format == "json")


def execute(request: CheckConfigRequest, options: SettingOptions) -> int:
    """Print the settings, and on standard error what this machine lacks for them: the settings are right."""
    from detector.assemble.endpoints import SINK_KINDS
    from detector.assemble.stages import check_labels
    from detector.config.rendering import render

    loaded = options.load()
    with loaded.locating_errors():
        check_labels(loaded.settings)
    from detector.assemble.machine_checks import what_is_missing

    for line in what_is_missing(loaded.settings, os.environ):
        print_escaped(f"sound-detector: this machine: {line}", sys.stderr)
    if request.as_json:
        print_json(_plain(loaded.settings))
    else:
        print(render(loaded, SINK_KINDS), end="")
    return 0


def _plain(settings: Settings) -> dict[str, object]:
    """Convert settings to plain data, as in a config file."""
    sinks = settings.sinks
    plain = None if sinks is None else [{"kind": sink.kind, **asdict(sink)} for sink in sinks]
    return asdict(settings) | {"sinks": plain}


COMMAND = Command(
    name="check-config",
    summary="print the effective settings, or every fault in them with its line",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
