"""How true the event lines are in rooms that chose nothing: clips of many classes over looped backgrounds.

Scenes of five minutes: a background at -40 dBFS, looped with cross-fades, and clips of the other classes 6,
12, 20 or 30 dB over it, 4 to 12 s apart. The classes and the backgrounds are split into two halves, A and B,
which share nothing: what is chosen on one half is reported on the other. `overlap` are scenes in which every
third sound begins inside another. The folder of data holds `esc50dev` (a folder per class), `esc10`,
`urbansound8k` and `home`.

    python -m benchmarks.quality.rooms [--half A B] [--seeds 1 2] [--keep FOLDER] [FLAGS OF analyze]

*Wrong*: an ended event of a counted class, with no sound of that class within 1 s. *Phantom*: with no sound
at all there. *Other labels*: events whose label counts as no class. *Lines*: ended events of any label.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.support.report import table
from benchmarks.support.sounds import data_folder

RATE = 44100
SECONDS = 300
LEVEL_DBFS = -40.0
SNR_DB = (6, 12, 20, 30)
GAP_SECONDS = (4.0, 12.0)
COLLAR_SECONDS = 0.5
NEAR_SECONDS = 1.0
FADE = RATE // 2

Samples = NDArray[np.float32]

LABELS: Mapping[str, tuple[str, ...]] = {
    "airplane": ("Fixed-wing aircraft, airplane", "Aircraft", "Jet engine", "Aircraft engine"),
    "breathing": ("Breathing",),
    "brushing_teeth": ("Toothbrush", "Electric toothbrush"),
    "car_horn": ("Vehicle horn, car horn, honking", "Toot"),
    "cat": ("Cat", "Meow"),
    "chainsaw": ("Chainsaw",),
    "chirping_birds": ("Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "church_bells": ("Church bell", "Change ringing (campanology)"),
    "clapping": ("Clapping", "Applause"),
    "clock_alarm": ("Alarm clock", "Alarm", "Beep, bleep"),
    "clock_tick": ("Tick", "Tick-tock", "Clock"),
    "coughing": ("Cough",),
    "cow": ("Cattle, bovinae", "Moo"),
    "crackling_fire": ("Fire", "Crackle"),
    "crickets": ("Cricket",),
    "crow": ("Crow", "Caw"),
    "crying_baby": ("Baby cry, infant cry",),
    "dog": ("Dog", "Bark"),
    "door_wood_creaks": ("Creak", "Squeak"),
    "door_wood_knock": ("Knock", "Tap"),
    "engine": ("Engine", "Idling", "Engine starting", "Medium engine (mid frequency)"),
    "fireworks": ("Fireworks", "Firecracker"),
    "footsteps": ("Walk, footsteps",),
    "frog": ("Frog", "Croak"),
    "glass_breaking": ("Shatter", "Glass", "Breaking"),
    "hand_saw": ("Sawing",),
    "helicopter": ("Helicopter",),
    "hen": ("Cluck",),
    "insects": ("Insect", "Fly, housefly", "Mosquito", "Buzz", "Bee, wasp, etc."),
    "keyboard_typing": ("Computer keyboard", "Typing"),
    "laughing": ("Laughter", "Giggle", "Belly laugh", "Chuckle, chortle", "Baby laughter"),
    "mouse_click": ("Clicking",),
    "pig": ("Pig", "Oink"),
    "pouring_water": ("Pour", "Trickle, dribble", "Fill (with liquid)"),
    "rain": ("Rain", "Rain on surface", "Raindrop"),
    "rooster": ("Crowing, cock-a-doodle-doo", "Chicken, rooster"),
    "sea_waves": ("Ocean", "Waves, surf"),
    "sheep": ("Sheep", "Bleat", "Goat"),
    "siren": (
        "Siren",
        "Police car (siren)",
        "Ambulance (siren)",
        "Fire engine, fire truck (siren)",
        "Civil defense siren",
    ),
    "sneezing": ("Sneeze",),
    "snoring": ("Snoring",),
    "thunderstorm": ("Thunderstorm", "Thunder"),
    "toilet_flush": ("Toilet flush",),
    "train": ("Train", "Rail transport", "Railroad car, train wagon"),
    "vacuum_cleaner": ("Vacuum cleaner",),
    "water_drops": ("Drip", "Plop"),
    "wind": ("Wind", "Wind noise (microphone)"),
}
"""Class of esc50dev -> the labels that count as it; classes that AudioSet does not name are left out."""

OWN: Mapping[str, tuple[str, ...]] = {
    "air_conditioner": ("Air conditioning", "Mechanical fan"),
    "dude_miaowing": ("Cat", "Meow"),
    "running_tap": ("Water", "Water tap, faucet", "Sink (filling or washing)", "Liquid"),
    "street_music": ("Music",),
    "washing_machine": ("Washing machine",),
}
"""Background that is no counted class -> the labels that it is, neither right nor wrong."""

HALVES: Mapping[str, tuple[str, ...]] = {
    "A": ("washing_machine", "engine", "wind", "sea_waves", "air_conditioner", "dude_miaowing", "pink"),
    "B": ("vacuum_cleaner", "rain", "train", "airplane", "street_music", "running_tap", "pink"),
}
"""Half -> its backgrounds. The classes are split by turns, in the order of their names."""

OVERLAPPED = ("washing_machine", "rain", "air_conditioner", "street_music")

HEAD = [
    *(
        "",
        "hours",
        "sounds",
        "event F1 [%]",
        "precision [%]",
        "recall [%]",
        "wrong an hour",
        "phantom an hour",
    ),
    *("other labels an hour", "lines per sound", "latency [s]"),
]


@dataclass(slots=True)
class Tally:
    """What was counted in some scenes."""

    hours: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)

    def row(self, name: str) -> list[str]:
        """A row of the table."""
        c = self.counts
        precision = c["true"] / max(1, c["true"] + c["false"])
        recall = c["true"] / max(1, c["sounds"])
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        rates = [f"{c[what] / self.hours:.0f}" for what in ("wrong", "phantom", "other")]
        delay = f"{statistics.median(self.delays):.2f}" if self.delays else "-"
        shares = [f"{100 * share:.1f}" for share in (f1, precision, recall)]
        return [
            *(name, f"{self.hours:.2f}", str(c["sounds"]), *shares, *rates),
            *(f"{c['lines'] / max(1, c['sounds']):.2f}", delay),
        ]


def main() -> None:
    """Print a row for each half, over real backgrounds and over pink noise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.rooms", description=__doc__)
    parser.add_argument("--half", nargs="+", choices=(*HALVES, "overlap"), default=("A", "B", "overlap"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(1, 2))
    parser.add_argument("--keep", type=Path, help="make the scenes there, or take those that are there")
    arguments, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.keep or Path(folder)
        rows = []
        for half in arguments.half:
            tallies = {"real": Tally(), "pink": Tally()}
            for seed in arguments.seeds if half in HALVES else arguments.seeds[:1]:
                for scene in make(root / f"{half}{seed}", half, seed):
                    count(scene, flags, tallies["pink" if background_of(scene) == "pink" else "real"])
            rows += [tally.row(f"{half}, {kind}") for kind, tally in tallies.items() if tally.hours]
    print(table([HEAD, *rows]))


def background_of(scene: Path) -> str:
    """What a scene lies over."""
    return scene.stem.partition("-")[2]


def make(folder: Path, half: str, seed: int) -> list[Path]:
    """The scenes of a half, made unless they are there."""
    if not folder.exists():
        folder.mkdir(parents=True)
        rng = random.Random(f"{half}{seed}")
        for number, background in enumerate(HALVES.get(half, OVERLAPPED)):
            _write(folder / f"{number}-{background}", half, background, rng)
    return sorted(folder.glob("*.wav"))


def _write(path: Path, half: str, background: str, rng: random.Random) -> None:
    sound = make_bed(background, rng, SECONDS) * np.float32(10 ** (LEVEL_DBFS / 20))
    own = {background, *(c for c, labels in LABELS.items() if set(labels) & set(OWN.get(background, ())))}
    names = [name for name in sorted(LABELS) if half not in HALVES or name in classes_of(half)]
    pool = [(name, clip) for name in names if name not in own for clip in _clips(name)]
    rows, at = [], 12.0
    while True:
        name, clip = rng.choice(pool)
        if at + len(clip) / RATE > SECONDS - 4:
            break
        placed = [(at, name, clip)]
        if half not in HALVES and len(clip) > 1.5 * RATE and rng.random() < 0.5:
            inside, other = rng.choice([one for one in pool if one[0] != name])
            placed.append((at + rng.uniform(0.5, len(clip) / RATE - 0.5), inside, other))
        for start, label, samples in placed:
            first = int(start * RATE)
            piece = samples[: len(sound) - first]
            gain = 10 ** ((LEVEL_DBFS + rng.choice(SNR_DB)) / 20) / mean_level(samples)
            sound[first : first + len(piece)] += piece * np.float32(gain)
            rows.append((start, start + len(piece) / RATE, label))
        at = max(stop for _, stop, _ in rows) + rng.uniform(*GAP_SECONDS)
    soundfile.write(path.with_suffix(".wav"), np.clip(sound, -1, 1), RATE, subtype="PCM_16")
    lines = [f"{start:.3f}\t{stop:.3f}\t{label}\n" for start, stop, label in sorted(rows)]
    path.with_suffix(".tsv").write_text("".join(lines), encoding="utf-8")


def classes_of(half: str) -> Sequence[str]:
    """The classes of a half."""
    return sorted(LABELS)["AB".index(half) :: 2]


def _clips(name: str) -> list[Samples]:
    return [
        active_part(read_clip(path)) for path in sorted((data_folder() / "esc50dev" / name).glob("*.ogg"))
    ]


def make_bed(background: str, rng: random.Random, seconds: float) -> Samples:
    """Recordings of the background one after the other, cross-faded, with a mean square of 1."""
    length = round(seconds * RATE)
    if background == "pink":
        spectrum = np.fft.rfft(np.random.default_rng(rng.randrange(2**32)).standard_normal(length))
        bins = np.maximum(np.arange(len(spectrum)), 1)
        pink: Samples = np.fft.irfft(spectrum / np.sqrt(bins), length).astype(np.float32)
        return pink / mean_level(pink)
    recordings = [_trimmed(read_clip(path)) for path in _recordings(background)]
    usable = [recording for recording in recordings if len(recording) >= 3 * RATE]
    bed, at = np.zeros(length + RATE, np.float32), 0
    ramp = np.sqrt(np.linspace(0, 1, FADE)).astype(np.float32)
    while at < length:
        piece = rng.choice(usable).copy()
        piece[:FADE] *= ramp
        piece[-FADE:] *= ramp[::-1]
        fitting = min(len(piece), len(bed) - at)
        bed[at : at + fitting] += piece[:fitting]
        at += len(piece) - FADE
    joined: Samples = bed[:length] / mean_level(bed[:length])
    return joined


def _recordings(background: str) -> list[Path]:
    data = data_folder()
    esc10 = {"rain": "002 - Rain", "sea_waves": "003 - Sea waves"}
    urban = {"engine": "engine_idling", "air_conditioner": "air_conditioner", "street_music": "street_music"}
    if background in esc10:  # the fourth fold holds the clips of esc50dev
        clips = sorted((data / "esc10" / esc10[background]).glob("*.ogg"))
        return [path for path in clips if not path.name.startswith("4-")]
    if background in urban:
        with (data / "urbansound8k" / "metadata" / "UrbanSound8K.csv").open(newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["class"] == urban[background]]
        folder = data / "urbansound8k" / "audio"
        paths = [folder / f"fold{r['fold']}" / f"{Path(r['slice_file_name']).stem}.ogg" for r in rows]
        return [path for path in paths if path.exists()]
    home = data / "home" / f"{background}.flac"
    return [home] if home.exists() else sorted((data / "esc50dev" / background).glob("*.ogg"))


def read_clip(path: Path) -> Samples:
    """Its channels' mean, at RATE."""
    given, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = given.mean(axis=1)
    if rate == RATE:
        return np.asarray(mono, np.float32)
    resampled: Samples = np.interp(np.arange(0, len(mono), rate / RATE), np.arange(len(mono)), mono).astype(
        np.float32
    )
    return resampled


def _trimmed(clip: Samples) -> Samples:
    """Without the digital silence around it."""
    loud = np.flatnonzero(np.abs(clip) > 1e-4)
    return clip[loud[0] : loud[-1] + 1] if len(loud) else clip


def active_part(clip: Samples) -> Samples:
    """From where its 20 ms level first to where it last is within 26 dB of the highest."""
    level = np.sqrt(np.convolve(clip**2, np.ones(882) / 882, "same"))
    loud = np.flatnonzero(level > 0.05 * level.max())
    return clip[loud[0] : loud[-1] + 1]


def mean_level(samples: Samples) -> float:
    """Root of the mean square, above 0."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) + 1e-9


@dataclass(frozen=True, slots=True)
class Told:
    """One event as `analyze` tells it, in seconds from the start of its scene."""

    onset: float
    offset: float
    started: float
    label: str
    ancestors: frozenset[str]


def count(scene: Path, flags: Sequence[str], tally: Tally) -> None:
    """Analyze a scene and add what its events are worth."""
    truth = [
        (float(start), float(stop), name)
        for start, stop, name in (
            line.split("\t") for line in scene.with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
        )
    ]
    background = background_of(scene)
    own = {*LABELS.get(background, ()), *OWN.get(background, ())}
    c = tally.counts
    tally.hours += soundfile.info(scene).duration / 3600
    c["sounds"] += len(truth)
    counted: list[tuple[Told, set[str]]] = []
    for event in _events(scene, flags):
        c["lines"] += 1
        classes = {name for name, labels in LABELS.items() if event.label in labels}
        if event.label in own or event.ancestors & own or background in classes:
            continue
        if classes:
            counted.append((event, classes))
        else:
            c["other"] += 1
    matched: set[int] = set()
    for start, _, name in truth:
        near = [
            (abs(event.onset - start), place)
            for place, (event, classes) in enumerate(counted)
            if name in classes and place not in matched and abs(event.onset - start) <= COLLAR_SECONDS
        ]
        if near:
            place = min(near)[1]
            matched.add(place)
            c["true"] += 1
            tally.delays.append(counted[place][0].started - start)
    for place, (event, classes) in enumerate(counted):
        if place not in matched:
            beside = {name for start, stop, name in truth if _is_near(event, start, stop)}
            c["false"] += 1
            c["wrong"] += not classes & beside
            c["phantom"] += not beside


def _is_near(event: Told, start: float, stop: float) -> bool:
    return event.onset < stop + NEAR_SECONDS and event.offset > start - NEAR_SECONDS


def _events(scene: Path, flags: Sequence[str]) -> list[Told]:
    wanted = ["--format", "jsonl", "--start-time", "1970-01-01T00:00:00Z", "-q", *flags]
    done = subprocess.run(
        [sys.executable, "-m", "detector", "analyze", str(scene), *wanted],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    started = {line["id"]: _seconds(line["time"]) for line in lines if line["type"] == "start"}
    return [
        Told(
            _seconds(line["start_time"]),
            _seconds(line["end_time"]),
            started[line["id"]],
            line["label"],
            frozenset(line["ancestors"]),
        )
        for line in lines
        if line["type"] == "end"
    ]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    main()
