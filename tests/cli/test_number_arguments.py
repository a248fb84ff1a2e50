"""Numbers on the command line are read or refused, with what was expected."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from detector.cli.number_arguments import number, whole


def test_numbers_within_bounds_are_read():
    assert (whole()("0"), whole(2, 5)("5"), number()("-1.5"), number(0, 1)("1e-3")) == (0, 5, -1.5, 0.001)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (whole(), "-1", "expected a whole number from 0, got '-1'"),
        (whole(1), "0", "expected a whole number from 1, got '0'"),
        (whole(1, 4), "5", "expected a whole number from 1 to 4, got '5'"),
        (whole(), "\u0663", "expected a whole number from 0"),
        (whole(), "9" * 5000, "expected a whole number from 0"),
        (number(), "nan", "expected a number, got 'nan'"),
        (number(), "inf", "expected a number, got 'inf'"),
        (number(20), "19", "expected a number from 20, got '19'"),
        (number(0, 1, "a score"), "2", "expected a score from 0 to 1, got '2'"),
        (number(-60, 100), "x", "expected a number from -60 to 100, got 'x'"),
    ],
)
def test_others_are_refused(kind, text, told):
    with pytest.raises(ArgumentTypeError) as refused:
        kind(text)
    assert str(refused.value).startswith(told)
