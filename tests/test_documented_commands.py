"""Every command that the documents and the help texts show is one that the program takes."""

from __future__ import annotations

import re
import shlex

import pytest

from detector.cli.parser import make_parser, with_command
from tests.support import ROOT
from tests.support.parsers import parsers

PAGES = [ROOT / "README.md", ROOT / "config.yaml", *sorted(ROOT.glob("docs/**/*.md"))]

ON_ITS_LINE = re.compile(r"^ {2,}(?:.* \| )?(?:sudo )?(sound-detector .*)$", re.MULTILINE)
IN_A_SENTENCE = re.compile(r"`(sound-detector [^`\n]*)`")
END = re.compile(r"\s{2,}|\s[#|>]")
"""A remark, a pipe or a file."""


def commands_in(text: str) -> list[str]:
    found = [*ON_ITS_LINE.findall(text), *IN_A_SENTENCE.findall(text)]
    return [END.split(command)[0] for command in found]


def documented() -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    texts += [parser.epilog or "" for parser in parsers(make_parser())]
    return sorted({command for text in texts for command in commands_in(text)})


def test_there_are_many():
    assert len(documented()) > 70


@pytest.mark.parametrize("command", documented())
def test_the_program_takes_it(command, capsys):
    arguments = shlex.split(command.replace("...", ""))[1:]
    try:
        make_parser().parse_args(with_command(arguments))
    except SystemExit as ended:
        told = capsys.readouterr().err
        # A sentence may speak of a command without all that it needs.
        assert not ended.code or "the following arguments are required" in told, told


def test_every_command_has_examples():
    plain = [
        parser.prog for parser in parsers(make_parser()) if "sound-detector" not in (parser.epilog or "")
    ]
    assert plain == []
