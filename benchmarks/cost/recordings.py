"""The recordings that costs are measured on: a quiet room, a busy one, and next to nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.sounds import RATE, Samples, esc10, has_esc10, noise, quantised
from benchmarks.support.soundscape import attack
from detector.demo import recording_path

QUIET_DBFS = -60.0
SOFT_PEAK_DBFS = -35.0
SOFT_SECONDS = 1.0
SOFT_EVERY_SECONDS = 120
TINY_SECONDS = 0.2

ABOUT = (
    f"*Quiet*: pink noise at {QUIET_DBFS:.0f} dBFS with one dog bark of {SOFT_SECONDS:.0f} s, its peak at "
    f"{SOFT_PEAK_DBFS:.0f} dBFS, every {SOFT_EVERY_SECONDS} s. *Busy*: {{busy}}, back to back. Both are "
    "16 kHz mono WAV."
)


def write_all(folder: Path, seconds: int) -> str:
    """Write quiet.wav, busy.wav and tiny.wav; return what they are."""
    source, clips = _clips()
    quiet = _quiet(clips[0], seconds)
    busy = np.resize(np.concatenate(clips), seconds * RATE)
    write(folder / "quiet.wav", quantised(quiet))
    write(folder / "busy.wav", quantised(busy))
    write(folder / "tiny.wav", quantised(busy[: round(TINY_SECONDS * RATE)]))
    return ABOUT.format(busy=source)


def write(path: Path, samples: NDArray[np.int16]) -> None:
    """Write 16 kHz mono WAV."""
    import soundfile

    soundfile.write(path, samples, RATE, subtype="PCM_16")


def _clips() -> tuple[str, list[Samples]]:
    """What sounds, and pieces of it in mixed order; the first has a clear beginning."""
    if has_esc10():
        clips = [clip for _, clip in esc10()]
        order = np.random.default_rng(7).permutation(len(clips))
        bark = next(clip for name, clip in esc10(10) if name == "Dog bark" and attack(clip) is not None)
        return "ESC-10 clips", [bark, *(clips[i] for i in order)]
    import soundfile

    return "the bundled recording (there is no ESC-10 here)", [
        soundfile.read(recording_path(), dtype="float64")[0][RATE:]
    ]


def _quiet(clip: Samples, seconds: int) -> Samples:
    sound = noise("pink", QUIET_DBFS, seconds)
    begins = attack(clip) or 0
    bark = clip[begins : begins + round(SOFT_SECONDS * RATE)]
    bark = bark * (10 ** (SOFT_PEAK_DBFS / 20) / np.abs(bark).max())
    for second in range(SOFT_EVERY_SECONDS // 2, seconds - 2, SOFT_EVERY_SECONDS):
        sound[second * RATE : second * RATE + len(bark)] += bark
    return sound
