"""A few power cuts of a simulated disk; `power_cuts` says what each image is held against, and tries 80."""

import re
import shutil
import subprocess
import sys

import pytest

from benchmarks import ROOT
from benchmarks.support import cut_disk, sounds
from benchmarks.support.children import environment
from tests.program.conftest import model  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("model"),
    pytest.mark.skipif(cut_disk.missing() is not None, reason=cut_disk.missing() or ""),
    pytest.mark.skipif(
        shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 is missing (apt install e2fsprogs)"
    ),
    pytest.mark.skipif(not sounds.has_esc10(), reason="the recordings of ESC-10 are not here"),
]


def count(what: str, summary: str) -> int:
    found = re.search(what.replace("N", r"(\d+)"), summary)
    assert found is not None, summary
    return int(found[1])


def test_after_each_of_a_few_power_cuts_the_history_is_whole_and_no_number_comes_twice():
    """Two runs, the second on what the last cut of the first one left."""
    # A process of its own: nobody else shall see its mounts.
    scale = ("--cuts", "6", "--runs", "2", "--longest", "4", "--seed", "4", "--write-early")
    command = [sys.executable, "-m", "benchmarks.endurance.power_cuts", *scale]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("6 cuts, "), done.stdout
    assert "every disk and history whole, no number twice, every start worked" in done.stdout
    assert count("; N events received", done.stdout) > 0, "nothing was heard, so nothing was tried"
    assert count("stored events checked N times", done.stdout) > 0, "every history was empty"
