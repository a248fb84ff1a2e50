"""CSV for spreadsheets: names of others are never formulas, numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.files.spreadsheet import quoted, unquoted, write_rows


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Dog", "Dog"),
        ("", ""),
        ("a=b.wav", "a=b.wav"),
        ('=HYPERLINK("http://host","x").wav', '\'=HYPERLINK("http://host","x").wav'),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-Dog", "'-Dog"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\r1", "'\r1"),
        ("-1_0", "'-1_0"),
        ("-9.1", "-9.1"),
        ("+5", "+5"),
        ("-1e-3", "-1e-3"),
    ],
)
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(text: str, cell: str) -> None:
    assert quoted(text) == cell
    assert unquoted(cell) == text


@given(st.text(alphabet="=+-@\t\r' aD1.e", max_size=6))
def test_what_was_quoted_reads_back_unless_it_was_quoted_before(text: str) -> None:
    assert quoted(quoted(text)) == quoted(text)
    assert unquoted(quoted(text)) == unquoted(text)
    assert not quoted(text).startswith(("=", "@", "\t", "\r"))


def test_numbers_and_empty_cells_are_written_as_they_are() -> None:
    stream = io.StringIO()
    write_rows(stream, [["name", "level"], ["=1.wav", -9.5], ["b", None]])
    assert stream.getvalue() == "name,level\n'=1.wav,-9.5\nb,\n"
    assert list(csv.reader(io.StringIO(stream.getvalue())))[1] == ["'=1.wav", "-9.5"]
