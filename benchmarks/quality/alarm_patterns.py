"""How many alarms are found by their rhythm, and what is taken for one.

Found: alarms are made (sines and square waves, tempo +-8 %, from any point of the pattern), put into a room
(the direct sound 3 m away and a diffuse echo of noise that decays by 60 dB in RT60, in 60 m3), laid over real
backgrounds and made noise. SNR is the ratio of mean squares, 125-7500 Hz, of the alarm while it beeps and of
the whole background. T3 sounds for 14 s, T4 for 17 s, a chirp every 40 s for 125 s. The constants of
detector/alarms were chosen on white, pink and brown noise; the backgrounds of this table were new to them.

False: hours of made kitchen beeps, telephones, reversing lorries, alarm clocks, melodies and noises, and with
`--recordings` every recording in a folder, with random pauses between them.

    python -m benchmarks.quality.alarm_patterns [--trials N] [--hours H] [--recordings FOLDER]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, Samples, data_folder, noise, quantised
from detector.alarms.pattern_detector import PatternDetector, PatternSound
from detector.audio.level import LevelMeter
from detector.records import Block

FRAME = 480
FREQUENCIES = (520, 1000, 2000, 3100, 3400)
ECHOES = (0.0, 0.5, 1.0)
SECONDS = {"T3": 14.0, "T4": 17.0, "chirp": 125.0}
BACKGROUNDS = (
    "vacuum_cleaner",
    "washing_machine",
    "rain",
    "wind",
    "engine",
    "crackling_fire",
    "train",
    "hen",
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.alarm_patterns", description=__doc__)
    parser.add_argument("--trials", type=int, default=40, help="alarms for each cell")
    parser.add_argument("--hours", type=float, default=1.0, help="of each made sound")
    parser.add_argument("--recordings", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    if arguments.trials:
        backgrounds = list(real_backgrounds())
        print(f"found [%], {arguments.trials} alarms each, {len(backgrounds)} backgrounds\n")
        print(found_table(backgrounds, arguments.trials), flush=True)
        print(loudness_table(backgrounds, arguments.trials), flush=True)
    if arguments.hours:
        print(false_table(arguments.hours), flush=True)
    for folder in arguments.recordings:
        detector, heard, told = Ears(), 0.0, []
        for name, samples in recordings(folder):
            heard += len(samples) / RATE
            told += [(name, sound) for sound in detector.hear(quantised(samples))]
        starts = [(name, sound.pattern) for name, sound in told if sound.phase == "start"]
        print(f"{folder}: {heard / 3600:.2f} h, {len(starts)} false")
        for name, pattern in starts:
            print(f"  {name}: {pattern}", flush=True)


class Ears:
    """A detector for one stream."""

    def __init__(self) -> None:
        self._meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
        self._detector = PatternDetector(
            self._meter.bins_hz, sample_rate=RATE, frame_length=FRAME, gap_limit=RATE
        )
        self._stop = 0

    def hear(self, samples: np.ndarray) -> list[PatternSound]:
        """Go on with these samples, whole frames of them."""
        told: list[PatternSound] = []
        for at in range(0, len(samples) - 100 * FRAME + 1, 100 * FRAME):
            blocks = []
            for first in range(at, at + 100 * FRAME, FRAME):
                blocks.append(Block(self._stop, samples[first : first + FRAME]))
                self._stop += FRAME
            for level in self._meter.measure_all(blocks):
                told += self._detector.push(level)
        return told


def made_alarm(
    pattern: str, hertz: float, rng: np.random.Generator, *, square: bool
) -> tuple[Samples, Samples]:
    """The sound, and 1 while it beeps."""
    count = round(SECONDS[pattern] * RATE)
    tempo = rng.uniform(0.92, 1.08)
    cycle, beep, step, number = {
        "T3": (4 * tempo, 0.5 * tempo, tempo, 3),
        "T4": (5.7 * tempo, 0.1 * tempo, 0.2 * tempo, 4),
        "chirp": (40.0, rng.uniform(0.06, 0.25), 0.0, 1),
    }[pattern]
    is_on = np.zeros(count)
    first = 40.0 - rng.uniform(1, 39) if pattern == "chirp" else -rng.uniform(0, cycle)
    for burst in np.arange(first, SECONDS[pattern], cycle):
        for n in range(number):
            start, stop = round((burst + n * step) * RATE), round((burst + n * step + beep) * RATE)
            is_on[max(0, start) : max(0, stop)] = 1
    slope = np.hanning(65)
    phase = 2 * np.pi * hertz * np.arange(count) / RATE
    partials = range(1, int(7800 / hertz) + 1, 2) if square else (1,)
    wave = sum((np.sin(k * phase) / k for k in partials), np.zeros(count))
    return wave * np.convolve(is_on, slope / slope.sum(), "same"), is_on


def echo(sound: Samples, rt60: float, rng: np.random.Generator) -> Samples:
    """The sound in a room of 60 m3, 3 m from the microphone; `rt60` 0 is no echo."""
    if rt60 == 0:
        return sound
    times = np.arange(round(rt60 * RATE)) / RATE
    response = rng.standard_normal(len(times)) * 10 ** (-3 * times / rt60)
    response[: round(0.003 * RATE)] = 0
    critical = 0.057 * np.sqrt(60 / rt60)
    response *= 3 / critical / np.sqrt(np.sum(response**2))
    response[0] = 1
    size = len(sound) + len(response)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[: len(sound)]


def banded(sound: Samples) -> Samples:
    """125-7500 Hz of it."""
    spectrum, hertz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 125) | (hertz > 7500)] = 0
    return np.fft.irfft(spectrum, len(sound))


def found(
    pattern: str, hertz: float, rt60: float, snr: float, dbfs: float, backgrounds: list[Samples], seed: int
) -> bool:
    """Make one alarm and look for it."""
    rng = np.random.default_rng([seed, round(hertz), round(10 * rt60)])
    sound, is_on = made_alarm(pattern, hertz * rng.uniform(0.97, 1.03), rng, square=bool(seed % 2))
    sound = echo(sound, rt60, rng)
    sound *= 10 ** (dbfs / 20) / np.sqrt(np.mean(sound[is_on > 0] ** 2))
    background = backgrounds[seed % len(backgrounds)]
    start = rng.integers(0, len(background))
    part = np.resize(np.roll(background, -start), len(sound))
    part = part * 10 ** ((dbfs - snr) / 20) / np.sqrt(np.mean(banded(part) ** 2))
    told = Ears().hear(quantised(np.concatenate((sound + part, np.zeros(3 * RATE)))))
    return any(one.pattern.name == pattern for one in told)


def found_table(backgrounds: list[Samples], trials: int) -> str:
    """At 6 dB, half of them at -60 dBFS, by frequency and echo."""
    rows = [["pattern", "RT60 [s]", *(f"{hertz} Hz" for hertz in FREQUENCIES)]]
    for pattern in ("T3", "T4", "chirp"):
        for rt60 in ECHOES:
            cells = [
                np.mean(
                    [
                        found(pattern, hertz, rt60, 6.0, (-60.0, -30.0)[seed // 2 % 2], backgrounds, seed)
                        for seed in range(trials if pattern != "chirp" else trials // 4)
                    ]
                )
                for hertz in FREQUENCIES
            ]
            rows.append([pattern, f"{rt60:g}", *(f"{100 * cell:.0f}" for cell in cells)])
    return table(rows)


def loudness_table(backgrounds: list[Samples], trials: int) -> str:
    """By SNR and level, at 520 and 3100 Hz alternately, RT60 0.5 s."""
    ratios, levels = (0.0, 3.0, 6.0, 12.0, 20.0), (-60.0, -40.0, -20.0)
    rows = [["pattern", "level [dBFS]", *(f"SNR {ratio:g} dB" for ratio in ratios)]]
    for pattern in ("T3", "T4"):
        for dbfs in levels:
            cells = [
                np.mean(
                    [
                        found(pattern, (520, 3100)[n // 2 % 2], 0.5, ratio, dbfs, backgrounds, 1000 + n)
                        for n in range(trials)
                    ]
                )
                for ratio in ratios
            ]
            rows.append([pattern, f"{dbfs:g}", *(f"{100 * cell:.0f}" for cell in cells)])
    return table(rows)


def real_backgrounds() -> Iterator[Samples]:
    """Recordings of homes and of machines, and pink noise."""
    folder = data_folder()
    paths = [folder / "home" / "running_tap.flac"]
    for name in BACKGROUNDS:
        paths += sorted((folder / "esc50dev" / name).glob("*.ogg"))[:2]
    for path in paths:
        yield read(path)
    yield noise("pink", -40, 20, seed=9)


def read(path: Path) -> Samples:
    """A recording at 16 kHz, mono."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, RATE))


def recordings(folder: Path) -> Iterator[tuple[str, Samples]]:
    """All below a folder that libsndfile reads, each with a random pause behind it."""
    rng = np.random.default_rng(0)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".ogg", ".oga", ".opus", ".wav", ".flac", ".mp3"):
            try:
                samples = read(path)
            except soundfile.LibsndfileError:
                continue
            yield (
                str(path.relative_to(folder)),
                np.concatenate((samples, np.zeros(round(rng.uniform(1, 6) * RATE)), np.zeros(100 * FRAME))),
            )


def beeps(
    rng: np.random.Generator, seconds: float, times: list[tuple[float, float]], hertz: float
) -> Samples:
    """Sines at these times and for so long [s], over faint noise."""
    count = round(seconds * RATE)
    is_on = np.zeros(count)
    for start, length in times:
        is_on[round(start * RATE) : round((start + length) * RATE)] = 1
    wave = np.sin(2 * np.pi * hertz * np.arange(count) / RATE) * is_on * 10 ** (rng.uniform(-40, -10) / 20)
    return np.asarray(wave + 1e-4 * rng.standard_normal(count))


def steadily(rng: np.random.Generator, beep: float, gap: float) -> Samples:
    """A minute of it, then a pause."""
    scale = rng.uniform(0.85, 1.15)
    count = int(rng.uniform(5, 50) / ((beep + gap) * scale))
    times = [(n * (beep + gap) * scale, beep * scale) for n in range(count)]
    return beeps(rng, 60, times, rng.uniform(500, 4000))


def kitchen(rng: np.random.Generator) -> Samples:
    """Three to five beeps of 0.3 to 1 s, and silence."""
    beep = rng.uniform(0.3, 1)
    times = [(n * 2 * beep, beep) for n in range(rng.integers(3, 6))]
    return beeps(rng, rng.uniform(12, 40), times, rng.uniform(900, 4200))


def telephone(rng: np.random.Generator) -> Samples:
    """Bursts of a trill: two tones that alternate, a ring of 1 to 2 s every 3 to 6 s."""
    times, ring, cycle = [], rng.uniform(1, 2), rng.uniform(3, 6)
    for burst in range(8):
        times += [(burst * cycle + n * 0.1, 0.05) for n in range(int(ring / 0.1))]
    return beeps(rng, 8 * cycle, times, rng.uniform(700, 3500))


def alarm_clock(rng: np.random.Generator) -> Samples:
    """Four beeps in half a second, every second."""
    times = [(n + k * 0.125, 0.0625) for n in range(40) for k in range(4)]
    return beeps(rng, 60, times, rng.uniform(1500, 4200))


def melody(rng: np.random.Generator) -> Samples:
    """Notes of a scale with partials, of 60 to 180 beats a minute, some repeated and some rests."""
    beat, bars = 60 / rng.uniform(60, 180), rng.integers(0, 8, (4, 4))
    sound = np.zeros(round(64 * beat * RATE))
    for n in range(64):
        note = bars[n // 4 % 4, n % 4]
        if note:
            hertz = 440 * 2 ** ((rng.choice((0, 12)) + (0, 2, 4, 5, 7, 9, 11)[note - 1]) / 12)
            t = np.arange(round(beat * rng.choice((0.5, 0.9)) * RATE)) / RATE
            first = round(n * beat * RATE)
            wave = sum((np.sin(2 * np.pi * k * hertz * t) / k**2 for k in (1, 2, 3)), np.zeros(len(t)))
            sound[first : first + len(t)] += wave[: len(sound) - first] * np.exp(-t * 2)
    return np.asarray(0.2 * sound + 1e-4 * rng.standard_normal(len(sound)))


def any_noise(rng: np.random.Generator) -> Samples:
    """A minute of one of the noises."""
    return noise(
        str(rng.choice(["white", "pink", "brown", "hum", "fan"])), -40, 60, int(rng.integers(1 << 30))
    )


MADE: dict[str, Callable[[np.random.Generator], Samples]] = {
    "kitchen beeps": kitchen,
    "telephones": telephone,
    "reversing lorries": lambda rng: steadily(rng, 0.5, 0.5),
    "steady beeps": lambda rng: steadily(rng, rng.uniform(0.05, 1), rng.uniform(0.05, 1)),
    "alarm clocks": alarm_clock,
    "melodies": melody,
    "noises": any_noise,
}


def false_table(hours: float) -> str:
    """Hours of each made sound, and what was taken for an alarm."""
    rows = [["made sound", "hours", "false"]]
    for name, make in MADE.items():
        rng, ears, heard = np.random.default_rng(sum(map(ord, name))), Ears(), 0.0
        false: Counter[str] = Counter()
        while heard < hours * 3600:
            samples = make(rng)
            heard += len(samples) / RATE
            told = ears.hear(quantised(samples))
            false.update(one.pattern.name for one in told if one.phase == "start")
        counts = ", ".join(f"{pattern} {count}" for pattern, count in false.items()) or "0"
        rows.append([name, f"{heard / 3600:.1f}", counts])
    return table(rows)


if __name__ == "__main__":
    main()
