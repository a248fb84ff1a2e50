"""Sounds taught from ten clips each: other clips, office scenes, and sounds that were not taught.

Ten sounds of ESC-10 and UrbanSound8K, and some pairs of them, without a background folder; no recording is
both learned and judged. Office scenes are two minutes each, at -45 dBFS over UrbanSound8K's air conditioners
and engines and ESC-50's washing machines and wind; the sounds are 6 to 24 dB over that and 1.5 to 5 s apart.
Unknown sounds are ESC-50's clips of all classes but those that were taught. Prints what `evaluate` counts.

    python -m benchmarks.quality.taught_sounds [--only ten|pairs] [--keep FOLDER] [FLAGS OF train]
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import yaml

from benchmarks.support.report import table
from benchmarks.support.sounds import data_folder

TAUGHT, JUDGED = 10, 20
"""Clips of each sound."""
PER_SOURCE = 3
"""Of one recording no more than this many clips."""
OF_ESC10 = {
    "dog": "001 - Dog bark",
    "baby": "004 - Baby cry",
    "clock": "005 - Clock tick",
    "sneeze": "006 - Person sneeze",
    "rooster": "009 - Rooster",
}
OF_URBAN = ("car_horn", "drilling", "gun_shot", "siren", "jackhammer")
PAIRS = (("car_horn", "gun_shot"), ("sneeze", "dog"), ("baby", "jackhammer"), ("dog", "car_horn"))
ALIKE = {
    "dog": {"dog"},
    "baby": {"crying_baby"},
    "clock": {"clock_tick", "clock_alarm"},
    "sneeze": {"sneezing"},
    "rooster": {"rooster", "hen"},
    "car_horn": {"car_horn"},
    "gun_shot": {"fireworks"},
    "siren": {"siren"},
    "jackhammer": set(),
    "drilling": set(),
}
"""Classes of ESC-50 that are the sound itself, or a recording that nobody could tell from it."""
BEDS = {"urbansound8k": ("air_conditioner", "engine_idling"), "esc50dev": ("washing_machine", "wind")}
MOST_BED_CLIPS = 12
SCENE = (
    *("--background-dbfs", "-45", "--snr", "6", "24", "--pause", "1.5", "5", "--overlap", "0"),
    *("--seconds", "120", "--count", "2", "--seed", "1"),
)


def main() -> None:
    """Print a row for each taught model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.taught_sounds", description=__doc__)
    parser.add_argument("--only", choices=("ten", "pairs"))
    parser.add_argument("--keep", type=Path, help="make everything there, or take what is there")
    arguments, flags = parser.parse_known_args()
    every = clips()
    sets = [] if arguments.only == "pairs" else [tuple(every)]
    sets += [] if arguments.only == "ten" else list(PAIRS)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        root = (arguments.keep or Path(folder)).resolve()
        for names in sets:
            chosen = {name: every[name] for name in names}
            place = root / ("+".join(names) if len(names) == 2 else "ten")
            rows.append(figures(place, chosen, flags))
            print(table([HEAD, rows[-1]]), flush=True)
    print(table([HEAD, *rows]))


HEAD = [
    *("taught", "other clips right [%]", "event F1 [%]", "recall [%]", "wrong events per hour"),
    *("latency [s]", "unknown sounds", "told as known [%]", "the report says [%]"),
]


def clips() -> Mapping[str, Sequence[Path]]:
    """Taught and judged clips of each sound, in this order; a recording's clips stand together."""
    data = data_folder()
    sources: dict[str, list[tuple[str, Path]]] = {}
    for name, folder in OF_ESC10.items():
        files = sorted((data / "esc10" / folder).glob("*.ogg"))
        sources[name] = [(path.stem.split("-")[1], path) for path in files]
    urban = data / "urbansound8k"
    with (urban / "metadata" / "UrbanSound8K.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            path = urban / "audio" / f"fold{row['fold']}" / row["slice_file_name"]
            if row["class"] in OF_URBAN and path.exists():
                sources.setdefault(row["class"], []).append((row["fsID"], path))
    return {name: spread(own) for name, own in sources.items()}


def spread(files: Sequence[tuple[str, Path]]) -> list[Path]:
    """TAUGHT clips and then up to JUDGED others, of other recordings."""
    taught: list[Path] = []
    judged: list[Path] = []
    for _, group in groupby(sorted(files), key=lambda one: one[0]):
        own = [path for _, path in group][:PER_SOURCE]
        if len(taught) < TAUGHT:
            taught += own[: TAUGHT - len(taught)]
        else:
            judged += own
    return taught + judged[:JUDGED]


def figures(place: Path, chosen: Mapping[str, Sequence[Path]], flags: Sequence[str]) -> list[str]:
    """Train, judge, and return the row."""
    alike = set().union(*(ALIKE[name] for name in chosen))
    others = [
        path
        for folder in sorted((data_folder() / "esc50dev").iterdir())
        if folder.is_dir() and folder.name not in alike
        for path in sorted(folder.glob("*.ogg"))
    ]
    link(place / "taught", {name: own[:TAUGHT] for name, own in chosen.items()})
    link(place / "scenes-of", {name: own[TAUGHT:] for name, own in chosen.items()})
    link(place / "judged", {name: own[TAUGHT:] for name, own in chosen.items()} | {"unknown": others})
    model = place / "model"
    if not model.exists():
        run("train", str(place / "taught"), "--out", str(model), "--quiet", *flags)
    said = yaml.safe_load((model / "model.yaml").read_text())["metrics"]
    clips_say = json.loads(run("evaluate", str(place / "judged"), "--model", str(model), "--json", "-q"))
    counts = [scene_figures(place, model, data, bed) for data, beds in BEDS.items() for bed in beds]
    mean = {name: sum(one[name] for one in counts) / len(counts) for name in counts[0]}
    return [
        place.name,
        f"{100 * clips_say['by_score']['accuracy']:.1f}",
        *(f"{100 * mean[name]:.1f}" for name in ("f1", "recall")),
        f"{mean['wrong']:.0f}",
        f"{mean['latency']:.2f}",
        str(clips_say["background"]["clips"]),
        f"{100 * (1 - clips_say['background']['without_event']):.1f}",
        f"{said['unknown sounds reported as known']:.1f}",
    ]


def scene_figures(place: Path, model: Path, data: str, bed: str) -> dict[str, float]:
    """What `evaluate` counts in two scenes over this background."""
    scenes = place / "scenes" / bed
    if not scenes.exists():
        link(place / "beds", {bed: bed_clips(data, bed)})
        background = ("--background", str(place / "beds" / bed))
        run("soundscape", str(place / "scenes-of"), "--out", str(scenes), *SCENE, *background)
    told = json.loads(
        run("evaluate", str(scenes), "--annotations", str(scenes), "--model", str(model), "--json", "-q")
    )
    variant = told["variants"]["as set"]
    return {
        "f1": variant["overall"]["f1"],
        "recall": variant["overall"]["recall"],
        "wrong": sum(variant["strays"].values()) / told["hours"],
        "latency": variant["latency_seconds"]["median"] if variant["latency_seconds"] else float("nan"),
    }


def bed_clips(data: str, bed: str) -> list[Path]:
    """Recordings of a background."""
    folder = data_folder() / data
    if data == "esc50dev":
        return sorted((folder / bed).glob("*.ogg"))[:MOST_BED_CLIPS]
    with (folder / "metadata" / "UrbanSound8K.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["class"] == bed]
    paths = [folder / "audio" / f"fold{row['fold']}" / row["slice_file_name"] for row in rows]
    return [path for path in paths if path.exists()][:MOST_BED_CLIPS]


def link(folder: Path, files: Mapping[str, Sequence[Path]]) -> None:
    """A folder of links for each class, each with a name of its own."""
    for name, paths in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for path in paths:
            target = folder / name / f"{path.parent.name}_{path.name}".replace(" ", "")
            if not target.exists():
                target.symlink_to(path)


def run(*arguments: str) -> str:
    """The real program's standard output."""
    program = subprocess.run(
        [sys.executable, "-m", "detector", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return program.stdout


if __name__ == "__main__":
    main()
