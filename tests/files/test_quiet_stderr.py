"""Descriptor 2 is hushed for just one call, also where several threads do that at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detector.files.quiet_stderr import quiet_stderr
from tests.support.fakes import LONG


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Descriptor 2 writes to this file."""
    kept = os.dup(2)
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 2)
    os.close(file)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_only_what_is_written_inside_is_lost(tmp_path: Path) -> None:
    with written_to(tmp_path / "stderr"):
        os.write(2, b"before ")
        with quiet_stderr():
            os.write(2, b"noise ")
            with quiet_stderr():
                os.write(2, b"noise ")
        os.write(2, b"after")
    assert (tmp_path / "stderr").read_text() == "before after"


def test_two_threads_that_overlap_give_it_back(tmp_path: Path) -> None:
    """The first to begin ends first."""
    entered, first_left = threading.Event(), threading.Event()

    def other() -> None:
        with quiet_stderr():
            entered.set()
            first_left.wait(LONG)

    thread = threading.Thread(target=other)
    with written_to(tmp_path / "stderr"):
        with quiet_stderr():
            thread.start()
            assert entered.wait(LONG)
        first_left.set()
        thread.join(LONG)
        os.write(2, b"after")
    assert (tmp_path / "stderr").read_text() == "after"
