"""How often a clip with speech in it is kept all the same, and how often one without is dropped.

A clip here has 10 s: pink noise at -55 dBFS, in its middle 4 s of an ESC-10 sound at -25 dBFS, and somewhere
some speech, at three levels below the sound. It goes through the daemon's pipeline and to the judge of
`clips.speech: drop`; the daemon also drops what it reported as speech, which is left out here. Speech:
synthetic (espeak-ng), and real voices from the folders of --speech, cut to 4 s, or single words of at most
0.8 s. Children who play are UrbanSound8K's. Clips without speech: ESC-10, and ESC-50's fold 4, both without
the classes of human sounds.

    python -m benchmarks.quality.speech_in_clips [--clips 200] [--speech FOLDER] [--seed 0]

On Debian, `apt install asterisk-core-sounds-en-wav alsa-utils` brings real voices, which are looked for under
/usr/share without --speech.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.quality.steady_sounds import SENTENCES, VOICES
from benchmarks.support.daemon_setup import DEFAULT, YAMNET, DaemonSetup
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, Samples, active_mean_square, data_folder, noise, quantised
from detector.assemble.clip_making import make_speech_judge
from detector.assemble.stages import load_model, make_pipeline
from detector.clips.clip_plan import ClipLengths, ClipPlan
from detector.clips.clip_record import ClipRequest
from detector.clips.clip_recorder import ClipRecorder
from detector.clips.original_ring import OriginalRing
from detector.modelstore import ModelCatalogue
from detector.records import Block, Event
from detector.wire.message import event_body

LEVELS_DB = (0.0, -10.0, -20.0)
"""Of the speech, relative to the other sound."""
CLIP_SECONDS, SOUND_SECONDS, SOUND_DBFS, ROOM_DBFS = 10.0, 4.0, -25.0, -55.0
LEAD_SECONDS, BLOCK_SECONDS = 6.0, 0.12
LONGEST_SECONDS, WORD_SECONDS, SHORTEST_SECONDS = 4.0, 0.8, 0.3
VOICES_BY_DEFAULT = (Path("/usr/share/asterisk/sounds"), Path("/usr/share/sounds/alsa"))

HUMAN = (
    *("crying_baby", "laughing", "breathing", "coughing", "snoring", "sneezing", "drinking_sipping"),
    *("brushing_teeth", "clapping", "footsteps", "Baby cry", "Person sneeze"),
)
"""Classes of sounds that people make, left out: some hold a voice."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One kind of speech."""

    name: str
    samples: Sequence[Samples]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.speech_in_clips",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--clips", type=int, default=200, help="of each kind and level (default 200)")
    parser.add_argument("--speech", type=Path, action="append", help="folder of recordings of voices")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    esc10 = _folder(data_folder() / "esc10", chance)
    kinds = _kinds(arguments.speech or VOICES_BY_DEFAULT, chance)
    esc50 = _folder(data_folder() / "esc50dev", chance)
    for trial in (Trial(daemon) for daemon in (DEFAULT, YAMNET)):
        print(with_speech(trial, kinds, esc10, arguments.clips, chance), flush=True)
        print(
            without_speech(trial, {"ESC-10": esc10[: arguments.clips], "ESC-50, fold 4": esc50}), flush=True
        )


class Trial:
    """A daemon's pipeline and recorder, and the judge: whether a clip would be kept."""

    def __init__(self, daemon: DaemonSetup) -> None:
        self._settings = daemon.settings()
        self._model = load_model(self._settings, ModelCatalogue())
        self._judge = make_speech_judge()
        self.name = self._model.spec.name

    def keeps(self, clip: Samples) -> bool:
        """Hear a clip, after some seconds of the room alone; the whole clip is what would be saved."""
        spec = self._model.spec
        lead = noise("pink", ROOM_DBFS, LEAD_SECONDS, 1)
        sound = quantised(soxr.resample(np.concatenate((lead, clip)), RATE, spec.sample_rate))
        first = round(LEAD_SECONDS * spec.sample_rate)
        requests: list[ClipRequest] = []
        recorder = ClipRecorder(
            ring=OriginalRing(stream_rate=spec.sample_rate, capacity=len(sound)),
            plan=ClipPlan(ClipLengths(0, 0, len(sound)), wants=lambda event: True),
            stream_rate=spec.sample_rate,
            submit=requests.append,
            labels=spec.labels,
        )
        pipeline = make_pipeline(
            self._settings, self._model.classifier, self._model.heads, keep=recorder.hear
        )
        block = round(BLOCK_SECONDS * spec.sample_rate)
        for at in range(0, len(sound), block):
            recorder.push(Block(at, sound[at : at + block]))
            pipeline.push(Block(at, sound[at : at + block]))
        pipeline.flush()
        whole = Event("end", 1, spec.labels[0], first, len(sound), len(sound), 1.0, 1.0, 0.0)
        recorder.note(whole, event_body(whole, to_utc=float, sample_rate=1, source="", run_id="run"))
        recorder.submit_due()
        (request,) = requests
        samples = soxr.resample(request.samples / np.float32(32768), spec.sample_rate, self._judge.rate)
        return not self._judge.judge(samples, request.heard).is_speech


def with_speech(
    trial: Trial, kinds: Sequence[Speech], sounds: Sequence[Path], count: int, chance: random.Random
) -> str:
    """Of clips with speech, the share that was kept: a row for each kind, a column for each level."""
    rows = [[f"{trial.name}: speech", *(f"{level:+.0f} dB" for level in LEVELS_DB), "clips each"]]
    for kind in kinds:
        shares = []
        for level in LEVELS_DB:
            kept = 0
            for number in range(count):
                clip = scene(read(sounds[(number * 7) % len(sounds)]), number)
                _add(clip, kind.samples[number % len(kind.samples)], SOUND_DBFS + level, chance)
                kept += trial.keeps(clip)
            shares.append(f"{kept / count:.1%}")
        rows.append([kind.name, *shares, str(count)])
    return table(rows)


def without_speech(trial: Trial, folders: dict[str, Sequence[Path]]) -> str:
    """Of clips without speech, the share that was dropped."""
    rows = [[f"{trial.name}: clips without speech", "dropped", "clips"]]
    for name, paths in folders.items():
        dropped = sum(not trial.keeps(scene(read(path), number)) for number, path in enumerate(paths))
        rows.append([name, f"{dropped / len(paths):.1%}", str(len(paths))])
    return table(rows)


def scene(sound: Samples, seed: int) -> Samples:
    """A clip of a sound in a quiet room, without speech."""
    clip = noise("pink", ROOM_DBFS, CLIP_SECONDS, seed)
    at = round((CLIP_SECONDS - SOUND_SECONDS) / 2 * RATE)
    sound = sound[: round(SOUND_SECONDS * RATE)]
    clip[at : at + len(sound)] += _at_level(sound, SOUND_DBFS)
    return clip


def read(path: Path) -> Samples:
    """A recording as mono at RATE."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    resampled: Samples = soxr.resample(samples.mean(axis=1), rate, RATE)
    return resampled


def _add(clip: Samples, speech: Samples, dbfs: float, chance: random.Random) -> None:
    at = chance.randrange(max(1, len(clip) - len(speech)))
    clip[at : at + len(speech)] += _at_level(speech, dbfs)[: len(clip) - at]


def _at_level(samples: Samples, dbfs: float) -> Samples:
    return np.asarray(samples * 10 ** (dbfs / 20) / max(1e-6, active_mean_square(samples) ** 0.5))


def _kinds(folders: Sequence[Path], chance: random.Random) -> list[Speech]:
    kinds = [Speech("espeak-ng, a sentence", _some(_synthetic, chance, 60))]
    paths = sorted(path for folder in folders for path in folder.rglob("*.wav") if "silence" not in str(path))
    chance.shuffle(paths)
    voices = [read(path)[: round(LONGEST_SECONDS * RATE)] for path in paths]
    long = [voice for voice in voices if len(voice) > 1.2 * RATE]
    words = [voice for voice in voices if SHORTEST_SECONDS * RATE < len(voice) <= WORD_SECONDS * RATE]
    children = sorted((data_folder() / "urbansound8k").glob("audio/*/*-2-*.ogg"))  # class 2: children playing
    chance.shuffle(children)
    for name, found in (("a real voice, 1.2 to 4 s", long), ("a real voice, one word", words)):
        if found:
            kinds.append(Speech(name, found))
    if children:
        kinds.append(Speech("children who play", [read(path) for path in children[:100]]))
    return kinds


def _synthetic() -> Iterator[Samples]:
    for number, sentence in enumerate(SENTENCES * len(VOICES)):
        voice = VOICES[(number * 5 + number // len(SENTENCES)) % len(VOICES)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "say.wav"
            subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), sentence], check=True)
            yield read(path)[: round(LONGEST_SECONDS * RATE)]


def _some(make: Callable[[], Iterator[Samples]], chance: random.Random, count: int) -> list[Samples]:
    found = [samples for samples, _ in zip(make(), range(count), strict=False)]
    chance.shuffle(found)
    return found


def _folder(folder: Path, chance: random.Random) -> list[Path]:
    paths = [path for path in sorted(folder.glob("*/*.ogg")) if not path.parent.name.endswith(HUMAN)]
    if not paths:
        raise SystemExit(f"no clips under {folder}: set SOUND_DETECTOR_DATA")
    chance.shuffle(paths)
    return paths


if __name__ == "__main__":
    main()
