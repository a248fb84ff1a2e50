"""What a log-in takes is given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, threading
from detector.web.large_memory import return_large_memory

def kilobytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

def log_in():
    hashlib.scrypt(b"correct horse", salt=b"salt", n=2**14, r=8, p=1, maxmem=2**26)

return_large_memory()
before = kilobytes()
for _ in range(4):
    thread = threading.Thread(target=log_in)
    thread.start()
    thread.join()
print(kilobytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_log_ins_leave_no_memory_behind():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 8000  # one takes 16 MB
