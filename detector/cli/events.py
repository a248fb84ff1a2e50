"""The grammar of `listen` and `history`: which of all the events, and how to show them."""

from __future__ import annotations

import argparse
from datetime import datetime

from detector.cli.connection import add_connection_flags
from detector.cli.number_arguments import number, whole
from detector.errors import ConfigError
from detector.history.when import parse_when

LISTEN_EXAMPLES = """\
examples:
  sound-detector listen                         all events of your own daemon, else of the service
  sound-detector listen --label Dog --min-score 0.5 --json
  sound-detector listen --since 0 --reconnect   first what is kept, then what comes, for ever
  sound-detector listen tls://pi.local:8765 --token-file token --ca pi.pem
"""

HISTORY_EXAMPLES = """\
examples:
  sound-detector history --since yesterday
  sound-detector history --since 2h --label Dog --label "Baby cry, infant cry"
  sound-detector history --since 2026-11-01 --limit 0 --format csv > november.csv
"""


def add_listen_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `listen`."""
    add_connection_flags(parser)
    _labels(parser)
    parser.add_argument(
        "--min-score",
        type=number(0, 1, "a score"),
        default=0.0,
        metavar="SCORE",
        help="only events with at least this score, 0..1",
    )
    parser.add_argument("--since", type=_seq, metavar="SEQ", help="first replay the events after this number")
    parser.add_argument("--json", action="store_true", help="JSON lines, also on a terminal")
    parser.add_argument(
        "--reconnect", action="store_true", help="wait for the daemon and come back when it was away"
    )


def add_history_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `history`."""
    for name, end in (("--since", "from this moment on"), ("--until", "before this moment")):
        parser.add_argument(
            name,
            metavar="WHEN",
            type=_when,
            help=f"{end}: 2026-11-20, '2026-11-20 14:30', 14:30, yesterday, 2h, '3 days ago' or seq:N",
        )
    _labels(parser)
    parser.add_argument(
        "--min-score",
        type=number(0, 1, "a score"),
        default=0.0,
        metavar="SCORE",
        help="only sounds whose top score is at least this, 0..1",
    )
    parser.add_argument(
        "--limit", type=whole(), default=100, metavar="N", help="the newest so many (default 100); 0 is all"
    )
    parser.add_argument(
        "--format",
        choices=("table", "json", "csv"),
        default="table",
        help="table in local time (default), JSON lines as in docs/protocol.md, or CSV",
    )
    parser.add_argument("--file", metavar="PATH", help="the history's file (default: as the daemon's)")
    parser.add_argument("--config", metavar="FILE", help="the config.yaml that names the file, as for run")


def _labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        dest="labels",
        metavar="LABEL",
        help="only this label; again for more",
    )


def _when(text: str) -> float | int:
    try:
        return parse_when(text, datetime.now())  # without a zone: the machine's own
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected the seq of an event, a whole number from 0, got {text!r}")
    return int(text)
