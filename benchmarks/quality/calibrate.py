"""What calibrating to a room gains and costs, on rooms made of real backgrounds.

Each room is a loop of one class's clips: half of the sources are the room that `calibrate` hears for five
minutes, the other half another room of the same kind, in which events are counted before and after. Into
that other room dogs, babies and roosters of ESC-10 are mixed, 10 to 20 dB over what is under them.

    python -m benchmarks.quality.calibrate [--minutes 5] [FLAGS OF calibrate AND run, such as --preset sure]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.quality.clips import Clip, esc10, urbansound8k
from benchmarks.support.report import table
from detector.soundscapes.mixing import looped
from detector.soundscapes.stretch import Samples, active_power, cut

RATE = 16000
DBFS = -40.0
ROOMS = ("air_conditioner", "engine_idling", "street_music", "Rain", "Sea waves")
CLIPS_OF_A_SOURCE = 4
SOUNDS = {
    "Dog bark": {"Dog", "Bark", "Yip", "Howl", "Bow-wow", "Growling", "Whimper (dog)"},
    "Baby cry": {"Baby cry, infant cry", "Crying, sobbing", "Whimper"},
    "Rooster": {"Chicken, rooster", "Crowing, cock-a-doodle-doo", "Fowl", "Cluck"},
}
"""Class -> the labels that name it."""
CLIPS_OF_A_SOUND = 14
PAUSE_SECONDS = 10
SOUND_SECONDS = 4
SNR_DB = (10.0, 20.0)

HEAD = [
    *("room", "labels raised", "excluded", "floor [dBFS]", "same room, second half: events", "after"),
    *("other clips: events/h", "after", "after, no floor", "windows classified [%]", "after"),
    *("sounds found", "after", "after, no floor", "of"),
]


def main() -> None:
    """Print one row for each room."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.calibrate", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    arguments, flags = parser.parse_known_args()
    seconds = 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(Path(folder), kind, seconds, flags) for kind in ROOMS]
    print(table([HEAD, *rows]))


def row(folder: Path, kind: str, seconds: float, flags: Sequence[str]) -> list[str]:
    """Make the rooms, calibrate, and count."""
    here, other = (bed(clips, seconds) for clips in halves(kind))
    mixed, truth = with_sounds(bed(halves(kind)[1], PAUSE_SECONDS * CLIPS_OF_A_SOUND * len(SOUNDS) + 5))
    config = str(folder / "calibrated.yaml")
    paths = {name: str(folder / f"{name}.wav") for name in ("here", "other", "mixed")}
    for name, sound in zip(paths, (here, other, mixed), strict=True):
        soundfile.write(paths[name], sound, RATE)
    out = ("--out", config, "--overwrite")
    said = _program("calibrate", "-q", "--input", paths["here"], *out, *flags).stderr
    settings = Path(config).read_text(encoding="utf-8")
    excluded = re.search(r"^  exclude: \[(.*)\]$", settings, re.MULTILINE)
    floor = re.search(r"min_level_dbfs: (\S+)", settings)
    estimate = re.search(r"of (\d+) events? in the second half (\d+)", said)
    variants = [flags, ["--config", config], ["--config", config, "--set", "gate.min_level_dbfs=null"]]
    events, windows, found = [], [], []
    for variant in variants:
        starts, classified = hear(paths["other"], variant)
        events.append(len(starts) * 3600 / seconds)
        windows.append(100 * classified / (seconds / 0.24))
        starts, _ = hear(paths["mixed"], variant)
        found.append(sum(is_found(sound, starts) for sound in truth))
    return [
        kind,
        str(settings.count("threshold_on:")),
        excluded[1] if excluded else "",
        floor[1] if floor else "none",
        *(estimate.groups() if estimate else ("0", "0")),
        *(f"{rate:.0f}" for rate in events),
        *(f"{share:.0f}" for share in windows[:2]),
        *map(str, found),
        str(len(truth)),
    ]


def halves(kind: str) -> tuple[list[Clip], list[Clip]]:
    """The class's clips, parted by their sources."""
    by_source: dict[str, list[Clip]] = defaultdict(list)
    for clip in urbansound8k(None):
        by_source[clip.path.name.split("-")[0]] += [clip] if clip.kind == kind else []
    for clip in esc10(None):
        by_source[clip.path.name.split("-")[1]] += [clip] if clip.kind == kind else []
    sources = [clips[:CLIPS_OF_A_SOURCE] for _, clips in sorted(by_source.items()) if clips]
    first, second = ([clip for clips in sources[place::2] for clip in clips] for place in (0, 1))
    return first, second


def bed(clips: Sequence[Clip], seconds: float) -> Samples:
    """The clips one after the other."""
    pieces = [read(clip.path) for clip in clips]
    audible = [piece for piece in pieces if len(piece) > RATE and np.abs(piece).max() > 1e-3]
    return looped(audible, seconds, RATE, 1) * np.float32(10 ** (DBFS / 20))


def with_sounds(background: Samples) -> tuple[Samples, list[tuple[str, float, float]]]:
    """Sounds over it, every ten seconds one; each with its class, start and stop [s]."""
    rng = np.random.default_rng(3)
    of_class = {kind: [clip for clip in esc10(None) if clip.kind == kind] for kind in SOUNDS}
    clips = [clip for own in of_class.values() for clip in own[::2][:CLIPS_OF_A_SOUND]]
    out, truth = background.copy(), []
    for number, place in enumerate(rng.permutation(len(clips))):
        sound = cut(read(clips[place].path), RATE)
        if sound is None:
            continue
        sound = sound[: SOUND_SECONDS * RATE]
        start = (5 + PAUSE_SECONDS * number) * RATE
        under = background[start : start + len(sound)]
        power = float(np.mean(np.square(under))) * 10 ** (rng.uniform(*SNR_DB) / 10)
        out[start : start + len(sound)] += np.float32(np.sqrt(power / active_power(sound, RATE))) * sound
        truth.append((clips[place].kind, start / RATE, (start + len(sound)) / RATE))
    return np.clip(out, -1, 1), truth


def read(path: Path) -> Samples:
    """A clip, mono at RATE."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    resampled: Samples = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    return resampled


def hear(path: str, flags: Sequence[str]) -> tuple[list[tuple[str, float]], int]:
    """What the program tells of a recording: labels with the seconds of their decision; and its windows."""
    done = _program("analyze", "-q", "--start-time", "0", "--jobs", "1", *flags, path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    starts = [(line["label"], _seconds(line["time"])) for line in lines if line.get("type") == "start"]
    summary = _program("run", "--input", path, "--sink", "stdout:json", *flags).stderr
    windows = re.search(r"windows=(\d+)", summary)
    return starts, int(windows[1]) if windows else 0


def is_found(sound: tuple[str, float, float], starts: Sequence[tuple[str, float]]) -> bool:
    """Whether an event of its class was told while it sounded, or a second later."""
    kind, start, stop = sound
    return any(label in SOUNDS[kind] and start < at <= stop + 1 for label, at in starts)


def _seconds(time: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(time).timestamp()


def _program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detector", *arguments], check=True, capture_output=True, text=True
    )


if __name__ == "__main__":
    main()
