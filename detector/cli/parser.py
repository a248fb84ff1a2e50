"""The command line's grammar: the table of commands, and the parser built from it."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from detector import __version__
from detector.cli.command import Command, add_parser, as_paragraph
from detector.cli.commands import (
    analyze,
    calibrate,
    check_config,
    clips,
    collect,
    devices,
    evaluate,
    fleet,
    history,
    listen,
    models,
    notify,
    record,
    run,
    soundscape,
    status,
    train,
    verdict,
    verdicts,
    web,
)
from detector.config.wording import did_you_mean, either
from detector.files.guarded import is_file
from detector.files.terminal import escape

COMMANDS: tuple[Command[Any], ...] = (
    run.COMMAND,
    devices.COMMAND,
    models.COMMAND,
    listen.COMMAND,
    web.COMMAND,
    status.COMMAND,
    history.COMMAND,
    clips.COMMAND,
    notify.COMMAND,
    collect.COMMAND,
    fleet.COMMAND,
    verdict.COMMAND,
    verdicts.COMMAND,
    analyze.COMMAND,
    evaluate.COMMAND,
    soundscape.COMMAND,
    train.COMMAND,
    record.COMMAND,
    calibrate.COMMAND,
    check_config.COMMAND,
)
"""In the order in which `--help` lists them."""

_UNKNOWN_FLAG = re.compile(r"(--[a-z][a-z-]*)(=.*)?", re.DOTALL)

_INVALID_CHOICE = re.compile(
    r"argument (?:COMMAND|ACTION): invalid choice: '(.*)' \(choose from (.*)\)", re.DOTALL
)
"""What argparse says of an unknown command; it asks nobody for other words."""

EXAMPLES = """\
examples:
  sound-detector                 listen to the default microphone
  sound-detector --device 1      listen to microphone 1
  sound-detector run --help      all flags for listening
  sound-detector devices         list the microphones
  sound-detector listen          print the events of a running daemon
  sound-detector models pull yamnet+mn04    download the default networks
"""


class _Parser(argparse.ArgumentParser):
    """Names the nearest word where one is unknown, and says how a recording is given."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and one line, and end with 2."""
        if unknown := _INVALID_CHOICE.search(message):
            word, known = unknown[1], re.findall(r"[a-z-]+", unknown[2])
            hint = did_you_mean(word, known) or f"expected {either(known)}"
            if is_file(Path(word)):
                hint = f"to read that file: {self.prog} --input {shlex.quote(word)}"
            message = f"there is no '{word}'; {hint}"
        super().error(escape(message))

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Name the nearest flag of the command for one that it does not have."""
        found, unknown = super().parse_known_args(args, namespace)
        for flag in filter(None, map(_UNKNOWN_FLAG.fullmatch, unknown)):
            if hint := did_you_mean(flag[1], [*self._option_string_actions]):
                self.error(f"there is no {flag[1]}; {hint}")
        return found, unknown


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser: argparse.ArgumentParser = _Parser(
        prog="sound-detector",
        description=as_paragraph(
            "Listens to a microphone and reports, in real time, which sounds it hears. "
            "Without a COMMAND it does what `run` does."
        ),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sound-detector {__version__}")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_flags(add_parser(parsers, command.name, command.summary, command.examples))
    return parser


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `run` in front where no command is named."""
    arguments = list(arguments)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        return ["run", *arguments]
    return arguments
