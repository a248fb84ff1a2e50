"""One source's part in clips: its blocks and events in, complete clips out; pure, and never waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from detector.clips.clip_plan import ClipPlan, PlannedClip
from detector.clips.clip_record import ClipFacts, ClipRequest, ClipSound, HeardWindow, clip_id, moved
from detector.clips.original_ring import OriginalRing, OriginalSound
from detector.clips.speech_judge import is_speech, speech_columns
from detector.events.groups import WantedNames
from detector.records import Block, Event, Label, Scores, Span
from detector.wire.message import EventBody

GOES_ON = 2**62
"""A sample behind every clip."""

HEARD_SECONDS = 0.96
"""Of a window that was classified, so much is known: the shortest window of a network that knows speech."""


@dataclass(frozen=True, slots=True)
class ClipChoice:
    """Which sounds get clips."""

    names: tuple[str, ...] = ()
    """Labels, class ids or groups; what lies below them counts too. Empty: all but speech."""
    speech: bool = False
    """Whether a sound of speech may get one, if `names` has it."""

    def wants(self, event: Event) -> bool:
        """Whether a sound gets a clip by what is known of it now."""
        label = event.label
        if event.verdict is not None and event.verdict.outcome == "veto":
            return False
        if is_speech(label) and not (self.speech and self.names):
            return False
        if not self.names:
            return True
        return WantedNames.of(self.names).hold((label.name, label.class_id), label.ancestor_names)


class ClipRecorder:
    """Keeps the newest sound of one source, and submits each clip once its post-roll has been heard.

    All positions are counted in samples of the stream, so a clock that is set changes nothing.
    """

    def __init__(
        self,
        *,
        ring: OriginalRing,
        plan: ClipPlan,
        stream_rate: int,
        submit: Callable[[ClipRequest], None],
        labels: Sequence[Label] = (),
    ) -> None:
        """`labels` are those of the scores that `hear` gets."""
        self._ring = ring
        self._plan = plan
        self._stream_rate = stream_rate
        self._submit = submit
        self._bodies: dict[int, EventBody] = {}
        self._speech: dict[int, Span] = {}
        self._stop = 0
        # A head may go at any moment, and its labels with it; those of the networks stay where they are.
        known = [label for label in labels if not label.taught]
        self._columns = speech_columns(known)
        self._heard: deque[tuple[int, float]] = deque()

    def hear(self, scores: Scores) -> None:
        """Take the scores of a window: where speech could be recognised, it is not searched for again."""
        if len(self._columns):
            self._heard.append((scores.span.stop, float(scores.values[self._columns].max())))

    def push(self, block: Block) -> None:
        """Keep the newest sound."""
        self._ring.append(block)
        self._stop = block.stop
        while self._heard and self._heard[0][0] < self._stop - self._ring.capacity:
            self._heard.popleft()

    def note(self, event: Event, body: EventBody, *, is_reported: bool = True) -> None:
        """Take what is reported of a sound, and how it was told.

        A sound that is not reported, as in quiet hours, gets no clip; that it was speech counts all the same.
        """
        if is_speech(event.label):
            self._speech[event.id] = Span(event.onset, GOES_ON if event.offset is None else event.offset)
        else:
            self._speech.pop(event.id, None)
        if is_reported or event.id in self._bodies:  # what was reported before may be vetoed now
            self._plan.note(event)
            self._bodies[event.id] = body

    def submit_due(self) -> None:
        """Submit the clips that are complete."""
        if self._bodies or self._speech:  # else, as nearly always, nothing sounds
            for clip in self._plan.due(self._stop):
                self._submit_one(clip)
            self._forget()

    def finish(self) -> None:
        """No more sound for now: submit all clips as they are, without the rest of their post-roll."""
        for clip in self._plan.flush(self._stop):
            self._submit_one(clip)
        self._bodies.clear()
        self._speech.clear()
        self._heard.clear()
        self._ring.clear()

    def _forget(self) -> None:
        """Drop what no clip can need any more."""
        kept = self._plan.ids
        if len(self._bodies) > len(kept):
            self._bodies = {id: body for id, body in self._bodies.items() if id in kept}
        if self._speech:
            oldest = self._stop - self._ring.capacity
            self._speech = {id: span for id, span in self._speech.items() if span.stop > oldest}

    def _submit_one(self, clip: PlannedClip) -> None:
        sound = self._ring.read(clip.span)
        if sound is None:
            return
        spoken = self._has_speech(clip.span)
        heard = tuple(self._heard_in(clip.span, sound.start))
        self._submit(ClipRequest(self._facts(clip, sound), sound.samples, spoken, heard))

    def _heard_in(self, span: Span, start: int) -> Iterator[HeardWindow]:
        """The windows that lie in a span, with their places behind `start`; of each only its newest part.

        The networks look back differently far, and a window reaches back before the gate opened.
        """
        length = round(HEARD_SECONDS * self._stream_rate)
        for stop, score in self._heard:
            if stop > span.start and stop - length < span.stop:
                first, last = stop - length - start, stop - start
                yield HeardWindow(first / self._stream_rate, last / self._stream_rate, score)

    def _has_speech(self, span: Span) -> bool:
        """Whether speech was reported in it."""
        return any(speech.start < span.stop and speech.stop > span.start for speech in self._speech.values())

    def _facts(self, clip: PlannedClip, sound: OriginalSound) -> ClipFacts:
        def seconds(sample: int) -> float:
            return round((sample - sound.start) / self._stream_rate, 3)

        bodies = [self._bodies[event.id] for event in clip.sounds]
        best = max(range(len(bodies)), key=lambda i: clip.sounds[i].top_score)
        first = bodies[0].start_time or bodies[0].time or "1970-01-01T00:00:00.000Z"
        start = moved(first, -seconds(clip.sounds[0].onset))
        return ClipFacts(
            id=clip_id(start, bodies[best].label, bodies[best].id),
            label=bodies[best].label,
            start_time=f"{start:%Y-%m-%dT%H:%M:%S}.{start.microsecond // 1000:03d}Z",
            duration=round(len(sound.samples) / sound.rate, 3),
            source=bodies[best].source,
            sample_rate=sound.rate,
            sounds=tuple(
                ClipSound(
                    id=body.id,
                    label=body.label,
                    class_id=body.class_id,
                    model=body.model,
                    score=body.top_score or 0.0,
                    start=max(0.0, seconds(event.onset)),
                    end=None
                    if event.offset is None or event.offset > clip.span.stop
                    else max(0.0, seconds(event.offset)),
                )
                for event, body in zip(clip.sounds, bodies, strict=True)
            ),
        )
