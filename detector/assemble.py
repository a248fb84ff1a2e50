"""Settings -> objects: the only place that knows every concrete class."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from detector import __version__, modelstore
from detector.audio.framing import Framer
from detector.audio.gain import Gain
from detector.audio.gate import Gate, LevelDetector
from detector.audio.level import LevelMeter
from detector.audio.ring import Ring
from detector.audio.windows import WindowGrid
from detector.backends.bundle import load_bundle
from detector.config import EventSettings, GateSettings, Settings, SinkSettings, SourceSettings
from detector.daemon import Daemon
from detector.dispatch import Dispatcher
from detector.events.dating import LevelHistory
from detector.events.labels import LabelMap
from detector.events.rules import LabelRule, Rules, make_rules
from detector.events.tracker import EventTracker
from detector.events.voting import PRESETS
from detector.interfaces import Classifier, Sink, Source, Vad
from detector.pipeline import Pipeline
from detector.records import ModelSpec
from detector.sinks.address import default_socket_uri
from detector.sinks.message import hello_fields, run_id_text

Hello = Callable[[], dict[str, object]]

FRAME_SECONDS = 0.03
"""What webrtcvad takes at most."""
BLOCK_SECONDS = 0.13
"""Longest block: the reader's slack grows with it, the delay too where it does not divide the hop."""
QUEUE_SECONDS = 5.0
"""Sound that may wait for a busy worker before a live source loses some."""


def make_daemon(settings: Settings, *, verbose: bool = False) -> Daemon:
    """Build everything that `sound-detector run` needs; any DetectorError is raised here, before it runs."""
    classifier = modelstore.load_classifier(
        settings.model.name, runtime=settings.model.runtime, threads=settings.model.threads
    )
    spec = classifier.spec
    pipeline = make_pipeline(settings, classifier)
    hop = _samples(settings.windows.hop_seconds, spec)
    block = block_length(hop, spec.sample_rate)
    source = make_source(settings.source, sample_rate=spec.sample_rate, block_length=block)
    run_id = run_id_text(time.time(), secrets.randbits(16))

    def hello() -> dict[str, object]:
        return hello_fields(
            version=__version__,
            model=spec.name,
            labels=[label.name for label in pipeline.labels],
            source=source.name,
            run_id=run_id,
        )

    sinks = [make_sink(sink, hello, verbose=verbose) for sink in effective_sinks(settings)]
    return Daemon(
        source=source,
        pipeline=pipeline,
        dispatcher=Dispatcher(sinks),
        sample_rate=spec.sample_rate,
        run_id=run_id,
        queue_blocks=max(2, round(QUEUE_SECONDS * spec.sample_rate / block)),
    )


def check_labels(settings: Settings) -> None:
    """Raise ConfigError where a label is named that the model does not have; needs no model file."""
    spec = load_bundle(modelstore.find(settings.model.name)).spec
    make_label_rules(settings.events, make_label_map(settings.events, spec), spec)


def make_pipeline(settings: Settings, classifier: Classifier) -> Pipeline:
    """Build the stages for one stream; ConfigError where labels are named that the model does not have."""
    spec, rate = classifier.spec, classifier.spec.sample_rate
    frame = round(FRAME_SECONDS * rate)
    hop = max(_samples(settings.windows.hop_seconds, spec), frame)
    labels = make_label_map(settings.events, spec)
    history = LevelHistory(sample_rate=rate, frame_length=frame, longest_window=spec.window)
    needed, of = PRESETS[settings.events.preset]
    release = _samples(settings.events.release_seconds, spec)
    preroll = _samples(settings.gate.preroll_seconds, spec)
    level = settings.level
    return Pipeline(
        framer=Framer(frame_length=frame),
        meter=LevelMeter(sample_rate=rate, frame_length=frame),
        gate=make_gate(settings.gate, spec),
        gain=Gain(
            frame_length=frame, sample_rate=rate, target_dbfs=level.target_dbfs, max_gain_db=level.max_gain_db
        )
        if level.enabled
        else None,
        ring=Ring(capacity=spec.window + preroll + hop + frame),
        grid=WindowGrid(window=spec.window, hop=hop, preroll=preroll),
        classifier=classifier,
        history=history,
        tracker=EventTracker(
            labels,
            make_label_rules(settings.events, labels, spec),
            history,
            needed=needed,
            of=of,
            hop=hop,
            release=release,
            update=_samples(settings.events.update_seconds, spec),
        ),
        labels=labels.reported,
        gap_limit=release,
    )


def make_gate(settings: GateSettings, spec: ModelSpec) -> Gate:
    """Build the gate; it stays open for at least a window, since a sound that goes on becomes background."""
    vads: list[Vad] = []
    if settings.mode in ("webrtcvad", "both"):
        from detector.backends.webrtc_vad import WebRtcVad

        vads.append(WebRtcVad(sample_rate=spec.sample_rate, mode=settings.vad_mode))
    level = LevelDetector() if settings.mode in ("level", "both") else None
    hangover = max(_samples(settings.hangover_seconds, spec), spec.window)
    return Gate(vads=vads, level_detector=level, hangover=hangover)


def make_label_map(settings: EventSettings, spec: ModelSpec) -> LabelMap:
    """Which of the model's labels are reported, and as what."""
    return LabelMap(
        spec.labels,
        include=settings.include,
        exclude=settings.exclude,
        groups=settings.groups,
        background=settings.background,
    )


def make_label_rules(settings: EventSettings, labels: LabelMap, spec: ModelSpec) -> Rules:
    """Thresholds and times of every reported label."""
    common = LabelRule(
        threshold_on=settings.threshold_on,
        threshold_off=settings.threshold_off,
        min_duration=_samples(settings.min_duration_seconds, spec),
        refractory=_samples(settings.refractory_seconds, spec),
    )
    own = {
        labels.find(f"events.labels.{name}", name): LabelRule(
            threshold_on=label.threshold_on,
            threshold_off=label.threshold_off,
            min_duration=_optional_samples(label.min_duration_seconds, spec),
            refractory=_optional_samples(label.refractory_seconds, spec),
        )
        for name, label in settings.labels.items()
    }
    thresholds = [spec.thresholds.get(label.name, spec.threshold_on) for label in labels.reported]
    return make_rules(thresholds, common=common, own=own)


def make_source(settings: SourceSettings, *, sample_rate: int, block_length: int) -> Source:
    """Build the microphone, recording or pipe that was asked for; nothing is opened yet."""
    if settings.input is None:
        from detector.sources.microphone import Microphone

        return Microphone(
            device=settings.device, sample_rate=sample_rate, block_length=block_length, name=settings.name
        )
    if settings.input == "-":
        from detector.sources.pipe import Pipe

        return Pipe(
            # Unbuffered: a reader blocked inside Python's buffer could not be left at exit.
            stream=open(sys.stdin.fileno(), "rb", buffering=0, closefd=False),
            sample_rate=sample_rate,
            input_rate=settings.rate,
            channels=settings.channels,
            block_length=block_length,
            name=settings.name,
        )
    from detector.sources.recording import Recording

    return Recording(
        path=settings.input,
        sample_rate=sample_rate,
        block_length=block_length,
        realtime=settings.realtime,
        name=settings.name,
    )


def effective_sinks(settings: Settings) -> Sequence[SinkSettings]:
    """The sinks asked for; else stdout and, unless a recording is read at full speed, the socket."""
    if settings.sinks is not None:
        return settings.sinks
    source = settings.source
    stdout, socket = SinkSettings(kind="stdout"), SinkSettings(kind="socket")
    at_full_speed = source.input not in (None, "-") and not source.realtime
    return (stdout,) if at_full_speed else (stdout, socket)


def with_stdout_format(settings: Settings, format: str) -> Settings:
    """The same settings with another format on standard output."""
    sinks = tuple(
        replace(sink, format=format) if sink.kind == "stdout" else sink for sink in effective_sinks(settings)
    )
    return replace(settings, sinks=sinks)


def make_sink(settings: SinkSettings, hello: Hello, *, verbose: bool = False) -> Sink:
    """Build one destination; nothing is opened yet."""
    if settings.kind == "stdout":
        from detector.sinks.stdout import StdoutSink

        return StdoutSink(sys.stdout, format=settings.format, updates=verbose)
    if settings.kind == "log":
        from detector.sinks.logfile import LogFileSink

        return LogFileSink(settings.target, max_bytes=settings.max_bytes, backups=settings.backups)
    from detector.sinks.socket_server import SocketSink

    uri = settings.target or default_socket_uri(os.environ, sys.platform, _user_id())
    return SocketSink(uri, hello=hello)


def block_length(hop: int, sample_rate: int) -> int:
    """The longest whole fraction of the hop below BLOCK_SECONDS, so that a block ends where a window does."""
    longest = int(BLOCK_SECONDS * sample_rate)
    parts = -(-hop // longest)
    while hop % parts and parts < hop:
        parts += 1
    length = hop // parts
    return length if length >= 0.03 * sample_rate else longest


def _user_id() -> int | None:
    return os.getuid() if hasattr(os, "getuid") else None


def _samples(seconds: float, spec: ModelSpec) -> int:
    return round(seconds * spec.sample_rate)


def _optional_samples(seconds: float | None, spec: ModelSpec) -> int | None:
    return None if seconds is None else _samples(seconds, spec)
