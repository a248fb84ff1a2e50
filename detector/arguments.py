"""The command line's grammar: commands, flags, help."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from detector import __version__
from detector.analyzeflags import EXAMPLES as ANALYZE_EXAMPLES
from detector.analyzeflags import add_analyze_flags
from detector.connectionflags import add_connection_flags
from detector.errors import ConfigError
from detector.evaluationflags import EVALUATE_EXAMPLES, SOUNDSCAPE_EXAMPLES, add_evaluate, add_soundscape
from detector.history.when import parse_when
from detector.settingflags import add_setting_flags, device

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

RUN_EXAMPLES = """\
examples:
  sound-detector                                listen to the default microphone
  sound-detector --device 1                     listen to device 1 (see: sound-detector devices)
  sound-detector --device "USB Audio"           the device with this in its name
  sound-detector --input party.wav              read a recording as fast as possible
  arecord -q -f S16_LE -r 16000 -t raw | sound-detector --input - --rate 16000
  sound-detector --include Dog --include "Baby cry, infant cry" --preset sure
  sound-detector --sink stdout --sink log:events.jsonl --sink socket:tcp://127.0.0.1:8765
"""

EXAMPLES = """\
examples:
  sound-detector                    listen; `run` is meant where no command is named
  sound-detector --device 1         the same with flags of `run`: sound-detector run --help
  sound-detector devices            which microphones there are
  sound-detector listen             events of a daemon that runs already
  sound-detector status             how it is
  sound-detector models pull yamnet bring the default model to this machine
"""


HISTORY_EXAMPLES = """\
examples:
  sound-detector history --since yesterday
  sound-detector history --since 2h --label Dog --label "Baby cry, infant cry"
  sound-detector history --since 2026-11-01 --limit 0 --format csv > november.csv
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="sound-detector",
        description="Listens to a microphone and says, in real time, what it hears.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sound-detector {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _run(commands)
    _devices(commands)
    _models(commands)
    _listen(commands)
    _status(commands)
    _history(commands)
    _analyze(commands)
    add_evaluate(
        _command(
            commands, "evaluate", "measure how good it is on labelled recordings", epilog=EVALUATE_EXAMPLES
        )
    )
    add_soundscape(
        _command(
            commands, "soundscape", "mix clips into recordings with known truth", epilog=SOUNDSCAPE_EXAMPLES
        )
    )
    _check_config(commands)
    return parser


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `run` in front where no command is named."""
    arguments = list(arguments)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        return ["run", *arguments]
    return arguments


def _command(commands: Subparsers, name: str, text: str, *, epilog: str = "") -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="more log lines; twice: also tracebacks"
    )
    return parser


def _run(commands: Subparsers) -> None:
    parser = _command(
        commands, "run", "listen and tell events; the command that is meant by none", epilog=RUN_EXAMPLES
    )
    add_setting_flags(parser)
    output = parser.add_argument_group("output")
    output.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")
    output.add_argument("--print-completion", metavar="SHELL", help=argparse.SUPPRESS)


def _devices(commands: Subparsers) -> None:
    parser = _command(commands, "devices", "list the microphones and which one would be used")
    parser.add_argument("--device", metavar="DEVICE", type=device, help="as for run")
    parser.add_argument("--json", action="store_true", help="as a JSON list")


def _models(commands: Subparsers) -> None:
    parser = _command(commands, "models", "list, pull, verify or describe models")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = _command(actions, "list", "list the models and whether they are on this machine")
    listing.add_argument("--json", action="store_true", help="as a JSON list")
    pull = _command(actions, "pull", "bring a model to this machine, checked by its sha256")
    pull.add_argument("name", metavar="NAME")
    pull.add_argument(
        "--from", dest="from_file", metavar="FILE", help="take it from a file instead of the network"
    )
    pull.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    verify = _command(actions, "verify", "check the files of these models, or of all, against their sha256")
    verify.add_argument("names", metavar="NAME", nargs="*")
    info = _command(actions, "info", "describe a model and list its labels")
    info.add_argument("name", metavar="NAME", nargs="?", default="yamnet")
    info.add_argument("--json", action="store_true", help="as a JSON object")


def _listen(commands: Subparsers) -> None:
    parser = _command(commands, "listen", "subscribe to the events of a running daemon")
    add_connection_flags(parser)
    _labels(parser)
    parser.add_argument(
        "--min-score",
        type=_score,
        default=0.0,
        metavar="SCORE",
        help="only events with at least this score, 0..1",
    )
    parser.add_argument("--since", type=_seq, metavar="SEQ", help="first replay the events after this number")
    parser.add_argument("--json", action="store_true", help="JSON lines, also on a terminal")
    parser.add_argument(
        "--reconnect", action="store_true", help="wait for the daemon and come back when it was away"
    )


def _status(commands: Subparsers) -> None:
    parser = _command(commands, "status", "say how a running daemon is")
    add_connection_flags(parser)
    parser.add_argument("--json", action="store_true", help="as a JSON object")


def _history(commands: Subparsers) -> None:
    parser = _command(
        commands, "history", "show what was heard, one row for each sound", epilog=HISTORY_EXAMPLES
    )
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
        type=_score,
        default=0.0,
        metavar="SCORE",
        help="only sounds whose top score is at least this, 0..1",
    )
    parser.add_argument(
        "--limit", type=_count, default=100, metavar="N", help="the newest so many (default 100); 0 is all"
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


def _analyze(commands: Subparsers) -> None:
    parser = _command(
        commands, "analyze", "turn recordings into events, tables and pictures", epilog=ANALYZE_EXAMPLES
    )
    add_analyze_flags(parser)


def _check_config(commands: Subparsers) -> None:
    parser = _command(commands, "check-config", "print the effective settings, or every fault with its line")
    add_setting_flags(parser)


def _score(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (score := float(text)) <= 1:
            return score
    raise argparse.ArgumentTypeError(f"expected a score from 0 to 1, got {text!r}")


def _when(text: str) -> float | int:
    try:
        return parse_when(text, datetime.now())  # without a zone: the machine's own
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}")
    return int(text)


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected the seq of an event, a whole number from 0, got {text!r}")
    return int(text)
