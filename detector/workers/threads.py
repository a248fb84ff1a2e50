"""Linear algebra in one thread at a time.

The matrices of a head are small, and recordings are processed in one process for each core already: further
threads mostly wait for each other, and spin while they wait. On 2 busy cores a training that took 52 CPU
seconds with them takes 12 without.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


def one_thread() -> AbstractContextManager[object]:
    """Hold the linear algebra that is loaded by now to one thread, from now until the context's end.

    Without threadpoolctl, which scikit-learn brings, nothing is held.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    held: AbstractContextManager[object] = threadpool_limits(limits=1)
    return held
