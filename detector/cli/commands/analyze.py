"""`sound-detector analyze`: recordings to events, summaries, pictures and pages."""

from __future__ import annotations

import argparse
import re
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.path_arguments import path
from detector.cli.setting_flags import add_classifying_flags, add_config_flags
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_jobs_flag, add_overwrite_flag, add_quiet_flag
from detector.errors import ConfigError, DetectorError

if TYPE_CHECKING:
    from detector.analysis.shard import Shard
    from detector.analysis.task import AnalyzeRequest

FORMATS = ("jsonl", "csv", "audacity", "raven", "rttm", "text", "scores", "parquet")
"""Those of `detector.analysis.formats`, named here so that the daemon need not load them."""

INSTALL_PLOT = "--plot needs the package matplotlib: pip install 'sound-detector[plot]'"

EXAMPLES = """\
examples:
  sound-detector analyze match.wav              JSON lines, then a summary
  sound-detector analyze --out results recordings/
  sound-detector analyze --out results --report night.flac
  sound-detector analyze --format audacity match.wav > labels.txt
  sound-detector analyze --out results --format csv --include Dog recordings/
  sound-detector analyze --out results --format parquet recordings/
  sound-detector analyze --start-time 2026-11-20T22:00:00 night.m4a
  sound-detector analyze --out results https://example.org/night.flac
  sound-detector analyze --out results s3://bucket/june/
  sound-detector analyze --out results --shard 2/8 -j 1 recordings/
  sound-detector analyze --out results --dask tcp://pi:8786 recordings/
If it was interrupted, the same command goes on with the recordings that are
left.
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    parser.add_argument(
        "paths",
        metavar="FILE|FOLDER|URL",
        nargs="+",
        help="recordings, or folders of recordings; https:// recordings, and s3://, gs://, az://, sftp:// "
        "recordings or folders",
    )
    output = parser.add_argument_group("what to write")
    output.add_argument(
        "--out",
        metavar="DIR",
        type=path,
        help="write the results into this folder, and skip recordings whose results are there already "
        "(default: standard output)",
    )
    add_overwrite_flag(output, "analyze again the recordings whose results are in DIR")
    output.add_argument(
        "--format",
        dest="formats",
        action="append",
        choices=FORMATS,
        metavar="FORMAT",
        help="format of the events: jsonl (default; text on a terminal), csv, audacity, raven, rttm or text; "
        "scores writes the scores of all windows as NAME.scores.npz, parquet writes tables by day and "
        "recording below events/; may be repeated",
    )
    output.add_argument(
        "--plot",
        action="store_true",
        help="write NAME.png: a spectrogram above a timeline of the labels",
    )
    output.add_argument(
        "--report",
        action="store_true",
        help="write NAME.report.html: a page with the picture, the events, their sound and the summary",
    )
    add_quiet_flag(output, "show no progress bar, and no summary after the events")

    how = parser.add_argument_group("how to analyze")
    how.add_argument(
        "--start-time",
        metavar="TIME",
        type=_start,
        help="time at which the recordings began, such as 2026-11-20T14:30:00, or seconds since 1970 "
        "(default: from their names or metadata, or else 1970)",
    )
    add_jobs_flag(how, low=1)
    how.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="analyze only the I-th of N shares of the recordings, for the jobs of a cluster that have one "
        "--out; at the end, the same command without it writes the summary of all",
    )
    how.add_argument(
        "--dask",
        type=_dask,
        metavar="WHERE",
        help="have the work done by a Dask cluster: tcp://HOST:PORT of its scheduler, or local[N] for N "
        "processes here; needs --out in a folder that all workers see",
    )
    add_classifying_flags(parser)
    add_config_flags(parser)


def read_request(options: argparse.Namespace) -> AnalyzeRequest:
    """Read what was asked for; raises ConfigError without a folder where one is needed."""
    from detector.analysis.formats import PARQUET, SCORES
    from detector.analysis.formats.parquet import INSTALL
    from detector.analysis.task import AnalyzeRequest, Wanted

    formats = tuple(dict.fromkeys(options.formats or ()))
    if not formats:
        formats = ("text",) if options.out is None and sys.stdout.isatty() else ("jsonl",)
    wanted = Wanted(formats, plot=options.plot, report=options.report)
    if options.out is None:
        flags = {"--plot": wanted.plot, "--report": wanted.report}
        flags |= {f"--format {word}": word in formats for word in (SCORES, PARQUET)}
        if needing := [flag for flag, is_given in flags.items() if is_given]:
            raise ConfigError(f"{needing[0]} writes files: name a folder for them with --out DIR")
        if len(formats) > 1:
            raise ConfigError("standard output takes one --format: add --out DIR to write several")
        if options.dask is not None:
            raise ConfigError("--dask needs --out DIR, a folder that all workers see")
        if options.shard is not None:
            raise ConfigError("--shard needs --out DIR, the folder in which all shares come together")
        if options.overwrite:
            raise ConfigError("--overwrite needs --out DIR: it replaces results in that folder")
    if wanted.plot and find_spec("matplotlib") is None:
        raise DetectorError(INSTALL_PLOT)
    if PARQUET in formats and find_spec("pyarrow") is None:
        raise DetectorError(INSTALL)
    return AnalyzeRequest(
        paths=tuple(options.paths),
        wanted=wanted,
        out=options.out,
        overwrite=options.overwrite,
        start=options.start_time,
        jobs=options.jobs,
        shard=options.shard,
        dask=options.dask,
        quiet=options.quiet,
        traces=options.verbose > 1,
    )


def execute(request: AnalyzeRequest, options: SettingOptions) -> int:
    """Analyze the recordings."""
    from detector.assemble.analysis import analyze_command

    return analyze_command(request, options.load())


def _dask(text: str) -> str:
    if re.fullmatch(r"local\[[1-9][0-9]{0,2}\]|(tcp|tls)://[^\s/]+:[0-9]+", text) is None:
        raise argparse.ArgumentTypeError(f"expected tcp://HOST:PORT or local[N], got {text!r}")
    return text


def _shard(text: str) -> Shard:
    from detector.analysis.shard import Shard

    try:
        return Shard.parse(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _start(text: str) -> float:
    from detector.sources.starttime import parse_start

    try:
        return parse_start(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


COMMAND = Command(
    name="analyze",
    summary="find the events in recordings; write tables, pictures and pages",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
