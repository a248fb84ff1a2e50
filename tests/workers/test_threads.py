"""Linear algebra of a head runs in one thread, and that of what comes after as before."""

import numpy as np
import pytest

from detector.workers.threads import one_thread


def test_one_thread_within_and_as_before_after() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")

    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]

    np.ones((2, 2)) @ np.ones((2, 2))
    before = threads()
    with one_thread():
        assert set(threads()) <= {1}
    assert threads() == before
