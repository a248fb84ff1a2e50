"""`sound-detector fleet`: which daemons are alive, and what was lost."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from detector.cli.command import Command
from detector.cli.setting_options import SettingOptions

EXAMPLES = """\
examples:
  sound-detector fleet sqlite:fleet.db
  sound-detector fleet postgresql:///sounds --json
  sound-detector fleet parquet:events
"""


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """What `fleet` is asked for."""

    database: str
    as_json: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    parser.add_argument(
        "database",
        metavar="DATABASE",
        help="what `collect` writes into: sqlite:FILE, postgresql://HOST/DATABASE or parquet:FOLDER",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each daemon")


def read_request(options: argparse.Namespace) -> FleetRequest:
    """Read what was asked for."""
    return FleetRequest(options.database, options.json)


def execute(request: FleetRequest, _options: SettingOptions) -> int:
    """Print it."""
    from detector.assemble.fleet_collecting import show_fleet

    return show_fleet(request.database, json=request.as_json)


COMMAND = Command(
    name="fleet",
    summary="show which daemons are alive, and what was lost",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
