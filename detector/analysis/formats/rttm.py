"""RTTM: Rich Transcription Time Marked, ten fields separated by blanks.

Source: NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A. The type
is SPEAKER, the only one that most readers take, and the label stands where the speaker's name does.
"""

from __future__ import annotations

from pathlib import Path

from detector.analysis.formats.base import Format
from detector.analysis.sounds import Sound


class Rttm(Format):
    """type file channel onset duration orthography subtype name score lookahead; unknown is `<NA>`."""

    ending = ".rttm"

    def sound(self, sound: Sound) -> str:
        """One line; blanks in names become `_`."""
        file = "_".join(Path(self.source).stem.split()) or "<NA>"
        label = "_".join(sound.label.split())
        times = f"{sound.onset:.3f} {sound.seconds:.3f}"
        return f"SPEAKER {file} 1 {times} <NA> <NA> {label} {sound.top_score:.3f} <NA>\n"
