"""Clips as a dataset for `train`: each sound is cut out of its clip and put into the folder of its class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from detector.clips.clip_folder import StoredClip
from detector.clips.clip_player import read_sound
from detector.clips.clip_record import ClipSound, slug
from detector.clips.sound_encoding import encoded
from detector.errors import ClipError
from detector.files.guarded import is_file, replace_file

MARGIN_SECONDS = 0.1
"""Sound kept on either side: an onset is right to a few hundredths of a second."""

SHORTEST_SECONDS = 0.5
_FORBIDDEN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
"""Not allowed in the names of folders on some systems."""


@dataclass(frozen=True, slots=True)
class ExportedClips:
    """What an export did."""

    written: int
    there: int
    """Sounds that had been exported before."""


def export(
    clips: Iterable[StoredClip], dataset: Path, *, labels: frozenset[str] = frozenset()
) -> ExportedClips:
    """Write the sounds of clips as FLAC; those that are there stay. `labels`: casefolded, empty is all.

    Sounds of one clip have names that keep them in one fold. Raises ClipError.
    """
    written = there = 0
    for clip in clips:
        facts = clip.facts()
        wanted = [
            (part, sound)
            for part, sound in enumerate(facts.sounds, 1)
            if not labels or sound.label.casefold() in labels
        ]
        targets = [(sound, _target(dataset, clip, part, sound)) for part, sound in wanted]
        new = [(sound, target) for sound, target in targets if not is_file(target)]
        there += len(targets) - len(new)
        if not new:
            continue
        samples, rate = read_sound(clip.path)
        for sound, target in new:
            first, last = _extent(sound, len(samples) / rate)
            content = encoded(samples[round(first * rate) : round(last * rate)], rate, "flac")
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(target, content)
            except OSError as error:
                raise ClipError(f"{target} cannot be written: {error.strerror}") from error
            written += 1
    return ExportedClips(written, there)


def _extent(sound: ClipSound, duration: float) -> tuple[float, float]:
    """From where to where a sound is cut out [s]."""
    first = max(0.0, min(sound.start, duration) - MARGIN_SECONDS)
    last = min(duration, (duration if sound.end is None else sound.end) + MARGIN_SECONDS)
    return max(0.0, min(first, duration - SHORTEST_SECONDS)), min(
        duration, max(last, first + SHORTEST_SECONDS)
    )


def _target(dataset: Path, clip: StoredClip, part: int, sound: ClipSound) -> Path:
    """`DATASET/Dog/dog-3f9a-12-20261128T150313Z-1-01.flac`: files of one clip share a fold."""
    time, _, own = clip.entry.id.split("_", 2)
    folder = sound.label.translate(_FORBIDDEN).strip(" .") or "sound"
    return dataset / folder / f"{slug(sound.label)}-{own}-{time}-1-{part:02d}.flac"
