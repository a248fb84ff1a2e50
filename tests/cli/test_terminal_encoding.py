"""A terminal or a pipe that is not UTF-8 gets escapes, and no traceback."""

import os
import subprocess
import sys


def test_what_an_encoding_lacks_is_escaped():
    done = subprocess.run(
        [sys.executable, "-m", "detector", "analyze", "–.wav"],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert b"\\u2013.wav" in done.stderr
    assert b"Traceback" not in done.stderr
