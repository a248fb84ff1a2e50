"""`sound-detector devices`: list the microphones."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from detector.cli.command import Command
from detector.cli.setting_flags import device_argument
from detector.cli.setting_options import SettingOptions

EXAMPLES = """\
examples:
  sound-detector devices                list them; * marks the one that is used
  sound-detector devices --device usb   which one has "usb" in its name?
  sound-detector --device "USB Audio"   then listen to it
"""


@dataclass(frozen=True, slots=True)
class DevicesRequest:
    """What `devices` is asked for."""

    device: int | str | None = None
    """The microphone to mark, as for `run`; None is the system's default."""
    as_json: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        type=device_argument,
        help="mark the microphone that run --device DEVICE would use (default: the system's default)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def read_request(options: argparse.Namespace) -> DevicesRequest:
    """Read what was asked for."""
    return DevicesRequest(device=options.device, as_json=options.json)


def execute(request: DevicesRequest, _options: SettingOptions) -> int:
    """Print the list."""
    from detector.sources.device_list import devices_command

    return devices_command(request.device, request.as_json)


COMMAND = Command(
    name="devices",
    summary="list the microphones and show which one is used",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
