"""A named pipe is read once somebody writes to it, and to the end of what was written."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np

from detector.sources.named_pipe import NamedPipe
from detector.sources.pipe import Pipe
from tests.support.fakes import LONG

SAMPLES = np.arange(4000, dtype="<i2")


def test_a_writer_may_start_later_and_all_of_it_arrives(tmp_path: Path) -> None:
    path = tmp_path / "garden.pcm"
    os.mkfifo(path)
    asked = threading.Event()

    def write() -> None:
        assert asked.wait(LONG)
        path.write_bytes(SAMPLES.tobytes())

    writer = threading.Thread(target=write)
    writer.start()
    stream = NamedPipe(str(path))
    pipe = Pipe(stream=stream, sample_rate=16000, input_rate=16000, block_length=1600, name="garden")
    asked.set()
    blocks = list(pipe.blocks())
    pipe.close()
    writer.join(LONG)
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), SAMPLES)
