"""The real program on a virtual microphone that goes away; `device_faults` does it ten times."""

import pytest

from benchmarks.endurance.device_faults import hang_and_restart, lose_and_find
from tests.program.conftest import model  # noqa: F401 - a fixture
from tests.support.virtualmic import Unavailable, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("model"),
    pytest.mark.skipif(missing() is not None, reason=f"no virtual microphone: {missing()}"),
]


@pytest.mark.parametrize("unplugged", [False, True], ids=["server killed", "source unloaded"])
def test_a_lost_device_is_heard_again_and_nothing_is_left_behind(unplugged):
    try:
        seconds, held = lose_and_find(3, unplugged=unplugged)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert len(seconds) == 3
    threads, descriptors = ([held_then[i] for held_then in held] for i in (0, 1))
    # A log line may be held back by a timer, the history may be opening or closing a file just now; what
    # leaks leaks each time.
    assert threads[-1] - threads[0] < 2
    assert descriptors[-1] - descriptors[0] < 2


def test_a_hung_device_ends_the_program_with_a_failure_and_a_new_one_hears_again():
    try:
        _, back, statuses = hang_and_restart(1)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert len(back) == 1
    assert statuses == [1]
