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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["run", "--devise", "1"],
            "sound-detector run: error: there is no --devise; did you mean `--device`?",
        ),
        (
            ["history", "--formt=csv"],
            "sound-detector history: error: there is no --formt; did you mean `--format`?",
        ),
        (["lisen"], "sound-detector: error: there is no 'lisen'; did you mean `listen`?"),
        (["analyse", "x.wav"], "sound-detector: error: there is no 'analyse'; did you mean `analyze`?"),
        (["models", "pul", "x"], "sound-detector models: error: there is no 'pul'; did you mean `pull`?"),
        (["zzz"], "sound-detector: error: there is no 'zzz'; expected run, devices, models, listen,"),
        (["a\x1b[2J"], r"sound-detector: error: there is no 'a\x1b[2J'; expected run, "),
    ],
)
def test_an_unknown_word_gets_the_nearest_known_one(capsys, arguments, line):
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(line)


def test_a_file_in_the_place_of_a_command_is_a_recording(capsys, tmp_path):
    recording = tmp_path / "my sound.wav"
    recording.touch()
    with pytest.raises(SystemExit):
        make_parser().parse_args([str(recording)])
    advice = f"to read that file: sound-detector --input '{recording}'"
    assert advice in capsys.readouterr().err
