"""The bundled recording, played where there is no microphone: 21 s of speech, a smoke alarm and a siren.

16 kHz, mono, 16 bit, FLAC. `scripts/make_demo.sh` makes it with espeak-ng and sox alone: nobody's voice
and nobody's sample is in it. The parts lie over faint pink noise, a second or more apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

SECONDS = 21.0
"""The whole recording."""


@dataclass(frozen=True, slots=True)
class Part:
    """One sound of the recording."""

    labels: tuple[str, ...]
    """What a model with AudioSet's classes, or a pattern, calls it: its name, then others that are right."""
    start_seconds: float
    """Where it begins."""
    stop_seconds: float
    """Where it ends."""


PARTS = (
    Part(("Speech",), 1.0, 5.95),
    Part(("Smoke alarm (T3)", "Smoke detector, smoke alarm"), 7.0, 13.5),
    Part(("Siren", "Police car (siren)", "Ambulance (siren)"), 15.5, 19.1),
)
"""In order; a part may pause inside, as the alarm does between its beeps."""


def recording_path() -> Path:
    """Where the recording lies on this machine."""
    return Path(str(files(__name__) / "demo.flac"))
