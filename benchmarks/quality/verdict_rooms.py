"""Rooms in which `evaluate --verdicts` shows what verdicts do: sounds over real backgrounds.

    python -m benchmarks.quality.verdict_rooms OUT [--half A B] [--kind things many] [--seeds 1 2]
    sound-detector evaluate OUT/B-things --annotations OUT/B-things --verdicts 5,10,20,50

A room is one background at -40 dBFS and clips of other classes 6, 12, 20 or 30 dB over it, 3 to 8 s apart.
*many*: any clip of the half's classes, so a kind of sound comes back, but a clip seldom does. *things*: a
dozen things that sound again and again, as in a home. A thing is one source: each time it is another take of
it, or another stretch of its recording, at another level over another moment of the background.

Backgrounds and classes are those of `benchmarks.quality.rooms`, in the same halves A and B, which share no
clip: what is chosen on one half is reported on the other. The background is annotated too, so that its own
label is right. The data folder holds `esc50dev`, `esc10`, `urbansound8k` and `home`.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.quality.rooms import (
    HALVES,
    LEVEL_DBFS,
    RATE,
    SNR_DB,
    Samples,
    active_part,
    classes_of,
    make_bed,
    mean_level,
    read_clip,
)
from benchmarks.support.sounds import data_folder

GAP_SECONDS = (3.0, 8.0)
THINGS = 12
TAKES = 6
"""Of one source, at most."""
STRETCH_SECONDS = 1.5
"""A take that is longer is cut to a stretch of it, at least so long."""

ESC10 = {
    "001 - Dog bark": "dog",
    "004 - Baby cry": "crying_baby",
    "005 - Clock tick": "clock_tick",
    "006 - Person sneeze": "sneezing",
    "007 - Helicopter": "helicopter",
    "008 - Chainsaw": "chainsaw",
    "009 - Rooster": "rooster",
    "010 - Fire crackling": "crackling_fire",
}
URBAN = {
    "A": ("siren", "children_playing", "drilling"),
    "B": ("dog_bark", "car_horn", "gun_shot", "jackhammer"),
}
"""Classes of UrbanSound8K in either half; where it is one of ESC-50 too, in that one's half."""
NAMES = {"dog_bark": "dog", "dude_miaowing": "cat", "running_tap": "pouring_water"}
"""What is annotated under another name than its own."""

Source = tuple[str, tuple[Path, ...]]
"""A class, and the takes of one source of it."""


def main() -> None:
    """Make the rooms, a folder for each half and kind."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.verdict_rooms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--half", nargs="+", choices=("A", "B"), default=("A", "B"))
    parser.add_argument("--kind", nargs="+", choices=("things", "many"), default=("things", "many"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(1, 2))
    parser.add_argument("--minutes", type=float, default=18.0)
    arguments = parser.parse_args()
    for half in arguments.half:
        for kind in arguments.kind:
            folder = arguments.out / f"{half}-{kind}"
            folder.mkdir(parents=True)
            for seed in arguments.seeds:
                for background in HALVES[half][:-1]:  # the last one is pink noise
                    rng = random.Random(f"{half} {kind} {background} {seed}")
                    path = folder / f"{background}-{seed}"
                    make_room(path, half, kind, background, 60 * arguments.minutes, rng)


def make_room(path: Path, half: str, kind: str, background: str, seconds: float, rng: random.Random) -> None:
    """Write one room and, beside it, its annotations as Audacity labels."""
    own = {background, NAMES.get(background, background)}
    pool = [source for source in sources(half) if source[0] not in own]
    if kind == "things":
        by_class = defaultdict(list)
        for source in pool:
            by_class[source[0]].append(source)
        classes = rng.sample(sorted(by_class), THINGS)
        # The source with most takes is likeliest: what sounds again is seldom the very same sound.
        pool = [max(rng.choices(by_class[name], k=3), key=lambda one: len(one[1])) for name in classes]
    sound = make_bed(background, rng, seconds) * np.float32(10 ** (LEVEL_DBFS / 20))
    rows, at = [(0.0, seconds, NAMES.get(background, background))], 8.0
    while True:
        name, takes = rng.choice(pool)
        clip = active_part(read_clip(rng.choice(takes)))
        if kind == "things":
            clip = stretch(clip, rng)
        if at + len(clip) / RATE > seconds - 4:
            break
        first = int(at * RATE)
        gain = 10 ** ((LEVEL_DBFS + rng.choice(SNR_DB)) / 20) / mean_level(clip)
        sound[first : first + len(clip)] += clip * np.float32(gain)
        rows.append((at, at + len(clip) / RATE, NAMES.get(name, name)))
        at += len(clip) / RATE + rng.uniform(*GAP_SECONDS)
    soundfile.write(path.with_suffix(".wav"), np.clip(sound, -1, 1), RATE, subtype="PCM_16")
    lines = [f"{start:.3f}\t{stop:.3f}\t{label}\n" for start, stop, label in rows]
    path.with_suffix(".txt").write_text("".join(lines), encoding="utf-8")


def stretch(clip: Samples, rng: random.Random) -> Samples:
    """A part of it, at random: 50 to 100 % of its length."""
    shortest = int(STRETCH_SECONDS * RATE)
    if len(clip) <= shortest:
        return clip
    length = max(shortest, int(rng.uniform(0.5, 1.0) * len(clip)))
    first = rng.randrange(len(clip) - length + 1)
    return clip[first : first + length]


def sources(half: str) -> list[Source]:
    """All sources of the half's classes."""
    data = data_folder()
    takes: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for name in classes_of(half):
        for path in sorted((data / "esc50dev" / name).glob("*.ogg")):
            takes[name, path.name.split("-")[1]].append(path)
    for folder, name in ESC10.items():
        if name in classes_of(half):
            for path in sorted((data / "esc10" / folder).glob("*.ogg")):
                if not path.name.startswith("4-"):  # that fold is esc50dev
                    takes[name, path.name.split("-")[1]].append(path)
    with (data / "urbansound8k" / "metadata" / "UrbanSound8K.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            path = data / "urbansound8k" / "audio" / f"fold{row['fold']}" / row["slice_file_name"]
            if row["class"] in URBAN[half] and path.with_suffix(".ogg").exists():
                takes[row["class"], row["fsID"]].append(path.with_suffix(".ogg"))
    return [(name, tuple(paths[:TAKES])) for (name, _), paths in sorted(takes.items())]


if __name__ == "__main__":
    main()
