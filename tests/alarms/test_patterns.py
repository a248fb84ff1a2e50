"""Alarms are known by their rhythm: at any pitch, from any start, and nothing else that beeps is one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detector.alarms.pattern_detector import PatternDetector
from detector.audio.level import LevelMeter
from detector.records import Block
from tests.support.beeping import RATE, rhythm, sound, t3, t4

FRAME = 480


def hear(samples, gaps=()):
    """The patterns in a recording; the frames of these numbers are missing."""
    meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
    detector = PatternDetector(
        meter.bins_hz, sample_rate=RATE, frame_length=FRAME, gap_limit=round(1.5 * RATE)
    )
    frames = [
        Block(at, samples[at : at + FRAME])
        for at in range(0, len(samples) - FRAME + 1, FRAME)
        if at // FRAME not in gaps
    ]
    sounds = [sound for level in meter.measure_all(frames) for sound in detector.push(level)]
    return sounds + detector.flush()


def names(sounds):
    return [sound.pattern.name for sound in sounds if sound.phase == "start"]


PITCH = st.floats(470, 6900)
PHASE = st.floats(0, 4)
TEMPO = st.floats(0.9, 1.1)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(PITCH, PHASE, TEMPO, st.floats(-60, -10), st.integers(0, 99))
def test_a_smoke_alarm_is_known_at_any_pitch_from_any_start(hertz, start, tempo, dbfs, seed):
    beeps = t3(4, start=-start, tempo=tempo)
    samples = sound(beeps, 15, hertz=hertz, dbfs=dbfs, noise_dbfs=dbfs - 6, seed=seed)
    sounds = hear(samples)
    assert names(sounds) == ["T3"]
    assert abs(sounds[0].pattern.hertz - hertz) < 20


@settings(max_examples=25, deadline=None, derandomize=True)
@given(PITCH, PHASE, TEMPO, st.floats(-60, -10), st.integers(0, 99))
def test_so_is_a_carbon_monoxide_alarm(hertz, start, tempo, dbfs, seed):
    beeps = t4(5, start=-start, tempo=tempo)
    samples = sound(beeps, 20, hertz=hertz, dbfs=dbfs, noise_dbfs=dbfs - 6, seed=seed)
    assert names(hear(samples)) == ["T4"]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(PITCH, st.floats(0.05, 2), st.floats(0.05, 2))
def test_what_beeps_steadily_is_neither(hertz, beep, gap):
    beeps = rhythm(1, beep, gap, beep + gap, int(30 / (beep + gap)))
    assert names(hear(sound(beeps, 30, hertz=hertz))) == []


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    PITCH,
    st.integers(1, 6),
    st.floats(0.05, 0.8),
    st.floats(0.05, 0.8),
    st.floats(0.5, 6),
    st.integers(0, 99),
)
def test_other_groups_of_beeps_are_neither(hertz, count, beep, gap, pause, seed):
    """Whatever is not within 60 % of a pattern's times (frames last 30 ms) or has two beeps more or less."""
    near = [
        abs(count - n) <= 1
        and max(abs(beep / length - 1), abs(gap / length - 1), abs((gap + pause) / silence - 1)) < 0.6
        for n, length, silence in ((3, 0.5, 1.5), (4, 0.1, 5.0))
    ]
    assume(not any(near))
    cycle = count * (beep + gap) + pause
    samples = sound(rhythm(count, beep, gap, cycle, int(40 / cycle) + 1), 40, hertz=hertz, seed=seed)
    assert names(hear(samples)) == []


@pytest.mark.parametrize("beeps", [t3(4), t4(4)], ids=["T3", "T4"])
@pytest.mark.parametrize("lost", range(3))
def test_one_beep_may_be_missing(beeps, lost):
    kept = [beep for number, beep in enumerate(beeps) if number != lost]
    assert len(names(hear(sound(kept, beeps[-1][0] + 3)))) == 1


def test_a_burst_of_noise_may_drown_one_beep():
    samples = sound(t3(3), 13)
    loud = np.random.default_rng(1).standard_normal(8000) * 3000
    samples[16000:24000] = np.clip(samples[16000:24000] + loud, -32768, 32767).astype(np.int16)
    assert names(hear(samples)) == ["T3"]


def test_it_is_told_after_two_cycles_and_ends_when_the_rhythm_stops():
    start, *others, end = hear(sound(t3(5, start=1), 45))
    assert start.phase == "start"
    assert start.decided < (1 + 2 * 4 + 1) * RATE
    assert abs(start.onset - RATE) < 0.1 * RATE
    assert [one.pattern.cycles for one in (start, *others, end)] == [2, 3, 4, 5, 5]
    assert abs(end.offset - (1 + 4 * 4 + 2.5) * RATE) < 0.15 * RATE
    assert end.phase == "end" and end.decided < 35 * RATE


def test_two_alarms_of_different_rhythm_are_two():
    low, high = sound(t3(5), 20, hertz=900), sound(t4(4), 20, hertz=3100)
    assert sorted(names(hear((low // 2 + high // 2).astype(np.int16)))) == ["T3", "T4"]


@pytest.mark.parametrize("interval", [28, 40, 62])
def test_a_chirp_is_known_at_the_third(interval):
    beeps = [(5 + n * interval, 0.1) for n in range(3)]
    (start, end) = hear(sound(beeps, 5 + 2 * interval + 4))
    assert (start.phase, start.pattern.name, start.pattern.cycles) == ("start", "chirp", 3)
    assert abs(start.onset - 5 * RATE) < 0.1 * RATE
    assert end.phase == "end"


@pytest.mark.parametrize("times", [(5, 45, 95), (5, 15, 25), (5, 25, 45, 65, 85), (5, 100, 195)])
def test_beeps_at_other_times_are_no_chirps(times):
    assert hear(sound([(time, 0.1) for time in times], times[-1] + 4)) == []


def test_a_short_gap_in_the_stream_loses_a_beep_at_most():
    assert names(hear(sound(t3(4), 17), gaps=range(40, 50))) == ["T3"]


def test_a_long_gap_ends_the_alarm():
    sounds = hear(sound(t3(8), 33), gaps=range(400, 500))
    assert [one.phase for one in sounds if one.phase != "update"] == ["start", "end", "start", "end"]


def test_a_quiet_room_and_digital_silence_have_no_alarm():
    assert hear(np.zeros(30 * RATE, np.int16)) == []
    assert hear(sound([], 30)) == []


@pytest.mark.parametrize(
    ("count", "beep", "gap", "pause"),
    [(3, 0.125, 0.125, 1.0), (3, 0.125, 0.125, 2.0), (4, 0.125, 0.125, 2.0), (3, 0.5, 0.5, 2.0)],
)
def test_what_only_comes_near_a_pattern_is_none(count, beep, gap, pause):
    """Three beeps are no burst of four, a pause holds no other burst, and a shifted burst is none."""
    cycle = count * (beep + gap) + pause
    samples = sound(rhythm(count, beep, gap, cycle, int(40 / cycle) + 1), 40, hertz=3100.0)
    assert names(hear(samples)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_carbon_monoxide_alarm_is_known_although_an_echo_fills_its_gaps(seed):
    """An echo of noise that decays by 60 dB in 1 s, 3 dB louder than the direct sound."""
    dry = sound(t4(4, start=1), 22, dbfs=-30, noise_dbfs=-90, seed=seed).astype(float)
    times = np.arange(round(1.0 * RATE)) / RATE
    echo = np.random.default_rng(seed).standard_normal(len(times)) * 10 ** (-3 * times / 1.0)
    echo *= np.sqrt(2 / np.sum(echo**2))
    echo[0] += 1
    size = len(dry) + len(echo)
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(echo, size), size)[: len(dry)]
    assert names(hear(np.round(wet).astype(np.int16))) == ["T4"]


def test_a_carbon_monoxide_alarm_is_known_beside_a_machine_with_many_pitches():
    """Fourteen weaker tones that rise and fall all the time."""
    samples = sound(t4(4, start=1), 22, dbfs=-30, noise_dbfs=-80).astype(float)
    times = np.arange(len(samples)) / RATE
    for n in range(14):
        loud = 0.6 + 0.4 * np.sin(2 * np.pi * (0.7 + 0.05 * n) * times)
        samples += 32768 * 10 ** (-47 / 20) * loud * np.sin(2 * np.pi * (600 + 440 * n) * times)
    assert names(hear(np.round(samples).astype(np.int16))) == ["T4"]
