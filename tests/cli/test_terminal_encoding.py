"""A terminal or a pipe that is not UTF-8 gets escapes, and no traceback."""

import os
import subprocess
import sys


def test_what_an_encoding_lacks_is_escaped():
    done = subprocess.run(
        [sys.executable, "-m", "detector", "check-config", "--set", "source.name=attic – left"],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert b"attic \\u2013 left" in done.stdout
    assert done.returncode == 0
