"""`sound-detector verdict`: say that an event was right, was wrong, or what it really was."""

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
  sound-detector verdict last wrong            the newest event was not that
  sound-detector verdict 3f9a-17 right         the event whose id ends so was
  sound-detector verdict last Cough            it was a cough
  sound-detector verdicts list                 what was said so far
"""


@dataclass(frozen=True, slots=True)
class VerdictRequest:
    """What `verdict` is asked for."""

    id: str
    said: str
    uris: tuple[str, ...]
    """Where to look for a daemon, in this order."""
    credentials: Credentials
    chosen_daemon: bool = False
    """Whether the address was given, so that only that daemon is meant."""
    file: str | None = None
    as_json: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    parser.add_argument(
        "id",
        metavar="ID",
        help="the event: its id, the beginning or the end of it, or `last` for the newest event",
    )
    parser.add_argument("said", metavar="SAID", help="`right`, `wrong`, or the label that is right")
    add_connection_flags(parser)
    add_verdict_file_flags(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def add_verdict_file_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the history in which verdicts are."""
    parser.add_argument(
        "--file", metavar="PATH", help="write to this history, without asking a daemon (default: ask one)"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="config.yaml that names the history (default: as for run)"
    )


def read_request(options: argparse.Namespace) -> VerdictRequest:
    """Read what was asked for."""
    return VerdictRequest(
        options.id,
        options.said,
        () if options.file else daemon_uris(options),
        credentials(options),
        chosen_daemon=options.uri is not None,
        file=options.file,
        as_json=options.json,
    )


def execute(request: VerdictRequest, options: SettingOptions) -> int:
    """Give the verdict."""
    from detector.assemble.verdict_giving import give_verdict
    from detector.wire.request import VerdictLine

    return give_verdict(
        VerdictLine(id=request.id, said=request.said),
        options.load,
        uris=request.uris,
        credentials=request.credentials,
        file=request.file,
        chosen_daemon=request.chosen_daemon,
        as_json=request.as_json,
    )


COMMAND = Command(
    name="verdict",
    summary="say that an event was right or wrong, so that the daemon learns your room",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
