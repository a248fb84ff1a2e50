"""Laws of the gate: written as frames of 30 ms, `A` active, `.` not, `O` open, `-` closed."""

import numpy as np
import pytest

from detector.audio.gate import Gate, LevelDetector
from detector.audio.level import Level, LevelMeter
from detector.records import Block, Span

FRAME = 480


class ScriptedVad:
    """Says what its script says, and counts what it was shown."""

    def __init__(self, script):
        self.script = script
        self.seen = 0
        self.resets = 0

    def is_active(self, frame):
        self.seen += 1
        return self.script[frame.start // FRAME] == "A"

    def reset(self):
        self.resets += 1


def run(script, *, hangover=2, hold="", loud=None):
    """What the gate did with each frame, and the gate; the hangover is in frames.

    `loud` has `x` where a frame reaches a floor of -50 dBFS; without it there is no floor.
    """
    floor = None if loud is None else -50.0
    vads = [ScriptedVad(script)]
    gate = Gate(vads=vads, level_detector=None, hangover=hangover * FRAME, min_level_dbfs=floor)
    held, dbfs = hold.ljust(len(script)), (loud or "").ljust(len(script))
    steps = (
        step(gate, i, held[i] == "h", dbfs=-50.0 if dbfs[i] == "x" else -50.1) for i in range(len(script))
    )
    return "".join(steps), gate


def step(gate, i, hold=False, dbfs=-120.0):
    frame = Block(i * FRAME, np.zeros(FRAME, np.int16))
    level = Level(Span(frame.start, frame.stop), dbfs, (0.0,) * 4, 0.0)
    return "O" if gate.push(frame, level, hold=hold) else "-"


def test_held_is_open_without_activity_for_the_rest():
    """Open at the start and after activity for four frames; an event holds it. `h`: two have passed."""
    script, hold = "......A..........A.......", "                 hhhhhhhh"
    gate = Gate(vads=[ScriptedVad(script)], level_detector=None, hangover=4 * FRAME, rest=2 * FRAME)
    states = [step(gate, i, hold[i] == "h") + "h" * gate.is_held for i in range(len(script))]
    assert "".join(state[-1] for state in states) == (
        #   ......A..........A.......
        "OOhh--OOOhh------OOOhhhhh"
    )


def test_open_at_the_start_for_the_hangover_then_after_activity():
    opened, gate = run("......A.......AA....")
    assert opened == ("OO----OOO-----OOOO--")
    assert gate.openings == 2


def test_activity_within_the_hangover_is_the_same_opening():
    opened, gate = run("....A..A.A....")
    assert opened == ("OO--OOOOOOOO--")
    assert gate.openings == 1


def test_the_opening_at_the_start_is_not_counted():
    assert run("......")[1].openings == 0


def test_hold_keeps_an_open_gate_open():
    opened, gate = run("....A...........", hold="      hhhhhh")
    assert opened == ("OO--OOOOOOOO----")
    assert gate.openings == 1


def test_hold_does_not_open_a_closed_gate():
    assert run("........", hold="   hhh")[0] == "OO------"


def test_below_the_floor_it_does_not_open():
    script, loud = "....A....A.....AA....", "         x      x    "
    assert run(script, loud=loud)[0] == "---------OOO----OOO--"


def test_below_the_floor_it_does_not_stay_open_either():
    assert run("...AAAAAA...", loud="   x        ")[0] == "---OOO------"


def test_with_a_floor_the_start_opens_it_where_it_is_loud():
    assert run("......", loud=" x    ", hangover=3)[0] == "-OO---"
    assert run("......", loud="    x ", hangover=3)[0] == "------"


def test_an_event_keeps_it_open_below_the_floor():
    assert run("...A......", loud="   x      ", hold="     hhh  ")[0] == "---OOOOO--"


def test_the_detectors_see_what_is_below_the_floor():
    vad = ScriptedVad("....")
    gate = Gate(vads=[vad], level_detector=None, hangover=FRAME, min_level_dbfs=0.0)
    assert [step(gate, i) for i in range(4)] == ["-"] * 4
    assert vad.seen == 4


def test_without_a_detector_it_is_always_open():
    gate = Gate(vads=[], level_detector=None, hangover=FRAME)
    assert [step(gate, i) for i in range(5)] == ["O"] * 5
    assert gate.openings == 0


def test_any_detector_opens_it_and_every_detector_sees_every_frame():
    vads = [ScriptedVad("....A....."), ScriptedVad("..A.......")]
    gate = Gate(vads=vads, level_detector=None, hangover=FRAME)
    assert "".join(step(gate, i) for i in range(10)) == "O-OOOO----"
    assert [vad.seen for vad in vads] == [10, 10]


def test_after_a_reset_it_is_open_for_the_hangover_and_the_detectors_have_forgotten():
    vad = ScriptedVad("." * 40)
    detector = LevelDetector()
    gate = Gate(vads=[vad], level_detector=detector, hangover=2 * FRAME)
    before = "".join(step(gate, i) for i in range(5))
    gate.reset()
    after = "".join(step(gate, i) for i in range(30, 35))
    assert (before, after) == ("OO---", "OO---")
    assert vad.resets == 1
    assert gate.openings == 0


# The level detector.


def noise(kind, dbfs, seconds, seed=0, rate=16000):
    """Stationary noise of a mean square of `dbfs`, as a 16-bit microphone gives it."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    if kind == "hum":
        t = np.arange(n) / rate
        wave = sum(np.sin(2 * np.pi * 50 * k * t + k) / k for k in range(1, 20)) + 0.01 * rng.standard_normal(
            n
        )
    else:
        spectrum = np.fft.rfft(rng.standard_normal(n))
        hertz = np.maximum(np.fft.rfftfreq(n, 1 / rate), 20)
        wave = np.fft.irfft(spectrum * hertz ** {"white": 0, "pink": -0.5, "brown": -1}[kind], n)
    wave *= 10 ** (dbfs / 20) / np.sqrt(np.mean(wave**2))
    return np.clip(np.round(wave * 32768), -32768, 32767).astype(np.int16)


def activity(samples, detector=None, rate=16000):
    detector = detector or LevelDetector()
    length = round(rate * 0.03)
    meter = LevelMeter(sample_rate=rate, frame_length=length)
    starts = range(0, len(samples) - length + 1, length)
    return [detector.is_active(meter.measure(Block(at, samples[at : at + length]))) for at in starts]


@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum"])
@pytest.mark.parametrize("dbfs", [-90, -80, -65, -50, -30])
def test_stationary_noise_is_never_active(kind, dbfs):
    assert not any(activity(noise(kind, dbfs, 60)))


def test_digital_silence_and_its_last_bits_are_never_active():
    silence = np.zeros(16000 * 5, np.int16)
    silence[20000:60000:977] = 1
    assert not any(activity(silence))


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 44100, 48000])
def test_a_short_tone_over_the_noise_is_active_at_once_and_noise_after_it_is_not(rate):
    samples = noise("pink", -50, 6, rate=rate).astype(np.float64)
    t = np.arange(round(0.2 * rate)) / rate
    samples[3 * rate : 3 * rate + len(t)] += 2000 * np.sin(2 * np.pi * 1000 * t)
    active = activity(samples.astype(np.int16), rate=rate)
    assert active.index(True) in (99, 100, 101)
    assert sum(active) >= 6
    assert not any(active[112:])


def test_a_click_too_weak_for_any_band_is_active_by_its_spectrum():
    samples = noise("pink", -50, 6)
    samples[48100] += 4000
    assert any(activity(samples)[100:102])


def test_steady_sound_adapts_away():
    samples = np.concatenate((noise("pink", -60, 5), noise("pink", -35, 20, seed=1)))
    active = activity(samples)
    assert any(active[166:170])
    assert not any(active[-300:])


def test_a_loud_start_does_not_deafen_it():
    samples = np.concatenate(
        (noise("white", -20, 0.3), noise("pink", -60, 4, seed=1), noise("pink", -45, 1, seed=2))
    )
    assert any(activity(samples)[144:150])


def test_reset_forgets_the_background():
    detector = LevelDetector()
    activity(noise("pink", -70, 10), detector)
    detector.reset()
    assert not any(activity(noise("pink", -30, 10, seed=1), detector))
