"""Write recordings anew as 16-bit FLAC of one rate: `prepare_clips.py RATE OUT FILE|FOLDER...`

Decoders of MP3 or Vorbis and resamplers differ in the last bits of their samples between kinds of processors.
With these files, two machines hear the same samples.
"""

from __future__ import annotations

import sys
from pathlib import Path

import soundfile
import soxr


def main(rate: int, out: Path, places: list[Path]) -> None:
    """Write OUT/NAME.flac, mono, of every recording; of two of one name, the second counts."""
    out.mkdir(parents=True)
    for place in places:
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in files:
            if file.is_dir():
                continue
            samples, found = soundfile.read(file, always_2d=True)
            resampled = soxr.resample(samples.mean(axis=1), found, rate)
            soundfile.write(out / f"{file.stem}.flac", resampled, rate, subtype="PCM_16")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
