"""`sound-detector soundscape`: a dataset's clips over a background, as recordings with their annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.datasets.annotation_files import audacity_text, csv_text, jams_text
from detector.datasets.annotations import Annotation
from detector.datasets.labelled_clips import Clip, read_dataset
from detector.errors import ConfigError, DatasetError
from detector.evaluation.class_map import normal
from detector.evaluation.report_tables import make_folder, write_files
from detector.files.sound_files import files_in
from detector.files.terminal import print_escaped
from detector.soundscapes.mixing import COLOURS, coloured_noise, looped, mix, room
from detector.soundscapes.plan import Placed, Planner, SoundscapeRules
from detector.soundscapes.stretch import Samples, cut
from detector.sources.recording import Recording


@dataclass(frozen=True, slots=True)
class SoundscapeRequest:
    """What the command line asked for."""

    clips: Path
    out: Path
    rules: SoundscapeRules
    count: int = 1
    """Recordings to make."""
    layout: str | None = None
    background: str = "pink"
    """A colour of noise, a recording, a folder of recordings, or a class of the clips."""
    background_dbfs: float = -50.0
    exclude: tuple[str, ...] = ()
    """Classes to leave out."""
    folds: tuple[str, ...] = ()
    """Only clips of these folds; empty is all."""
    reverb_seconds: float = 0.0
    """Time in which the room decays by 60 dB; 0 is none."""
    rate: int = 32000
    """Sample rate [Hz]."""
    format: str = "flac"
    seed: int = 0
    overwrite: bool = False


def soundscape(request: SoundscapeRequest) -> int:
    """Make the recordings; print one line for each."""
    dataset = read_dataset(request.clips, request.layout)
    _check_folds(request.folds, dataset.clips)
    clips = [clip for clip in dataset.clips if not request.folds or clip.fold in request.folds]
    backgrounds, of_background = _backgrounds(request, clips)
    left_out = {normal(name) for name in (*request.exclude, of_background) if name}
    _check_names(request.exclude, dataset.classes)
    used = _stretches([clip for clip in clips if normal(clip.label) not in left_out], request.rate)
    if not used:
        raise DatasetError(f"{request.clips}: no clip is left that sounds for 0.1 s")
    make_folder(request.out, overwrite=request.overwrite)
    rate = request.rate
    lengths = {name: [len(samples) / rate for _, samples in own] for name, own in used.items()}
    planner = Planner(lengths, request.rules, request.seed)
    response = room(request.reverb_seconds, rate, request.seed) if request.reverb_seconds else None
    for number in range(1, request.count + 1):
        placed = planner.plan()
        background = _background(request, backgrounds, request.seed + number)
        mixed, gain_db = mix(background, placed, lambda p: used[p.label][p.clip][1], rate, response)
        name = f"soundscape-{number:03d}"
        _write_sound(request.out / f"{name}.{request.format}", mixed, rate)
        write_files(request.out, _annotations(name, placed, request, used, gain_db))
        print_escaped(
            f"{request.out / name}.{request.format}: {len(placed)} sounds in {request.rules.seconds:g} s"
        )
    return 0


def _backgrounds(request: SoundscapeRequest, clips: Sequence[Clip]) -> tuple[list[Samples], str]:
    """The recordings to loop, none for noise; and the class they are of, if any."""
    name = request.background
    if name in COLOURS:
        return [], ""
    of_class = [clip for clip in clips if normal(clip.label) == normal(name)]
    if of_class:
        return [_read(clip.path, request.rate) for clip in of_class], of_class[0].label
    path = Path(name)
    paths = files_in(path) if path.is_dir() else [path]
    if not path.exists() or not paths:
        classes = ", ".join(sorted({clip.label for clip in clips}))
        raise ConfigError(
            f"--background {name}: expected {', '.join(COLOURS)}, a recording, a folder or a class: {classes}"
        )
    return [_read(p, request.rate) for p in paths], ""


def _background(request: SoundscapeRequest, pieces: Sequence[Samples], seed: int) -> Samples:
    seconds = request.rules.seconds
    sound = (
        looped([piece for piece in pieces if piece.any()], seconds, request.rate, seed)
        if pieces
        else coloured_noise(request.background, seconds, request.rate, seed)
    )
    return sound * np.float32(10 ** (request.background_dbfs / 20))


def _stretches(clips: Sequence[Clip], rate: int) -> dict[str, list[tuple[Clip, Samples]]]:
    found: dict[str, list[tuple[Clip, Samples]]] = {}
    for clip in clips:
        samples = cut(_read(clip.path, rate), rate)
        if samples is not None:
            found.setdefault(clip.label, []).append((clip, samples))
    return found


def _read(path: Path, rate: int) -> Samples:
    with closing(Recording(path=path, sample_rate=rate, block_length=rate)) as recording:
        blocks = [block.samples for block in recording.blocks()]
    return np.concatenate(blocks).astype(np.float32) / np.float32(32768)


def _write_sound(path: Path, samples: Samples, rate: int) -> None:
    import soundfile

    soundfile.write(path, samples, rate, subtype="PCM_16")


def _annotations(
    name: str,
    placed: Sequence[Placed],
    request: SoundscapeRequest,
    used: Mapping[str, Sequence[tuple[Clip, Samples]]],
    gain_db: float,
) -> dict[str, str | bytes]:
    """Audacity beside the recording, where `evaluate` finds it; CSV and JAMS in folders of their own."""
    truth = [Annotation(round(p.onset, 6), round(p.onset + p.seconds, 6), p.label) for p in placed]
    sandbox = {
        "background": request.background,
        "background_dbfs": request.background_dbfs,
        "reverb_seconds": request.reverb_seconds,
        "seed": request.seed,
        "gain_db": round(gain_db, 3),
        "sounds": [
            {"clip": used[p.label][p.clip][0].path.name, "snr_db": round(p.snr_db, 2)} for p in placed
        ],
    }
    for folder in ("csv", "jams"):
        (request.out / folder).mkdir(exist_ok=True)
    return {
        f"{name}.txt": audacity_text(truth),
        f"csv/{name}.csv": csv_text(truth),
        f"jams/{name}.jams": jams_text(truth, seconds=request.rules.seconds, sandbox=sandbox),
    }


def _check_folds(wanted: Sequence[str], clips: Sequence[Clip]) -> None:
    there = sorted({clip.fold for clip in clips if clip.fold is not None})
    for fold in wanted:
        if fold not in there:
            known = f"there are {', '.join(there)}" if there else "the dataset has none"
            raise ConfigError(f"--fold {fold}: no such fold; {known}")


def _check_names(names: Sequence[str], classes: Sequence[str]) -> None:
    known = {normal(name) for name in classes}
    for name in names:
        if normal(name) not in known:
            raise ConfigError(f"--exclude {name}: no such class; there are {', '.join(classes)}")
