"""Clips, from the settings: the process that writes them, and each source's recorder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from detector.assemble.stages import samples
from detector.clips.clip_folder import ClipStore
from detector.clips.clip_keeper import ClipKeeper
from detector.clips.clip_plan import ClipLengths, ClipPlan
from detector.clips.clip_recorder import ClipChoice, ClipRecorder
from detector.clips.clip_retention import RetentionLimits
from detector.clips.clip_writer import ClipWriter
from detector.clips.original_ring import OriginalRing
from detector.clips.speech_judge import SpeechJudge
from detector.config.settings import ClipSettings, Settings
from detector.interfaces import Body
from detector.records import ModelSpec

JUDGE = "yamnet"
"""The network that searches clips for speech, whichever model the daemon runs."""

SLACK_SECONDS = 15.0
"""Sound is kept this much longer than the longest clip: the end of a sound is known only later."""


def make_clip_keeper(
    settings: ClipSettings, *, publish: Callable[[Body], object], tell: Callable[[str], object]
) -> ClipKeeper:
    """Build what judges and writes clips into `settings.folder`; nothing is started."""
    limits = RetentionLimits(
        keep_seconds=settings.keep_days * 86400.0,
        max_bytes=settings.max_megabytes * 1_000_000,
        min_free_bytes=settings.min_free_megabytes * 1_000_000,
        min_per_label=settings.min_per_label,
    )
    writer = ClipWriter(
        ClipStore(Path(settings.folder or "").absolute()),
        limits,
        settings.format,
        make_judge=make_speech_judge if settings.speech == "drop" else None,
    )
    return ClipKeeper(writer, publish=publish, tell=tell)


def make_clip_recorder(
    settings: Settings, spec: ModelSpec, keeper: ClipKeeper, *, is_live: bool
) -> ClipRecorder:
    """Build what follows one source; a source that is not live waits for the writer."""
    clips = settings.clips
    lengths = ClipLengths(
        preroll=samples(clips.preroll_seconds, spec),
        postroll=samples(clips.postroll_seconds, spec),
        longest=samples(clips.max_seconds, spec),
    )
    kept = clips.max_seconds + settings.events.release_seconds + SLACK_SECONDS
    choice = ClipChoice(clips.labels, speech=clips.speech == "keep")
    return ClipRecorder(
        ring=OriginalRing(stream_rate=spec.sample_rate, capacity=samples(kept, spec)),
        plan=ClipPlan(lengths, wants=choice.wants),
        stream_rate=spec.sample_rate,
        submit=partial(keeper.submit, wait=not is_live),
        labels=spec.labels,
    )


def make_speech_judge() -> SpeechJudge:
    """Build what searches a clip for speech; raises ModelError where YAMNet is not on this machine.

    Without the voice detector it is stricter.
    """
    from detector.backends.webrtc_vad import WebRtcVad
    from detector.errors import DetectorError
    from detector.modelstore import load_classifier

    classifier = load_classifier(JUDGE, prior=False)
    try:
        vad = WebRtcVad(sample_rate=classifier.spec.sample_rate, mode=3)
    except DetectorError:
        vad = None
    return SpeechJudge(classifier, vad)
