"""The real daemon takes reloads with random settings; `benchmarks.fuzz.reloads` asks for hundreds."""

import pytest

from benchmarks.fuzz.reloads import reload_often
from tests.program.conftest import model  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]


def test_settings_that_change_all_the_time_neither_end_nor_exhaust_it():
    answers = reload_often(runs=30, seed=1)
    assert answers.total() == 30
    assert answers["reloaded"]
    assert answers["refused"]
