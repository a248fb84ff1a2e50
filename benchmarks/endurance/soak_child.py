"""The real program with a microphone of our making: `python -m benchmarks.endurance.soak_child run ...`.

Sound comes from standard input in numbered blocks, so that losses and a device that goes away are part of
it; it is never dropped for lack of time, so that a day passes in minutes. Everything else is as in `run`.
Each time the device goes, the number of blocks that Python holds is written to standard output.
"""

from __future__ import annotations

import gc
import struct
import sys
from collections.abc import Iterator
from importlib import import_module

import numpy as np

from detector.cli.main import main
from detector.errors import DeviceLost
from detector.records import Block

HEAD = struct.Struct("<qdi")
"""First sample, UTC seconds of the last one, number of samples: 0 where the device goes away."""


class Stream:
    """A microphone that is read from standard input."""

    name = "soak"
    live = False
    immediate = False

    def blocks(self) -> Iterator[Block]:
        """Yield blocks until the input ends; raises DeviceLost where it says so."""
        stdin = sys.stdin.buffer
        while head := stdin.read(HEAD.size):
            start, time, length = HEAD.unpack(head)
            if length == 0:
                gc.collect()
                print(sys.getallocatedblocks(), flush=True)
                raise DeviceLost("soak was unplugged")
            yield Block(start, np.frombuffer(stdin.read(2 * length), "<i2"), time)

    def close(self) -> None:
        """Nothing to release: the input stays where it is."""


def _stream(settings: object, *, sample_rate: int, block_length: int) -> Stream:
    return Stream()


if __name__ == "__main__":
    setattr(import_module("detector.assemble.service"), "make_source", _stream)  # noqa: B010
    sys.exit(main())
