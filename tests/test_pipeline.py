"""The walk from sample to event, with a scripted model: which windows it hears, and what becomes of gaps."""

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, GateSettings, LevelSettings, Settings, WindowSettings
from detector.events.boundaries import UNHEARD_DBFS
from detector.pipeline import METER_FALL_DB
from detector.records import Block
from tests.support.fakes import FakeClassifier, make_spec

RATE = 16000
FRAME = 480
HOP = 3840
STEADY_HOP = 2 * HOP
"""Of the default settings: from window to window where nothing new sounds."""
WINDOW = 15600

OPEN = GateSettings(mode="off")
FLAT = LevelSettings(enabled=False)
AT_ONCE = EventSettings(preset="responsive")


def noise(seconds, dbfs=-60.0, seed=0):
    """White noise as int16."""
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), round(seconds * RATE))
    return samples.round().astype(np.int16)


def tone(seconds, dbfs=-20.0, room_dbfs=-60.0):
    """1 kHz in the noise of the room."""
    times = np.arange(round(seconds * RATE)) / RATE
    sine = 32768 * 2**0.5 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * 1000 * times)
    return noise(seconds, room_dbfs, seed=1) + sine.astype(np.int16)


def loudness(window):
    """1 where any of the window is loud, as of a model that knows one loud sound."""
    return [float(np.abs(window.samples).max() > 0.05)]


def build(
    score=loudness,
    *,
    window=WINDOW,
    rate=RATE,
    gate=OPEN,
    level=FLAT,
    events=AT_ONCE,
    hop=0.24,
    names=("Siren",),
):
    spec = make_spec(*names, window=window, sample_rate=rate)
    classifier = FakeClassifier(spec, score)
    settings = Settings(gate=gate, level=level, events=events, windows=WindowSettings(hop_seconds=hop))
    return make_pipeline(settings, classifier), classifier


def play(pipeline, *pieces):
    """Push blocks, or arrays which follow each other, then flush."""
    told, at = [], pipeline.stop
    for piece in pieces:
        block = piece if isinstance(piece, Block) else Block(at, piece)
        told += pipeline.push(block)
        at = block.stop
    return told + pipeline.flush()


# --- which windows are heard


def test_with_the_gate_off_a_window_ends_each_hop_and_one_with_the_stream():
    pipeline, classifier = build()
    play(pipeline, noise(1.0))
    assert classifier.stops == [HOP, 2 * HOP, 3 * HOP, 4 * HOP, 33 * FRAME]
    assert pipeline.counts.windows == 5


def test_a_window_holds_the_newest_samples_and_silence_before_the_stream():
    pipeline, classifier = build()
    sound = noise(1.2)
    play(pipeline, sound)
    first, last = classifier.windows[0].samples, classifier.windows[-1].samples
    assert not first[:-HOP].any()
    assert (first[-HOP:] * 32768 == sound[:HOP]).all()
    assert (last * 32768 == sound[40 * FRAME - WINDOW : 40 * FRAME]).all()


def test_a_stream_shorter_than_a_frame_has_nothing_to_say():
    pipeline, classifier = build()
    assert play(pipeline, noise(0.02)) == []
    assert classifier.windows == []


def test_an_empty_stream_ends_in_silence():
    assert build()[0].flush() == []


@pytest.mark.parametrize(
    ("hop", "stops"),
    [
        (0.1, [1600, 3200, 4800, 6400, 8000, 9600]),
        (0.31, [4960, 9600]),
        (0.01, [480 * n for n in range(1, 21)]),
    ],
    ids=["not a multiple of the frame", "neither", "shorter than a frame: a frame"],
)
def test_any_hop(hop, stops):
    pipeline, classifier = build(hop=hop)
    play(pipeline, noise(0.6))
    assert classifier.stops == stops


def test_a_hop_longer_than_the_window_still_finds_and_dates_what_it_hears():
    pipeline, classifier = build(hop=2.0)
    told = play(pipeline, noise(3.3), tone(0.5), noise(6.2))
    assert classifier.stops == [32000, 64000, 96000, 128000, 333 * FRAME]
    assert [event.phase for event in told] == ["start", "end"]
    assert told[0].onset == pytest.approx(3.3 * RATE, abs=FRAME)
    assert told[1].offset == pytest.approx(3.8 * RATE, abs=2 * FRAME)


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000])
def test_three_second_windows_at_any_rate(rate):
    pipeline, classifier = build(rate=rate, window=3 * rate, gate=GateSettings())
    sound = np.concatenate([noise(4), tone(0.6), noise(8)])
    stretched = np.repeat(sound[:: max(1, RATE // rate)], max(1, rate // RATE))
    told = play(pipeline, stretched)
    assert [event.phase for event in told] == ["start", "end"]
    assert told[0].onset == pytest.approx(4 * rate, abs=0.06 * rate)
    assert told[1].offset == pytest.approx(4.6 * rate, abs=0.09 * rate)
    assert all(window.span.length == 3 * rate for window in classifier.windows)


def test_silence_closes_the_gate_and_a_sound_opens_it():
    pipeline, classifier = build(gate=GateSettings(mode="level", hangover_seconds=1.0, preroll_seconds=0.0))
    play(pipeline, noise(10), tone(0.5), noise(6))
    heard = np.array(classifier.stops) / RATE
    assert not ((heard > 1.5) & (heard < 10)).any()
    assert heard[heard > 1.5][0] <= 10.24
    assert not (heard > 13).any()
    assert pipeline.counts.gate_openings == 1


def test_preroll_classifies_windows_that_ended_before_the_gate_opened():
    gate = GateSettings(mode="level", hangover_seconds=1.0, preroll_seconds=0.72)
    pipeline, classifier = build(gate=gate)
    play(pipeline, noise(10), tone(0.5), noise(6))
    before = [stop for stop in classifier.stops if 2 * RATE < stop <= 10 * RATE]
    assert len(before) == 3
    assert classifier.stops == sorted(set(classifier.stops))


def test_an_open_event_holds_the_gate_open_though_the_sound_became_background():
    gate = GateSettings(mode="level", hangover_seconds=0.0)
    pipeline, classifier = build(gate=gate)
    told = play(pipeline, noise(10), tone(40), noise(4))
    assert [event.phase for event in told] == ["start", "update", "update", "update", "update", "end"]
    assert told[0].onset == pytest.approx(10 * RATE, abs=FRAME)
    assert told[-1].offset == pytest.approx(50 * RATE, abs=2 * FRAME)
    distances = np.diff([stop for stop in classifier.stops if 10 * RATE < stop < 50 * RATE])
    assert distances.max() == STEADY_HOP


def test_windows_are_a_hop_apart_until_what_sounds_is_an_event():
    """A tone in a quiet room, in which a loud one begins: several windows confirm each label."""

    def judge(window):
        loudest = float(np.abs(window.samples[-HOP:]).max())
        return [float(loudest > 0.05), float(loudest > 0.5)]

    gate = GateSettings(mode="level")
    pipeline, classifier = build(
        judge, gate=gate, events=EventSettings(preset="quiet"), names=("Siren", "Bell")
    )
    told = play(pipeline, noise(10), tone(5, -20), tone(0.96, -1), tone(5, -20), noise(10))
    starts = [event.decided for event in told if event.phase == "start"]
    assert [event.label.name for event in told if event.phase == "start"] == ["Siren", "Bell"]
    for decided in starts:  # the window that decided and the one before it
        assert classifier.stops.index(decided) - classifier.stops.index(decided - HOP) == 1
    between = [stop for stop in classifier.stops if starts[0] <= stop <= 15 * RATE]
    assert set(np.diff(between)[1:]) == {STEADY_HOP}


# --- level


def test_the_gain_raises_what_the_model_hears_but_not_the_reported_level():
    """A tone of -55 dBFS comes near the target of -24."""
    pipeline, classifier = build(lambda window: [1.0], level=LevelSettings())
    told = play(pipeline, noise(5, -75), tone(1, -55, -75))
    power = np.mean(np.square(classifier.windows[-1].amplified()[-8000:]))
    assert 10 * np.log10(power) == pytest.approx(-24, abs=3)
    assert told[-1].level_dbfs == pytest.approx(-55, abs=1)


def test_the_gain_never_leaves_full_scale():
    pipeline, classifier = build(level=LevelSettings(target_dbfs=0.0, max_gain_db=60.0))
    click = noise(6, -70)
    click[80000:80040] = 30000
    play(pipeline, click)
    assert all(np.abs(window.amplified()).max() <= 1 for window in classifier.windows)
    assert max(np.abs(window.amplified()).max() for window in classifier.windows) == 1


def test_without_gain_the_model_hears_the_samples():
    pipeline, classifier = build()
    sound = noise(1.2, -70)
    play(pipeline, sound)
    assert (classifier.windows[-1].samples * 32768 == sound[40 * FRAME - WINDOW : 40 * FRAME]).all()


# --- events and gaps


def test_a_sound_is_one_event_with_its_own_dates():
    pipeline, _ = build()
    start, end = play(pipeline, noise(5), tone(0.6), noise(5))
    assert (start.phase, end.phase) == ("start", "end")
    assert start.onset == end.onset == pytest.approx(5 * RATE, abs=FRAME)
    assert end.offset == pytest.approx(5.6 * RATE, abs=2 * FRAME)
    assert 5 * RATE < start.decided <= 5.3 * RATE
    assert end.level_dbfs == pytest.approx(-20, abs=0.5)
    assert pipeline.counts.events == 1


def test_an_event_that_is_open_ends_with_the_stream():
    pipeline, _ = build()
    start, end = play(pipeline, noise(5), tone(0.6))
    assert end.decided == 186 * FRAME == end.offset
    assert start.id == end.id


def test_a_sound_in_the_tail_is_heard():
    """The last 0.1 s lie behind the last window of the grid."""
    pipeline, _ = build()
    told = play(pipeline, noise(4.8), tone(0.12))
    assert [event.phase for event in told] == ["start", "end"]
    assert told[0].onset == pytest.approx(4.8 * RATE, abs=FRAME)


def test_what_is_missing_is_counted_with_the_frame_it_broke():
    pipeline, _ = build()
    pipeline.push(Block(0, noise(1)))
    pipeline.push(Block(20000, noise(1)))
    assert pipeline.counts.samples_lost == 20000 - 33 * FRAME


def test_a_short_gap_leaves_an_event_open_and_a_long_one_ends_it():
    for gap, phases in ((0.3, ["start", "end"]), (2.0, ["start", "end", "start", "end"])):
        pipeline, _ = build()
        sound = np.concatenate([noise(5), tone(1.0)])
        behind = Block(len(sound) + round(gap * RATE), np.concatenate([tone(1.0), noise(4)]))
        told = play(pipeline, sound, behind)
        assert [event.phase for event in told] == phases
        assert told[0].onset == pytest.approx(5 * RATE, abs=FRAME)
        assert told[-1].offset == pytest.approx(behind.start + RATE, abs=2 * FRAME)
        if len(phases) == 4:
            assert told[1].decided == told[1].offset == 200 * FRAME
            assert told[2].onset >= behind.start


def test_what_is_passed_over_is_not_heard_and_not_lost():
    pipeline, classifier = build()
    told = pipeline.push(Block(0, np.concatenate([noise(1.0), tone(1.0)])))
    stop = pipeline.stop
    for start in range(stop, stop + 5 * RATE, HOP):
        told += pipeline.pass_over(Block(start, tone(0.24)))
    assert [event.phase for event in told] == ["start", "end"]
    assert told[-1].offset <= stop
    told = play(pipeline, Block(start + HOP, noise(1.0)))
    assert told == []
    assert pipeline.counts.samples_lost == 0
    assert not [end for end in classifier.stops if stop < end <= start + HOP]


def test_behind_a_gap_all_is_new_and_the_gate_is_open():
    pipeline, classifier = build(gate=GateSettings(mode="level"))
    pipeline.push(Block(0, noise(10)))
    heard = len(classifier.windows)
    pipeline.push(Block(11 * RATE, noise(0.5)))
    assert len(classifier.windows) == heard + 2
    assert min(classifier.stops[heard:]) > 11 * RATE


def test_an_interrupted_stream_ends_its_events_and_goes_on():
    pipeline, _ = build()
    told = pipeline.push(Block(0, np.concatenate([noise(5), tone(0.6)])))
    told += pipeline.interrupt()
    assert [event.phase for event in told] == ["start", "end"]
    told = play(pipeline, Block(20 * RATE, np.concatenate([noise(5), tone(0.6), noise(3)])))
    assert [event.id for event in told] == [2, 2]


def test_an_interruption_without_a_loss_does_not_tell_the_sound_again():
    pipeline, _ = build()
    pipeline.push(Block(0, np.concatenate([noise(5), tone(0.3)])))
    pipeline.interrupt()
    assert play(pipeline, Block(round(5.3 * RATE), noise(4))) == []


# --- what people see


def test_the_level_for_the_eye_rises_at_once_and_falls_slowly():
    pipeline, _ = build()
    assert pipeline.meter_dbfs == UNHEARD_DBFS
    pipeline.push(Block(0, tone(0.3, dbfs=-20.0)))
    assert pipeline.meter_dbfs == pytest.approx(-20, abs=1)
    pipeline.push(Block(round(0.3 * RATE), noise(0.6)))
    assert pipeline.level_dbfs == pytest.approx(-60, abs=3)
    assert pipeline.meter_dbfs == pytest.approx(-20 - 20 * METER_FALL_DB, abs=1)


def test_the_gate_is_told_as_it_is_now():
    pipeline, _ = build(gate=GateSettings(mode="level"))
    assert pipeline.gate_is_open
    pipeline.push(Block(0, noise(5.0)))
    assert not pipeline.gate_is_open
    pipeline.push(Block(5 * RATE, tone(0.3)))
    assert pipeline.gate_is_open
