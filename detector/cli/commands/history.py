"""`sound-detector history`: the sounds that were heard, from the file that keeps every event."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.number_arguments import whole
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_event_filter_flags
from detector.errors import ConfigError
from detector.history.when import parse_when

if TYPE_CHECKING:
    from detector.history.archive import Query

EXAMPLES = """\
examples:
  sound-detector history --since yesterday
  sound-detector history --since 2h --label Dog --label "Baby cry, infant cry"
  sound-detector history --since 2026-11-01 --limit 0 --format csv > nov.csv
  sound-detector history --levels --since 1h     the sound level of each minute
"""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What `history` is asked for."""

    query: Query
    """Which sounds."""
    format: str = "table"
    file: str | None = None
    """None is the file that the settings name."""
    ids: bool = False
    vetoed: bool = False
    """Show the sounds that verdicts vetoed instead of those that were told."""
    levels: bool = False
    """Show the sound level of each minute instead of sounds."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    for name, end in (("--since", "from this moment on"), ("--until", "before this moment")):
        parser.add_argument(
            name,
            metavar="WHEN",
            type=_when,
            help=f"{end}: 2026-11-20, '2026-11-20 14:30', 14:30, yesterday, 2h, '3 days ago' or seq:N",
        )
    add_event_filter_flags(parser, score="top score")
    parser.add_argument(
        "--limit",
        type=whole(),
        default=100,
        metavar="N",
        help="show only the newest N sounds, or minutes (default 100); 0 shows all",
    )
    parser.add_argument(
        "--format",
        choices=("table", "json", "csv"),
        default="table",
        help="table in local time (default), JSON lines as in docs/protocol.md, or CSV",
    )
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="the same as --format json"
    )
    parser.add_argument("--ids", action="store_true", help="also show each sound's id, as `verdict` takes it")
    parser.add_argument(
        "--levels",
        action="store_true",
        help="show the sound level of each minute instead: LAeq, the loudest 30 ms, L10, L90 [dBFS], and the "
        "seconds heard and lost",
    )
    parser.add_argument(
        "--vetoed", action="store_true", help="show the sounds that your verdicts kept from being told"
    )
    parser.add_argument(
        "--file", metavar="PATH", help="file of the history (default: the one that the daemon writes)"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="config.yaml that names the file (default: as for run)"
    )


def read_request(options: argparse.Namespace) -> HistoryRequest:
    """Read what was asked for."""
    from detector.history.archive import Query

    query = Query(
        options.since,
        options.until,
        labels=tuple(options.labels),
        min_score=options.min_score,
        limit=options.limit,
    )
    if options.levels:
        _check_levels(options)
    return HistoryRequest(
        query,
        options.format,
        options.file,
        ids=options.ids,
        vetoed=options.vetoed,
        levels=options.levels,
    )


def execute(request: HistoryRequest, options: SettingOptions) -> int:
    """Print the sounds."""
    from detector.history.command import history_command
    from detector.history.history_paths import reading_paths

    paths = reading_paths(request.file or options.load().settings.history.path, os.environ)
    query = request.query
    if request.levels:
        from detector.history.level_listing import levels_command

        return levels_command(
            paths, since=query.since, until=query.until, limit=query.limit, format=request.format
        )
    return history_command(
        paths,
        query,
        format=request.format,
        ids=request.ids,
        vetoed=request.vetoed,
    )


def _check_levels(options: argparse.Namespace) -> None:
    """Raise ConfigError for what chooses events: a minute has no label, score or number."""
    chosen = {
        "--label": options.labels,
        "--min-score": options.min_score,
        "--ids": options.ids,
        "--vetoed": options.vetoed,
    }
    for flag, value in chosen.items():
        if value:
            raise ConfigError(f"--levels shows minutes, not events: leave {flag} out")
    if isinstance(options.since, int) or isinstance(options.until, int):
        raise ConfigError("--levels shows minutes, not events: seq:N is the number of an event")


def _when(text: str) -> float | int:
    try:
        return parse_when(text, datetime.now())  # without a zone: the machine's own
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


COMMAND = Command(
    name="history",
    summary="show the sounds that were heard, one row for each",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
