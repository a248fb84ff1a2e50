"""What others wrote cannot move a terminal's cursor, change its colours or reorder its text."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.files.terminal import escape, escape_lines, print_escaped, print_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hund, Katze; ü 漢", "Hund, Katze; ü 漢"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_is_not_printable_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text())
def test_whatever_the_text_the_result_is_printable_and_has_its_lines(text: str) -> None:
    assert escape(text).isprintable()
    lines = escape_lines(text).split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) == text.count("\n") + 1


def test_lines_are_printed_on_the_stream() -> None:
    stream = io.StringIO()
    print_escaped("one\x1b\ntwo", stream)
    assert stream.getvalue() == "one\\x1b\ntwo\n"


@given(st.text())
def test_json_stays_the_same_json(text: str) -> None:
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", printed)
        print_json({"text": text})
    assert json.loads(printed.getvalue()) == {"text": text}
    assert printed.getvalue().replace("\n", "").isprintable()
