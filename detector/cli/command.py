"""What every command of the program is made of: a name, flags, a request, and what carries it out."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from detector.cli.setting_options import SettingOptions

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
R = TypeVar("R")
"""The command's request: a frozen dataclass of plain values."""

HELP_COLUMNS = 78
"""What argparse leaves of a terminal of 80 columns."""


@dataclass(frozen=True, slots=True)
class Command(Generic[R]):
    """One command; its file in `cli/commands/` is called like it."""

    name: str
    """What a person types."""
    summary: str
    """One line for the list of commands, without a full stop."""
    examples: str
    """Printed below the flags, at most 80 columns wide."""
    add_flags: Callable[[argparse.ArgumentParser], None]
    request: Callable[[argparse.Namespace], R]
    """Read what was asked for; raises ConfigError where flags contradict each other."""
    execute: Callable[[R, SettingOptions], int]
    """Do it and return the exit status; raises DetectorError."""


def as_paragraph(text: str) -> str:
    """Wrap a description: the formatter that leaves examples alone wraps no description either."""
    return textwrap.fill(text, HELP_COLUMNS)


def add_parser(parsers: Subparsers, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add the parser of a command, or of one action of a command, with the flags that all of them have."""
    parser = parsers.add_parser(
        name,
        help=summary,
        description=as_paragraph(f"{summary[0].upper()}{summary[1:]}."),
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help="log more; -vv also prints tracebacks of errors",
    )
    return parser
