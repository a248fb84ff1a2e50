"""`sound-detector clips list | play | lock | unlock | delete | export`: the clips that are kept.

Each returns the exit status; a ClipError is left to the command line, which prints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from detector.clips.clip_export import export
from detector.clips.clip_folder import ClipStore, StoredClip
from detector.clips.clip_player import play
from detector.clips.clip_record import ClipFacts
from detector.files.terminal import print_escaped, print_json


def list_clips(folder: Path, *, labels: Sequence[str] = (), as_json: bool = False) -> int:
    """Print a line for each clip, the oldest first."""
    found = _of_labels(ClipStore(folder).clips(), labels)
    if as_json:
        print_json([_values(clip, facts) for clip, facts in found])
        return 0
    for clip, facts in found:
        began = datetime.fromtimestamp(clip.entry.began, UTC).astimezone()
        names = ", ".join(dict.fromkeys(sound.label for sound in facts.sounds)) or facts.label
        lock = "locked" if clip.entry.locked else ""
        print_escaped(
            f"{began:%Y-%m-%d %H:%M:%S}  {facts.duration:5.1f} s  {lock:<6}  {clip.entry.id}  {names}"
        )
    size = sum(clip.entry.size for clip, _ in found) / 1e6
    print_escaped(f"{len(found)} clip{'' if len(found) == 1 else 's'}, {size:.1f} MB, in {folder}")
    return 0


def play_clips(folder: Path, names: Sequence[str]) -> int:
    """Play clips, one after the other."""
    store = ClipStore(folder)
    for name in names:
        clip = store.find(name)
        print_escaped(clip.entry.id, flush=True)
        play(clip.path)
    return 0


def lock_clips(folder: Path, names: Sequence[str], *, locked: bool) -> int:
    """Keep clips from being deleted, or no longer."""
    store = ClipStore(folder)
    for clip in [store.find(name) for name in names]:
        (store.lock if locked else store.unlock)(clip)
        print_escaped(f"{clip.entry.id}: {'locked' if locked else 'unlocked'}")
    return 0


def delete_clips(folder: Path, names: Sequence[str]) -> int:
    """Delete clips, locked ones too."""
    store = ClipStore(folder)
    for clip in [store.find(name) for name in names]:
        store.delete(clip)
        print_escaped(f"{clip.entry.id}: deleted")
    return 0


def export_clips(folder: Path, dataset: Path, names: Sequence[str], *, labels: Sequence[str] = ()) -> int:
    """Cut the sounds out of clips, of all or of those named, into the folders of a dataset."""
    store = ClipStore(folder)
    chosen = [store.find(name) for name in names] if names else store.clips()
    done = export(chosen, dataset, labels=frozenset(label.casefold() for label in labels))
    there = f"; {done.there} {'was' if done.there == 1 else 'were'} there already" if done.there else ""
    sounds = "1 sound" if done.written == 1 else f"{done.written} sounds"
    print_escaped(f"{sounds} written to {dataset}{there}")
    return 0


def _of_labels(clips: Sequence[StoredClip], labels: Sequence[str]) -> list[tuple[StoredClip, ClipFacts]]:
    wanted = {label.casefold() for label in labels}
    found = [(clip, clip.facts()) for clip in clips]
    return [
        (clip, facts)
        for clip, facts in found
        if not wanted
        or wanted & {name.casefold() for name in (facts.label, *(s.label for s in facts.sounds))}
    ]


def _values(clip: StoredClip, facts: ClipFacts) -> dict[str, object]:
    return {
        "id": clip.entry.id,
        "path": str(clip.path),
        "label": facts.label,
        "start_time": facts.start_time,
        "duration": facts.duration,
        "source": facts.source,
        "locked": clip.entry.locked,
        "bytes": clip.entry.size,
        "events": [sound.id for sound in facts.sounds],
        "labels": list(dict.fromkeys(sound.label for sound in facts.sounds)),
    }
