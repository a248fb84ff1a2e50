"""The grammar of `sound-detector analyze`."""

from __future__ import annotations

import argparse

from detector.cli.number_arguments import whole
from detector.cli.setting_flags import add_config_flags, add_hearing_flags
from detector.errors import ConfigError

FORMATS = ("jsonl", "csv", "audacity", "raven", "rttm", "text", "scores")
"""Those of `detector.analysis.formats`, named here so that the daemon need not load them."""

MOST_JOBS = 1024

EXAMPLES = """\
examples:
  sound-detector analyze match.wav                         events as JSON lines, a summary at the end
  sound-detector analyze --out results recordings/         a folder, on all cores; again: what is missing
  sound-detector analyze --out results --report night.flac a page with a picture, the summary and all events
  sound-detector analyze --format audacity match.wav > labels.txt
  sound-detector analyze --out results --format csv --format scores --include Dog recordings/
  sound-detector analyze --start-time 2026-11-20T22:00:00 night.m4a
"""


def add_analyze_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    parser.add_argument(
        "places", metavar="FILE|FOLDER", nargs="+", help="recordings, and folders with recordings in them"
    )
    output = parser.add_argument_group("what to write")
    output.add_argument(
        "--out",
        metavar="DIR",
        help="a folder for the results; what it already holds is left out (default: standard output)",
    )
    output.add_argument("--overwrite", action="store_true", help="analyze anew what DIR already holds")
    output.add_argument(
        "--format",
        dest="formats",
        action="append",
        choices=FORMATS,
        help="jsonl (default; text on a terminal), csv, audacity, raven, rttm, text, "
        "or scores: NAME.scores.npz; again for more",
    )
    output.add_argument(
        "--plot", action="store_true", help="NAME.png: a spectrogram over the labels' timeline"
    )
    output.add_argument(
        "--report", action="store_true", help="NAME.report.html: picture, summary and events in one page"
    )
    output.add_argument(
        "-q", "--quiet", action="store_true", help="no progress bar, and no summary beside events"
    )

    how = parser.add_argument_group("how")
    how.add_argument(
        "--start-time",
        metavar="TIME",
        type=_start,
        help="when the recordings began: 2026-11-20T14:30:00 or seconds since 1970 "
        "(default: as their names or metadata say, else 1970)",
    )
    how.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=whole(1, MOST_JOBS),
        help="recordings at the same time (default: one for each core)",
    )
    add_hearing_flags(parser)
    add_config_flags(parser)


def _start(text: str) -> float:
    from detector.analysis.starttime import parse_start

    try:
        return parse_start(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
