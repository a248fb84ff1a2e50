"""The model, and the stages of one stream, from the settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from detector import modelstore
from detector.alarms.alarm_stage import PATTERN_LABELS
from detector.assemble.alarm_patterns import alarm_stage_maker, reported_labels
from detector.assemble.channels import channels_of, make_quiet_hours
from detector.assemble.chosen_labels import check_chosen_labels
from detector.audio.framing import Framer
from detector.audio.gain import Gain
from detector.audio.gate import Gate, LevelDetector
from detector.audio.level import LevelMeter
from detector.audio.ring import Ring
from detector.audio.windows import WindowGrid
from detector.config.settings import EventSettings, GateSettings, Settings
from detector.events.boundaries import LevelHistory
from detector.events.heads import HeadSet, HeadStage
from detector.events.labels import LabelMap
from detector.events.presets import PRESETS
from detector.events.rules import LabelRule, Rules, make_rules, raised
from detector.events.tracker import EventTracker
from detector.interfaces import Classifier, Vad
from detector.modelstore import ModelCatalogue
from detector.pipeline import Pipeline
from detector.records import ModelSpec, Scores

log = logging.getLogger(__name__)

Number = TypeVar("Number", int, float)

AUTO = "auto"
"""The name of whichever default model could run now."""

REST_SECONDS = 1.0
"""After the last active frame: most sounds are decided by then."""

FRAME_SECONDS = 0.03
"""The longest frame that webrtcvad takes."""


def with_resolved_model(settings: Settings, catalogue: ModelCatalogue, *, strict: bool = False) -> Settings:
    """The settings, naming the model and the heads that are there now; one line in the log where mn04 is not.

    `strict` as in `found_heads`. Raises ModelError.
    """
    resolved = _with_names(settings, catalogue, strict=strict)
    if settings.model.name == AUTO:
        warn_where_alone(resolved.model.name)
    return resolved


def warn_where_alone(name: str) -> None:
    """Log a line where the model that `auto` stands for now is not the whole default model."""
    if name != modelstore.DEFAULT:
        log.warning(
            "model.alone name=%s: %s is not on this machine; run: sound-detector models pull %s",
            name,
            modelstore.DEFAULT,
            modelstore.DEFAULT,
        )


def _with_names(settings: Settings, catalogue: ModelCatalogue, *, strict: bool = False) -> Settings:
    model = settings.model
    if model.name == AUTO:
        model = replace(model, name=modelstore.default_model(catalogue))
    if model.heads is None:
        model = replace(model, heads=modelstore.found_heads(catalogue, model.name, strict=strict))
    return replace(settings, model=model)


def select(settings: Settings, catalogue: ModelCatalogue) -> modelstore.Selection:
    """What the settings name; needs no model file. Raises ModelError."""
    model = _with_names(settings, catalogue).model
    return modelstore.select(catalogue, model.name, model.heads or ())


def load_model(settings: Settings, catalogue: ModelCatalogue) -> modelstore.Model:
    """Load what the settings name. Raises ModelError."""
    model = settings.model
    return modelstore.load_model(
        catalogue,
        select(settings, catalogue),
        runtime=model.runtime,
        threads=model.threads,
        prior=model.prior,
    )


def check_labels(settings: Settings, catalogue: ModelCatalogue | None = None) -> None:
    """Raise ConfigError where a label is named that the model does not have; needs no model file."""
    check_chosen_labels(settings, label_maps(settings, catalogue))


def label_maps(settings: Settings, catalogue: ModelCatalogue | None = None) -> list[LabelMap]:
    """The labels of each source; ConfigError where one is named that the model does not have."""
    spec = select(settings, catalogue or ModelCatalogue()).spec
    each = []
    for channel in channels_of(settings):
        events = channel.settings.events
        with channel.locating_keys():
            labels = make_label_map(events, spec)
            make_label_rules(events, labels, spec)
            make_quiet_hours(channel, labels)
        each.append(labels)
    return each


def make_pipeline(
    settings: Settings,
    classifier: Classifier,
    heads: HeadSet | None = None,
    *,
    keep: Callable[[Scores], None] | None = None,
    stream: int = 0,
) -> Pipeline:
    """Build the stages for one stream; ConfigError where labels are named that the model does not have.

    `heads` read the classifier's embeddings; `keep` gets the scores of every window.
    Streams that share the classifier have different numbers as `stream`.
    """
    spec = classifier.spec if heads is None else heads.spec
    rate = spec.sample_rate
    frame = round(FRAME_SECONDS * rate)
    hop = hop_length(settings, spec)
    labels = make_label_map(settings.events, spec)
    history = make_level_history(spec)
    preroll = samples(settings.gate.preroll_seconds, spec)
    level = settings.level
    meter = LevelMeter(sample_rate=rate, frame_length=frame)
    return Pipeline(
        framer=Framer(frame_length=frame),
        meter=meter,
        gate=make_gate(settings.gate, spec),
        gain=Gain(
            frame_length=frame, sample_rate=rate, target_dbfs=level.target_dbfs, max_gain_db=level.max_gain_db
        )
        if level.enabled
        else None,
        ring=Ring(capacity=spec.window + preroll + hop + frame),
        grid=make_grid(settings, spec),
        classifier=classifier,
        heads=make_head_stage(settings, heads),
        keep=keep,
        history=history,
        tracker=make_tracker(settings, spec, labels, history),
        labels=reported_labels(settings, labels),
        gap_limit=samples(settings.events.release_seconds, spec),
        stream=stream,
        make_alarms=alarm_stage_maker(settings, labels, meter, sample_rate=rate, frame_length=frame),
    )


def make_level_history(spec: ModelSpec) -> LevelHistory:
    """Build the history of levels from which events get their onset and end."""
    frame = round(FRAME_SECONDS * spec.sample_rate)
    return LevelHistory(sample_rate=spec.sample_rate, frame_length=frame, longest_window=spec.window)


def make_grid(settings: Settings, spec: ModelSpec) -> WindowGrid:
    """Build the grid of windows to classify."""
    return WindowGrid(
        window=spec.window,
        hop=hop_length(settings, spec),
        steady_hop=steady_hop_length(settings, spec),
        preroll=samples(settings.gate.preroll_seconds, spec),
    )


def make_head_stage(settings: Settings, heads: HeadSet | None) -> HeadStage | None:
    """Build the stage that runs heads on one stream; None where there are none."""
    return None if heads is None else HeadStage(heads, hop=steady_hop_length(settings, heads.spec))


def make_tracker(
    settings: Settings, spec: ModelSpec, labels: LabelMap, history: LevelHistory, *, started: int = 0
) -> EventTracker:
    """Build what turns scores into events; `started` as in EventTracker."""
    return EventTracker(
        labels,
        make_label_rules(settings.events, labels, spec),
        history,
        preset=PRESETS[settings.events.preset],
        hop=hop_length(settings, spec),
        longest_hop=steady_hop_length(settings, spec),
        release=samples(settings.events.release_seconds, spec),
        update=samples(settings.events.update_seconds, spec),
        started=started,
    )


def hop_length(settings: Settings, spec: ModelSpec) -> int:
    """Samples from window to window, at least a frame."""
    return max(samples(settings.windows.hop_seconds, spec), round(FRAME_SECONDS * spec.sample_rate))


def steady_hop_length(settings: Settings, spec: ModelSpec) -> int:
    """Samples from window to window where nothing new sounds: a multiple of the hop."""
    hop = hop_length(settings, spec)
    return max(1, round(samples(settings.windows.steady_hop_seconds, spec) / hop)) * hop


def make_gate(settings: GateSettings, spec: ModelSpec) -> Gate:
    """Build the gate."""
    vads, level = make_detectors(settings, spec)
    return Gate(
        vads=vads,
        level_detector=level,
        hangover=hangover_length(settings, spec),
        rest=rest_length(spec),
        min_level_dbfs=settings.min_level_dbfs,
    )


def hangover_length(settings: GateSettings, spec: ModelSpec) -> int:
    """Samples the gate stays open, at least a window, since a sound that goes on becomes background."""
    return max(samples(settings.hangover_seconds, spec), spec.window)


def rest_length(spec: ModelSpec) -> int:
    """Samples without activity after which nothing new is expected."""
    return samples(REST_SECONDS, spec)


def make_detectors(settings: GateSettings, spec: ModelSpec) -> tuple[list[Vad], LevelDetector | None]:
    """Build the detectors that open the gate; none where it is always open."""
    vads: list[Vad] = []
    if settings.mode in ("webrtcvad", "both"):
        from detector.backends.webrtc_vad import WebRtcVad

        vads.append(WebRtcVad(sample_rate=spec.sample_rate, mode=settings.vad_mode))
    return vads, LevelDetector() if settings.mode in ("level", "both") else None


def make_label_map(settings: EventSettings, spec: ModelSpec) -> LabelMap:
    """Build the choice of labels to report, with the user's groups."""
    return LabelMap(
        spec.labels,
        include=settings.include,
        exclude=settings.exclude,
        groups=settings.groups,
        background=settings.background,
        everyday=settings.everyday,
        apart=settings.labels,
        others=PATTERN_LABELS,
    )


def make_label_rules(settings: EventSettings, labels: LabelMap, spec: ModelSpec) -> Rules:
    """Build the thresholds and times of every label that competes for a sound."""
    common = LabelRule(
        threshold_on=settings.threshold_on,
        threshold_off=settings.threshold_off,
        min_duration=samples(settings.min_duration_seconds, spec),
        refractory=samples(settings.refractory_seconds, spec),
    )
    own: dict[int, LabelRule] = {}
    # Groups first: what a label has of its own is put over what its groups give it.
    for name in sorted(settings.labels, key=labels.is_shipped_group, reverse=True):
        label = settings.labels[name]
        for index in labels.find_all(f"events.labels.{name}", name):
            under = own.get(index, LabelRule())
            own[index] = LabelRule(
                threshold_on=_either(label.threshold_on, under.threshold_on),
                threshold_off=_either(label.threshold_off, under.threshold_off),
                min_duration=_either(_optional_samples(label.min_duration_seconds, spec), under.min_duration),
                refractory=_either(_optional_samples(label.refractory_seconds, spec), under.refractory),
            )
    more = PRESETS[settings.preset].more_log_odds
    thresholds = [raised(spec.threshold(label), more) for label in labels.competing]
    return make_rules(thresholds, common=common, own=own)


def samples(seconds: float, spec: ModelSpec) -> int:
    """Convert seconds to samples at the model's rate."""
    return round(seconds * spec.sample_rate)


def _either(own: Number | None, under: Number | None) -> Number | None:
    return under if own is None else own


def _optional_samples(seconds: float | None, spec: ModelSpec) -> int | None:
    return None if seconds is None else samples(seconds, spec)
