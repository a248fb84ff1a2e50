"""Scripts that measure the detector beside its peers; each is run as `python -m benchmarks.NAME`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
