"""What every `--help` keeps to."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from detector.cli.parser import make_parser
from tests.support.parsers import parsers

PARSERS = [*parsers(make_parser())]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_a_help_fits_into_80_columns(parser, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert [line for line in parser.format_help().splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_every_flag_says_what_it_does(parser):
    silent = [
        action.dest
        for action in parser._actions
        if not action.help and action.dest not in ("command", "action")
    ]
    assert silent == []


def test_a_flag_that_may_be_repeated_says_so():
    for parser in PARSERS:
        repeatable = [action for action in parser._actions if type(action).__name__ == "_AppendAction"]
        assert [action.dest for action in repeatable if not re.search("repeated", action.help)] == []


def test_reading_the_command_line_loads_no_numpy():
    """A help text, or a fault in a flag, is there at once."""
    loaded = "import sys, detector.cli.main; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True, text=True)
    assert not {"numpy", "yaml", "sqlite3", "ssl"} & set(found.stdout.split())
