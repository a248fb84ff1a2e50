"""`sound-detector listen`: print the events of a running daemon."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.connection_flags import add_connection_flags, credentials, daemon_uris
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_event_filter_flags

if TYPE_CHECKING:
    from detector.subscriber.client import Credentials

EXAMPLES = """\
examples:
  sound-detector listen                         all events
  sound-detector listen --label Dog --min-score 0.5 --json
  sound-detector listen --since 0 --reconnect   stored events, then new ones
  sound-detector listen tls://pi.local:8765 --token-file token --ca pi.pem
"""


@dataclass(frozen=True, slots=True)
class ListenRequest:
    """What `listen` is asked for."""

    uris: tuple[str, ...]
    """Where to look for a daemon, in this order."""
    credentials: Credentials
    labels: tuple[str, ...] = ()
    """Empty is all."""
    min_score: float = 0.0
    since: int | None = None
    """Number of the event after which to begin; None is the newest."""
    as_json: bool = False
    reconnect: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    add_connection_flags(parser)
    add_event_filter_flags(parser, score="score")
    parser.add_argument(
        "--since",
        type=_sequence_number,
        metavar="SEQ",
        help="first print the stored events after this sequence number; 0 is all of them",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines, also on a terminal")
    parser.add_argument(
        "--reconnect", action="store_true", help="wait for the daemon, and connect again when it was away"
    )


def read_request(options: argparse.Namespace) -> ListenRequest:
    """Read what was asked for."""
    return ListenRequest(
        uris=daemon_uris(options),
        credentials=credentials(options),
        labels=tuple(options.labels),
        min_score=options.min_score,
        since=options.since,
        as_json=options.json,
        reconnect=options.reconnect,
    )


def execute(request: ListenRequest, _options: SettingOptions) -> int:
    """Print events until the daemon ends."""
    from detector.subscriber.event_printer import listen

    return listen(
        request.uris,
        labels=request.labels,
        min_score=request.min_score,
        since=request.since,
        format="json" if request.as_json else "auto",
        reconnect=request.reconnect,
        credentials=request.credentials,
    )


def _sequence_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected the seq of an event, a whole number from 0, got {text!r}")
    return int(text)


COMMAND = Command(
    name="listen",
    summary="print the events of a running daemon",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
