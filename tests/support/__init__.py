"""What several tests share: stand-ins, small models, sounds, and the real program in a process of its own."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
