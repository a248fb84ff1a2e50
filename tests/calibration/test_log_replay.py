"""The law of the replay: from the log come the events that the pipeline told of the sound itself."""

from __future__ import annotations

import numpy as np
import pytest

from detector.assemble.calibration import Trial
from detector.assemble.stages import FRAME_SECONDS, make_detectors, make_pipeline
from detector.assemble.variants import classifying_everything
from detector.audio.framing import Framer
from detector.audio.level import LevelMeter
from detector.calibration.log_replay import timed
from detector.calibration.sound_log import StreamLogger
from detector.config.settings import GateSettings, Settings
from tests.support.fakes import FakeClassifier, cut, make_spec

RATE = 16000
SPEC = make_spec("Hum", "Beep", threshold_on=0.5)
RNG = np.random.default_rng(5)


def classifier():
    """Hears the louder the surer, the same for the same window."""

    def score(window):
        loud = float(np.sqrt(np.mean(window.samples**2)))
        return [min(1.0, 8 * loud), min(1.0, 30 * max(0.0, loud - 0.03))]

    return FakeClassifier(SPEC, score)


def sound(seconds):
    """Noise, with louder stretches now and then."""
    count = seconds * RATE
    gain = np.repeat(RNG.choice([30.0, 60.0, 3000.0], seconds, p=[0.5, 0.3, 0.2]), RATE)
    return (gain * RNG.standard_normal(count)).clip(-32768, 32767).astype(np.int16)


def ear(settings):
    frame = round(FRAME_SECONDS * RATE)
    vads, detector = make_detectors(settings.gate, SPEC)
    ungated = classifying_everything(settings)
    return StreamLogger(
        framer=Framer(frame_length=frame),
        meter=LevelMeter(sample_rate=RATE, frame_length=frame),
        is_active=lambda block, level: detector.is_active(level) | any(v.is_active(block) for v in vads),
        make_pipeline=lambda keep: make_pipeline(ungated, classifier(), keep=keep),
    )


@pytest.mark.parametrize("floor", [None, -40.0])
def test_a_replay_tells_what_the_pipeline_told(floor):
    settings = Settings(gate=GateSettings(mode="level", min_level_dbfs=floor))
    samples = sound(60)
    pipeline = make_pipeline(settings, classifier())
    blocks = cut(samples, 1920)
    del blocks[100:130]  # a gap of 3.6 s
    told = [event for block in blocks for event in pipeline.push(block)] + pipeline.flush()

    hearing = ear(settings)
    items = [item for block in blocks for item in hearing.push(block)] + hearing.flush()
    replay = Trial(settings, SPEC, {}, {}).replay()
    again = [event for item, seconds in timed(items, RATE) for event in replay.push(item, seconds)]

    assert [(e.phase, e.label, e.decided) for e in again] == [(e.phase, e.label, e.decided) for e in told]
    assert len(told) > 4
    assert replay.windows == pipeline.counts.windows
    assert len(replay.starts) == pipeline.counts.events


def test_streams_one_after_the_other_are_as_new():
    settings = Settings(gate=GateSettings(mode="level"))
    samples = sound(20)
    items = []
    for _ in range(2):
        hearing = ear(settings)
        items += [item for block in cut(samples, 1920) for item in hearing.push(block)] + hearing.flush()
    replay = Trial(settings, SPEC, {}, {}).replay()
    for item, seconds in timed(items, RATE):
        replay.push(item, seconds)
    half = len(replay.starts) // 2
    first, second = replay.starts[:half], replay.starts[half:]
    assert half > 0
    assert [at + 20 for at, _ in first] == pytest.approx([at for at, _ in second], abs=0.05)
