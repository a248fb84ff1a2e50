"""Whether there is speech in a clip; what the daemon has not classified of it is classified now.

The highest score of any class of speech in any window decides. The threshold is lower where the voice
detector hears a voice in that window, or where there is none. This is best effort: docs/security.md says how
often it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.clips.clip_record import HeardWindow
from detector.interfaces import Classifier, Vad
from detector.records import Block, Label, Span, Window

SPEECH_NAMES = frozenset(
    {
        *("Speech", "Shout", "Whispering", "Singing", "Chatter", "Rapping", "Chant"),
        *("Hubbub, speech noise, speech babble", "Crowd", "Children playing"),
    }
)
"""AudioSet's classes in which words may be heard; those below them count too."""

HOP_SHARE = 0.5
"""From one window's end to the next, as a share of the window."""

VOICED_THRESHOLD = 0.08
UNVOICED_THRESHOLD = 0.15
"""Scores from which a window counts as speech, with a voice in it and without one."""

HEARD_THRESHOLD = 0.05
"""The same for a window that the daemon has classified."""

KNOWN_SHARE = 0.9
"""A window of which the daemon has classified so much is not scored again."""

VOICED_SHARE = 0.3
"""Share of a window's frames in which a voice is detected."""

FRAME_SECONDS = 0.03
LOUD_SECONDS = 0.1
FULL_SCALE = 32768.0
TARGET = 0.1
MAX_GAIN = 100.0
"""The loudest LOUD_SECONDS of each window are raised to TARGET (-20 dBFS), by MAX_GAIN at most: a quiet voice
in the pre-roll of a loud sound is to be noticed."""


@dataclass(frozen=True, slots=True)
class SpeechVerdict:
    """What a clip was judged to be."""

    is_speech: bool
    score: float
    """The highest of a class of speech in any window, 0..1."""
    windows: int
    """How many were scored."""


class SpeechJudge:
    """Judges clips at the classifier's rate; `vad` None judges as if every window held a voice.

    The classifier must have at least one class of speech: ValueError.
    """

    def __init__(self, classifier: Classifier, vad: Vad | None) -> None:
        self._classifier = classifier
        self._vad = vad
        self._columns = speech_columns(classifier.spec.labels)
        if not len(self._columns):
            raise ValueError(f"the model {classifier.spec.name} knows no class of speech")

    @property
    def rate(self) -> int:
        """Hertz that `judge` wants."""
        return self._classifier.spec.sample_rate

    def judge(self, samples: NDArray[np.float32], heard: Sequence[HeardWindow] = ()) -> SpeechVerdict:
        """Judge a whole clip, float32 (n,) in [-1, 1] at `rate`; a short one gets silence in front.

        `heard` is not scored again. The first window with speech decides: a higher score may follow.
        """
        highest = 0.0
        for known_window in heard:
            if not known_window.speech_score < HEARD_THRESHOLD:
                return SpeechVerdict(True, known_window.speech_score, 0)
            highest = max(highest, known_window.speech_score)
        length = self._classifier.spec.window
        known = self._known(len(samples), heard)
        padded = np.concatenate((np.zeros(max(0, length - len(samples)), np.float32), samples))
        count = 0
        for window in _windows(padded, length):
            if known[window.span.start : window.span.stop].mean() >= KNOWN_SHARE:
                continue
            score = float(self._classifier.scores(window).values[self._columns].max())
            highest, count = max(highest, score), count + 1
            # What is no number is no proof that there is no speech.
            if not score < UNVOICED_THRESHOLD or (not score < VOICED_THRESHOLD and self._has_voice(window)):
                return SpeechVerdict(True, score, count)
        return SpeechVerdict(False, highest, count)

    def _known(self, length: int, heard: Sequence[HeardWindow]) -> NDArray[np.bool_]:
        """Which samples the daemon has classified, after the silence before a short clip."""
        silence = max(0, self._classifier.spec.window - length)
        known = np.zeros(silence + length, np.bool_)
        for window in heard:
            first, last = round(window.start * self.rate), round(window.stop * self.rate)
            known[silence + max(0, first) : silence + max(0, last)] = True
        return known

    def _has_voice(self, window: Window) -> bool:
        """Whether a voice is detected in enough frames of a window; True without a detector."""
        if self._vad is None:
            return True
        self._vad.reset()
        whole = np.rint(np.clip(window.samples, -1, 1 - 1 / FULL_SCALE) * np.float32(FULL_SCALE)).astype(
            np.int16
        )
        frame = round(FRAME_SECONDS * self.rate)
        starts = range(0, len(whole) - frame + 1, frame)
        active = [self._vad.is_active(Block(at, whole[at : at + frame])) for at in starts]
        return not active or sum(active) >= VOICED_SHARE * len(active)


def speech_columns(labels: Sequence[Label]) -> NDArray[np.intp]:
    """The outputs of a model that are classes of speech."""
    return np.array([column for column, label in enumerate(labels) if is_speech(label)], np.intp)


def is_speech(label: Label) -> bool:
    """Whether a label is a class of speech."""
    return label.name in SPEECH_NAMES or not SPEECH_NAMES.isdisjoint(label.ancestor_names)


def _windows(samples: NDArray[np.float32], length: int) -> Iterator[Window]:
    hop = round(HOP_SHARE * length)
    for stop in [*range(length, len(samples), hop), len(samples)]:
        span = Span(stop - length, stop)
        inside = np.ascontiguousarray(samples[span.start : span.stop])
        yield Window(span, inside, gain=_gain(inside, length))


def _gain(samples: NDArray[np.float32], length: int) -> float:
    parts = np.array_split(samples, max(1, min(10, length)))
    loudest = max(float(np.sqrt(np.mean(part * part))) for part in parts)
    return min(MAX_GAIN, max(1.0, TARGET / loudest)) if loudest > 0 else 1.0
