"""What others wrote cannot move a terminal's cursor, change its colours or reorder its text."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.files.terminal import (
    cells,
    clear_rows,
    escape,
    escape_lines,
    padded,
    print_escaped,
    print_json,
    shortened,
)
from tests.support.terminals import FakeTerminal


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


@pytest.mark.parametrize(
    ("text", "columns"), [("Dog", 3), ("Hündin", 6), ("犬の声", 6), ("Hu\u0308ndin", 6), ("", 0)]
)
def test_columns_are_those_of_a_terminal(text: str, columns: int) -> None:
    assert cells(text) == columns
    assert cells(padded(text, 9)) == 9


@pytest.mark.parametrize(
    ("columns", "shown"), [(0, ""), (1, ""), (2, ""), (3, "犬…"), (5, "犬の…"), (6, "犬の声"), (9, "犬の声")]
)
def test_what_does_not_fit_ends_with_an_ellipsis(columns: int, shown: str) -> None:
    assert shortened("犬の声", columns) == shown


@given(st.text(), st.integers(0, 30))
def test_a_shortened_text_fits(text: str, columns: int) -> None:
    assert cells(shortened(text, columns)) <= columns
    assert shortened(text, cells(text)) == text


@pytest.mark.parametrize("columns", [7, 10, 20, 40])
def test_a_line_that_was_broken_into_rows_is_erased_and_what_is_above_stays(columns: int) -> None:
    terminal = FakeTerminal(80)
    terminal.write("above\n" + "x" * 40 + "\r")
    terminal.columns = columns
    terminal.write(clear_rows(-(-40 // columns)) + "new")
    assert terminal.lines == ["above", "new"]
