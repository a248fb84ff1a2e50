"""The tests that stand beside the benchmarks obey the same rules as those in tests/."""

from tests.conftest import *  # noqa: F403
