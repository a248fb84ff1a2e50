"""`sound-detector status`: what state a running daemon is in."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.connection_flags import add_connection_flags, credentials, daemon_uris
from detector.cli.setting_options import SettingOptions

if TYPE_CHECKING:
    from detector.subscriber.client import Credentials

EXAMPLES = """\
examples:
  sound-detector status                   your own daemon, or else the service
  sound-detector status --json            for a script
  sound-detector status tls://pi.local:8765 --token-file token --ca pi.pem
"""


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """What `status` is asked for."""

    uris: tuple[str, ...]
    """Where to look for a daemon, in this order."""
    credentials: Credentials
    as_json: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    add_connection_flags(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def read_request(options: argparse.Namespace) -> StatusRequest:
    """Read what was asked for."""
    return StatusRequest(daemon_uris(options), credentials(options), options.json)


def execute(request: StatusRequest, _options: SettingOptions) -> int:
    """Print the daemon's report."""
    from detector.subscriber.report_printer import status_command

    return status_command(request.uris, credentials=request.credentials, as_json=request.as_json)


COMMAND = Command(
    name="status",
    summary="show the state of a running daemon: sound level, losses, CPU and memory",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
