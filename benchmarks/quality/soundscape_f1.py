"""The whole chain on an hour of soundscapes made from ESC-10: over pink noise and over real backgrounds.

Twelve recordings of five minutes over pink noise at -50 dBFS; and three each, at -40 dBFS, over rain, sea,
helicopter and fire, looped from ESC-10's own clips, with that class neither mixed in nor counted, and over
UrbanSound8K's air conditioners, idling engines and street music (folds 1 and 2). Sounds lie 6 to 30 dB over
what is under them. Thresholds of some labels were chosen on these clips: that flatters.

    python -m benchmarks.quality.soundscape_f1 [--count 12] [--keep FOLDER] [--only BACKGROUND ...]
                                       [FLAGS OF evaluate, such as --preset sure or --model yamnet+mn04]
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.support.report import table
from benchmarks.support.sounds import data_folder

LOOPED = ("Rain", "Sea waves", "Helicopter", "Fire crackling")
"""Classes of ESC-10."""
BEDS = ("air_conditioner", "engine_idling", "street_music")
"""Classes of UrbanSound8K."""
BED_FOLDS = ("1", "2")
BACKGROUNDS = ("pink", *LOOPED, *BEDS)
REAL_DBFS = -40.0
SEED = 1

HEAD = [
    *("background", "hours", "sounds", "event F1 [%]", "precision [%]", "recall [%]", "macro F1 [%]"),
    *("segment F1 [%]", "PSDS1 [%]", "PSDS2 [%]", "false alarms per hour", "far from any of the class"),
    *("far from any sound", "other labels per hour", "latency [s]"),
]


def main() -> None:
    """Print one row for each background and variant."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.soundscape_f1", description=__doc__)
    parser.add_argument("--count", type=int, default=12, help="recordings of five minutes over pink noise")
    parser.add_argument("--keep", type=Path, help="make the soundscapes there, or take those that are there")
    parser.add_argument("--only", nargs="+", choices=BACKGROUNDS, default=BACKGROUNDS, metavar="BACKGROUND")
    parser.add_argument("--jobs", default="0")
    arguments, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.keep or Path(folder)
        rows = []
        for background in arguments.only:
            count = arguments.count if background == "pink" else max(1, arguments.count // 4)
            scenes = make(root, background, count)
            rows += figures(scenes, background, [*flags, "--jobs", arguments.jobs])
    print(table([HEAD, *rows, *means(rows)]))


def make(root: Path, background: str, count: int) -> Path:
    """The soundscapes over this background; those that are there already stay."""
    scenes = root / background.replace(" ", "-").lower()
    if not scenes.exists():
        level = [] if background == "pink" else ["--background-dbfs", str(REAL_DBFS)]
        named = str(bed(root, background)) if background in BEDS else background
        arguments = ["--out", str(scenes), "--background", named, "--count", str(count)]
        _program("soundscape", str(data_folder() / "esc10"), *arguments, *level, "--seed", str(SEED))
    return scenes


def bed(root: Path, name: str) -> Path:
    """A folder of links to UrbanSound8K's recordings of this class."""
    folder = root / "beds" / name
    if not folder.exists():
        folder.mkdir(parents=True)
        urban = data_folder() / "urbansound8k"
        with (urban / "metadata" / "UrbanSound8K.csv").open(newline="") as lines:
            for row in csv.DictReader(lines):
                if row["class"] == name and row["fold"] in BED_FOLDS:
                    file = row["slice_file_name"]
                    (folder / file).symlink_to(urban / "audio" / f"fold{row['fold']}" / file)
    return folder


def means(rows: list[list[str]]) -> list[list[str]]:
    """A row of means over the real backgrounds, if there are any; of sounds the sum."""
    real = [row for row in rows if row[0] in (*LOOPED, *BEDS)]
    if len(real) < 2:
        return []
    columns = [[float(value) for value in column] for column in zip(*(row[1:] for row in real), strict=True)]
    cells = [f"{sum(column) / len(column):.1f}" for column in columns]
    return [["mean of the real ones", f"{sum(columns[0]):.2f}", f"{sum(columns[1]):.0f}", *cells[2:]]]


def figures(scenes: Path, background: str, flags: list[str]) -> list[list[str]]:
    """One row for each variant: as set, and with the gate off."""
    ignore = ["--ignore", background] if background in LOOPED else []
    said = _program("evaluate", str(scenes), "--annotations", str(scenes), "--json", "-q", *ignore, *flags)
    report = json.loads(said)
    rows = []
    for name, variant in report["variants"].items():
        overall = variant["overall"]
        counts = (variant["strays"], variant["unprompted"], variant["other_labels"])
        rates = [overall["false_alarms_per_hour"], *(sum(c.values()) / report["hours"] for c in counts)]
        shares = [overall["f1"], overall["precision"], overall["recall"], variant["macro_f1"]]
        shares += [overall["segment_f1"], *variant["psds"].values()]
        rows.append(
            [
                background if name == "as set" else f"{background}, {name}",
                f"{report['hours']:.2f}",
                str(overall["true"]),
                *(f"{100 * share:.1f}" for share in shares),
                *(f"{rate:.0f}" for rate in rates),
                f"{variant['latency_seconds']['median']:.2f}",
            ]
        )
    return rows


def _program(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "detector", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
