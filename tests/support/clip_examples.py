"""A clip to be written, and what writes it."""

import numpy as np

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipFacts, ClipRequest, ClipSound
from detector.clips.clip_retention import RetentionLimits
from detector.clips.clip_writer import ClipWriter
from detector.clips.speech_judge import SpeechJudge
from tests.support.fakes import FakeClassifier, make_spec

RATE = 16000
LIMITS = RetentionLimits(keep_seconds=86400.0 * 3650, max_bytes=10**9, min_free_bytes=0, min_per_label=1)


def make_request(number=1, *, seconds=2.0, label="Dog", level=1000, spoken=False):
    noise = np.random.default_rng(number).normal(0, level, round(seconds * RATE))
    sound = ClipSound(f"20260801T140000Z-ab12-{number}", label, "/dog", "fake", 0.9, 0.5, 1.0)
    facts = ClipFacts(
        id=f"20260801T1403{number % 60:02d}Z_{label.lower()}_ab12-{number}",
        label=label,
        start_time=f"2026-08-01T14:03:{number % 60:02d}.000Z",
        duration=seconds,
        source="Mic",
        sample_rate=RATE,
        sounds=(sound,),
    )
    return ClipRequest(facts, noise.astype(np.int16), spoken)


def loud_is_speech():
    """A judge that takes loud sound for speech: picklable, and needs no model."""

    def score(window):
        return [0.9, float(np.abs(window.samples).max() > 0.5)]

    return SpeechJudge(FakeClassifier(make_spec("Dog", "Speech"), score), None)


def make_writer(folder, *, form="flac", judge=loud_is_speech, limits=LIMITS):
    return ClipWriter(ClipStore(folder), limits, form, make_judge=judge)
