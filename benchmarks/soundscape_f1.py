"""The whole chain on an hour of soundscapes made from ESC-10: over pink noise and over real backgrounds.

Twelve recordings of five minutes over pink noise at -50 dBFS; and three each over rain, sea, helicopter and
fire, looped from ESC-10's own clips at -40 dBFS, with that class neither mixed in nor counted. Sounds lie
6 to 30 dB over what is under them. Thresholds of some labels were chosen on these clips: that flatters.

    python -m benchmarks.soundscape_f1 [--count 12] [--keep FOLDER] [FLAGS OF evaluate, such as --preset sure]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report import table
from benchmarks.sounds import data_folder

BACKGROUNDS = ("pink", "Rain", "Sea waves", "Helicopter", "Fire crackling")
REAL_DBFS = -40.0
SEED = 1

HEAD = [
    *("background", "hours", "sounds", "event F1 [%]", "precision [%]", "recall [%]", "macro F1 [%]"),
    *("segment F1 [%]", "PSDS1 [%]", "PSDS2 [%]", "false alarms per hour", "far from any"),
    *("other labels per hour", "latency [s]"),
]


def main() -> None:
    """Print one row for each background and variant."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soundscape_f1", description=__doc__)
    parser.add_argument("--count", type=int, default=12, help="recordings of five minutes over pink noise")
    parser.add_argument("--keep", type=Path, help="make the soundscapes there, or take those that are there")
    parser.add_argument("--jobs", default="0")
    arguments, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.keep or Path(folder)
        rows = []
        for background in BACKGROUNDS:
            count = arguments.count if background == "pink" else max(1, arguments.count // 4)
            scenes = make(root, background, count)
            rows += figures(scenes, background, [*flags, "--jobs", arguments.jobs])
    print(table([HEAD, *rows]))


def make(root: Path, background: str, count: int) -> Path:
    """The soundscapes over this background; those that are there already stay."""
    scenes = root / background.replace(" ", "-").lower()
    if not scenes.exists():
        level = [] if background == "pink" else ["--background-dbfs", str(REAL_DBFS)]
        arguments = ["--out", str(scenes), "--background", background, "--count", str(count)]
        _program("soundscape", str(data_folder() / "esc10"), *arguments, *level, "--seed", str(SEED))
    return scenes


def figures(scenes: Path, background: str, flags: list[str]) -> list[list[str]]:
    """One row for each variant: as set, and with the gate off."""
    ignore = [] if background == "pink" else ["--ignore", background]
    said = _program("evaluate", str(scenes), "--annotations", str(scenes), "--json", "-q", *ignore, *flags)
    report = json.loads(said)
    rows = []
    for name, variant in report["variants"].items():
        overall = variant["overall"]
        counts = (variant["strays"], variant["other_labels"])
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
        [sys.executable, "-m", "detector.cli", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
