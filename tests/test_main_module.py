"""What `python -m detector` and `sound-detector` do before they import the program."""

import os
import subprocess
import sys

import pytest

TELL = """
import sys
from detector.__main__ import main
assert "numpy" not in sys.modules
sys.argv = ["sound-detector", "models", "list"]
main()
import os
print("threads", os.environ["OPENBLAS_NUM_THREADS"])
"""


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_matrix_products_take_one_thread_unless_the_user_says_otherwise(given, used):
    environ = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", TELL], env=environ | given, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == f"threads {used}"
