"""Which spans of the stream are saved, for which events: integers only, no samples and no clock.

A clip reaches from `preroll` before a sound's onset to `postroll` after its end. Sounds that overlap share a
clip; a clip is never longer than `longest`, and no sample is in two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detector.records import Event, Span

NOTHING_SAVED = -(2**62)
"""A sample before every clip."""


@dataclass(frozen=True, slots=True)
class ClipLengths:
    """How much is saved around a sound, in samples of the stream."""

    preroll: int
    postroll: int
    longest: int
    """More than the two together."""


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A span to save, and the sounds that it is saved for, in order of their onsets."""

    span: Span
    sounds: tuple[Event, ...]
    """Each as it was last reported."""


class ClipPlan:
    """Follows the events of one stream, and says which clips are complete.

    `wants` decides by a sound's newest state whether it gets a clip: an update may correct its label.
    """

    def __init__(self, lengths: ClipLengths, *, wants: Callable[[Event], bool]) -> None:
        self._lengths = lengths
        self._wants = wants
        self._sounds: dict[int, Event] = {}
        self._planned: set[int] = set()
        self._saved_stop = NOTHING_SAVED

    @property
    def ids(self) -> set[int]:
        """Of the sounds that are waiting for a clip, or go on behind theirs."""
        return self._sounds.keys() | self._planned

    def note(self, event: Event) -> None:
        """Take what is reported of a sound."""
        if event.id in self._planned:  # it goes on behind the end of its clip
            if event.phase == "end":
                self._planned.discard(event.id)
            return
        self._sounds[event.id] = event

    def due(self, stop: int) -> list[PlannedClip]:
        """The clips that are complete when `stop` is one past the newest sample."""
        return self._take(stop, is_last=False)

    def flush(self, stop: int) -> list[PlannedClip]:
        """No more sound for now: all clips, cut at `stop`."""
        clips = self._take(stop, is_last=True)
        self._sounds.clear()
        self._planned.clear()
        return clips

    def _take(self, stop: int, *, is_last: bool) -> list[PlannedClip]:
        clips = []
        for id in [
            id for id, sound in self._sounds.items() if sound.phase == "end" and not self._wants(sound)
        ]:
            del self._sounds[id]
        while (clip := self._first()) is not None:
            if clip.span.stop > stop:
                if not is_last:
                    break
                clip = PlannedClip(Span(clip.span.start, stop), clip.sounds)
            for sound in clip.sounds:
                del self._sounds[sound.id]
                if sound.phase != "end":
                    self._planned.add(sound.id)
            if clip.span.length > 0:  # else all of it is in the clip before
                self._saved_stop = clip.span.stop
                clips.append(clip)
        return clips

    def _first(self) -> PlannedClip | None:
        """The next clip, as long as it would be by what is known; None where no sound wants one."""
        wanted = sorted(filter(self._wants, self._sounds.values()), key=lambda sound: sound.onset)
        if not wanted:
            return None
        lengths = self._lengths
        shared: list[Event] = []
        start = max(wanted[0].onset - lengths.preroll, self._saved_stop)
        limit = start + lengths.longest
        stop = start
        for sound in wanted:
            if shared and sound.onset - lengths.preroll >= stop:
                break
            if (
                shared and sound.onset + lengths.postroll > limit
            ):  # it gets a clip of its own, behind this one,
                cut = max(sound.onset - lengths.preroll, shared[-1].onset + lengths.postroll)
                if cut <= sound.onset:  # unless the two began at nearly the same time
                    stop = min(stop, cut)
                    break
            end = limit if sound.offset is None else sound.offset + lengths.postroll
            stop = max(stop, min(end, limit))
            shared.append(sound)
        return PlannedClip(Span(start, stop), tuple(shared))
