"""The law of cutting: however the same samples are cut into blocks, exactly the same is told.

Real gate (webrtcvad and level), real gain, real dating; the model is a fake that derives its scores from
the samples alone, so that one sample out of place would change them.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, LabelSettings, Settings, WindowSettings
from detector.records import Block
from tests.support.fakes import FakeClassifier, make_label, make_spec

RATE = 16000
ALARM = make_label("Alarm")
BEEP = make_label("Beep", ALARM)
HISS = make_label("Hiss")


def score(window):
    """Loudness of the newest half second, its tonality and its hiss, each squeezed into 0..1."""
    newest = window.samples[-8000:]
    power = np.abs(np.fft.rfft(newest)) ** 2
    total = power.sum() + 1e-9
    loud = min(1.0, 20 * float(np.abs(newest).mean()))
    return [0.3 * loud, loud * float(power.max() / total), loud * float(power[2000:].sum() / total)]


def run(blocks, preset="balanced", hop=0.24):
    pipeline = make_pipeline(
        Settings(
            windows=WindowSettings(hop_seconds=hop),
            events=EventSettings(
                preset=preset,
                release_seconds=0.5,
                update_seconds=1.0,
                labels={"Hiss": LabelSettings(min_duration_seconds=0.3, refractory_seconds=0.6)},
            ),
        ),
        FakeClassifier(make_spec(ALARM, BEEP, HISS, threshold_on=0.3), score),
    )
    told = [event for block in blocks for event in pipeline.push(block)]
    return told + pipeline.flush(), pipeline.counts


def make_sound(kind, length, seed):
    rng = np.random.default_rng(seed)
    times = np.arange(length) / RATE
    return {
        "nothing": np.zeros(length),
        "room": rng.normal(0, 30, length),
        "beep": 8000 * np.sin(2 * np.pi * 3100 * times) + rng.normal(0, 30, length),
        "hiss": rng.normal(0, 3000, length),
        "faint beep": 200 * np.sin(2 * np.pi * 3100 * times) + rng.normal(0, 10, length),
    }[kind].astype(np.int16)


def recut(block, ends):
    """The same samples in pieces that end at these places."""
    places = sorted({0, len(block.samples), *(end % (len(block.samples) + 1) for end in ends)})
    return [Block(block.start + a, block.samples[a:b]) for a, b in pairwise(places)]


SECTION = st.lists(
    st.tuples(
        st.sampled_from(["nothing", "room", "beep", "hiss", "faint beep"]),
        st.integers(1, 24000),
    ),
    min_size=1,
    max_size=4,
)
"""Sounds that follow each other without a gap."""
GAP = st.one_of(st.integers(1, 2000), st.integers(2000, 40000))


@st.composite
def streams(draw):
    """Blocks with gaps between them."""
    blocks, at = [], draw(st.sampled_from([0, 0, 7, 5000]))
    for section in draw(st.lists(SECTION, min_size=1, max_size=3)):
        parts = [make_sound(kind, length, len(blocks) + n) for n, (kind, length) in enumerate(section)]
        blocks.append(Block(at, np.concatenate(parts)))
        at = blocks[-1].stop + draw(GAP)
    return blocks


@settings(max_examples=40, deadline=None)
@given(
    streams(),
    st.lists(st.integers(0, 100_000), max_size=60),
    st.sampled_from(["responsive", "balanced", "sure"]),
    st.sampled_from([0.24, 0.1, 0.05]),
)
def test_any_cutting_gives_the_same_events(blocks, ends, preset, hop):
    pieces = [piece for block in blocks for piece in recut(block, ends)]
    assert run(pieces, preset, hop) == run(blocks, preset, hop)


SCRIPT = (("room", 30000), ("beep", 9000), ("room", 41111), ("hiss", 16000), ("room", 30000))


def whole():
    return np.concatenate([make_sound(kind, length, seed) for seed, (kind, length) in enumerate(SCRIPT)])


def test_the_recording_for_this_law_has_something_to_tell():
    """Else the law would be empty."""
    told, counts = run([Block(0, whole())])
    assert {(event.phase, event.label.name) for event in told} >= {
        ("start", "Beep"),
        ("end", "Beep"),
        ("start", "Hiss"),
        ("end", "Hiss"),
    }
    assert 0 < counts.windows < len(whole()) / (0.24 * RATE)


@pytest.mark.parametrize("length", [1, 7, 160, 479, 480, 481, 1920, 3840, 16000])
def test_blocks_of_one_length(length):
    sound = whole()
    blocks = [Block(at, sound[at : at + length]) for at in range(0, len(sound), length)]
    assert run(blocks) == run([Block(0, sound)])


def test_empty_blocks_change_nothing():
    sound = whole()
    halves = [
        Block(0, sound[:0]),
        Block(0, sound[:50000]),
        Block(50000, sound[:0]),
        Block(50000, sound[50000:]),
    ]
    assert run(halves) == run([Block(0, sound)])
