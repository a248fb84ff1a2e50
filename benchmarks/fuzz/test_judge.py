"""What counts as a finding."""

import contextlib
import logging
from random import Random

import pytest

from benchmarks.fuzz.mutations import MAX_BYTES, mutate
from benchmarks.fuzz.target import Finding, Judge, Target
from detector.errors import DetectorError

log = logging.getLogger("detector.fuzzed")


def judge(tmp_path, run, **options):
    @contextlib.contextmanager
    def target(folder):
        yield run

    with Judge(Target("test", 1, lambda: (b"",), target, **options), tmp_path) as judge:
        return judge(b"input")


def refuse(words):
    def run(data):
        raise DetectorError(words)

    return run


def test_an_input_is_accepted_or_refused(tmp_path):
    assert judge(tmp_path, lambda data: None) is True
    assert judge(tmp_path, refuse("expected this, got that")) is False


def test_any_other_exception_is_a_finding(tmp_path):
    with pytest.raises(Finding, match="ZeroDivisionError"):
        judge(tmp_path, lambda data: 1 / 0)


@pytest.mark.parametrize("words", ["", "two\nlines", "\x1b[2Jgone", "a\u2028b", "half \udcff of a name"])
def test_a_refusal_that_is_not_one_printable_line_is_a_finding(tmp_path, words):
    with pytest.raises(Finding):
        judge(tmp_path, refuse(words))


def test_settings_may_have_a_line_for_each_fault(tmp_path):
    assert judge(tmp_path, refuse("one\ntwo"), many_faults=True) is False


@pytest.mark.parametrize("words", ["of two\nlines", "with \x9b"])
def test_a_log_line_that_cannot_be_shown_is_a_finding(tmp_path, words):
    with pytest.raises(Finding, match="log line"):
        judge(tmp_path, lambda data: log.warning("event=%s", words))


def test_a_logged_traceback_is_a_finding(tmp_path):
    def run(data):
        try:
            raise KeyError("x")
        except KeyError:
            log.exception("failed")

    with pytest.raises(Finding, match="KeyError"):
        judge(tmp_path, run)


def test_mutations_are_bounded_and_repeatable():
    seeds = [b"", b"x" * MAX_BYTES, b'{"labels": []}']
    for number in range(300):
        one, two = (mutate(seeds[number % 3], Random(number), seeds, [b"labels"]) for _ in range(2))
        assert one == two
        assert len(one) <= MAX_BYTES
