"""Scripts that measure the detector beside its peers; each is run as `python -m benchmarks.NAME`."""

from pathlib import Path

from detector.__main__ import use_one_thread

use_one_thread()  # what is measured in this process computes as the program does

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
