"""What the clip process does with one clip: judge it, encode it, write it, delete old ones."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipRequest
from detector.clips.clip_retention import RetentionLimits, deletions
from detector.clips.sound_encoding import OPUS_RATES, SUFFIXES, ClipFormat, encoded
from detector.clips.speech_judge import SpeechJudge
from detector.errors import ClipError, DetectorError

FULL_SCALE = 32768.0

MakeJudge = Callable[[], SpeechJudge]
"""Makes what judges; raises DetectorError where there is no model for it."""


@dataclass(frozen=True, slots=True)
class ClipSaved:
    """A clip is there."""

    path: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class ClipDropped:
    """A clip was not written, on purpose: nothing of it was on the disk at any time."""

    reason: str
    """`speech`, or `unjudged` where nothing could judge it."""
    detail: str = ""
    """For people."""


@dataclass(frozen=True, slots=True)
class ClipFailed:
    """A clip could not be written."""

    reason: str
    """One line for people."""


@dataclass(frozen=True, slots=True)
class FolderSwept:
    """What is in the folder after old clips were deleted."""

    clips: int
    size: int
    """Bytes."""
    deleted: int
    """Clips that were deleted now, for age, size or want of space."""
    detail: str
    """Why, for the log: `age=3 size=1`; empty where none was."""
    fault: str = ""
    """What is wrong with the folder, in one line; empty where nothing is."""


ClipOutcome = ClipSaved | ClipDropped | ClipFailed


@dataclass(slots=True)
class ClipWriter:
    """Judges and writes clips, one after the other; `make_judge` None keeps speech."""

    store: ClipStore
    limits: RetentionLimits
    form: ClipFormat
    make_judge: MakeJudge | None
    clock: Callable[[], float] = time.time
    _judge: SpeechJudge | None = field(default=None, init=False)

    def save(self, request: ClipRequest) -> ClipOutcome:
        """Judge a clip before anything of it is written, then write it."""
        score: float | None = None
        if self.make_judge is not None:
            if request.was_reported_as_speech:
                return ClipDropped("speech")
            try:
                if (judge := self._ready_judge()) is not None:
                    samples = _at(judge.rate, request.samples, request.facts.sample_rate)
                    verdict = judge.judge(samples, request.heard)
                    if verdict.is_speech:
                        return ClipDropped("speech")
                    score = round(verdict.score, 3)
            except Exception as error:  # whatever it is: a clip that was not judged is not written
                return ClipDropped("unjudged", _unjudged(error))
        try:
            self.store.check()
            if self.store.free_bytes() < self.limits.min_free_bytes:
                self.sweep()
                if self.store.free_bytes() < self.limits.min_free_bytes:
                    room = self.limits.min_free_bytes // 1_000_000
                    raise ClipError(
                        f"no clip is kept: less than {room} MB are free in {self.store.folder} "
                        "(clips.min_free_megabytes)"
                    )
            sound = encoded(request.samples, request.facts.sample_rate, self.form)
            clip = self.store.write(request.facts, sound, suffix=SUFFIXES[self.form], speech_score=score)
        except (DetectorError, OSError) as error:
            return ClipFailed(str(error))
        return ClipSaved(str(clip.path), clip.entry.size)

    def warm_up(self) -> None:
        """Load what the first clip would have to wait for; what is missing is told with the first clip."""
        with suppress(Exception):
            encoded(np.zeros(1, np.int16), OPUS_RATES[-1], self.form)
            if (judge := self._ready_judge()) is not None:
                judge.judge(_at(judge.rate, np.zeros(2 * judge.rate, np.int16), 2 * judge.rate))

    def sweep(self) -> FolderSwept:
        """Delete what is too old or too much."""
        try:
            self.store.check()
            now = self.clock()
            self.store.remove_leftovers(now)
            clips = {clip.entry.id: clip for clip in self.store.clips()}
            entries = [clip.entry for clip in clips.values()]
            free = self.store.free_bytes()
            gone = deletions(entries, self.limits, now=now, free_bytes=free)
            for deletion in gone:
                self.store.delete(clips[deletion.clip.id])
        except (DetectorError, OSError) as error:
            return FolderSwept(0, 0, 0, "", fault=str(error))
        reasons = Counter(deletion.reason for deletion in gone)
        return FolderSwept(
            fault=self._judge_fault(),
            clips=len(entries) - len(gone),
            size=sum(entry.size for entry in entries) - sum(deletion.clip.size for deletion in gone),
            deleted=len(gone),
            detail=" ".join(f"because_of_{reason}={count}" for reason, count in reasons.items()),
        )

    def _ready_judge(self) -> SpeechJudge | None:
        if self._judge is None and self.make_judge is not None:
            self._judge = self.make_judge()
        return self._judge

    def _judge_fault(self) -> str:
        """Why no clip can be judged, and so none is kept; empty where nothing is wrong."""
        try:
            self._ready_judge()
        except Exception as error:
            return _unjudged(error)
        return ""


def _unjudged(error: Exception) -> str:
    reason = str(error) if isinstance(error, DetectorError) else f"{type(error).__name__}: {error}"
    return f"no clip is kept, since none can be judged ({reason}), or set clips.speech to keep"


def _at(rate: int, samples: NDArray[np.int16], own_rate: int) -> NDArray[np.float32]:
    """The samples as float32 in [-1, 1) at another rate."""
    scaled = samples.astype(np.float32) / np.float32(FULL_SCALE)
    if own_rate == rate:
        return scaled
    import soxr

    resampled: NDArray[np.float32] = soxr.resample(scaled, own_rate, rate)
    return resampled
