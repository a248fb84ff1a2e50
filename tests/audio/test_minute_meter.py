"""Laws of the sound level by minute: every second is known as heard, lost or passed over."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.level import Level, LevelMeter
from detector.audio.minute_meter import LONGEST_LOSS_SECONDS, MinuteMeter, a_weights
from detector.records import Block, Span

RATE, FRAME = 16000, 480
METER = LevelMeter(sample_rate=RATE, frame_length=FRAME)
BINS = len(METER.bins_hz)
START = 1_785_593_000.0
"""UTC seconds of the first sample, 20 s after a minute has begun."""


class Keeper:
    """A meter, and all that it hands on."""

    def __init__(self, start=START):
        self.parts = []
        self.meter = MinuteMeter(
            source="Mic", sample_rate=RATE, bins_hz=METER.bins_hz, keep=self.parts.extend
        )
        self.listen(start)

    def listen(self, start=START, listens=True):
        self.meter.follow(lambda sample: start + sample / RATE, listens=listens)

    def minutes(self):
        """Minute -> what is known of it; all parts joined."""
        self.meter.flush()
        found = {}
        for part in self.parts:
            found[part.minute] = found[part.minute].joined(part) if part.minute in found else part
        return found


def frame(number, power=1e-6, spread=BINS):
    """The level of a frame whose power lies evenly in the first `spread` bins."""
    bins = np.zeros(BINS, np.float32)
    bins[:spread] = power / spread
    start = number * FRAME
    return Level(Span(start, start + FRAME), 0.0, (0.0,) * 4, 0.0, bins)


def seconds(*counts):
    """A number of frames in seconds."""
    return pytest.approx(sum(counts) * FRAME / RATE)


def sizes(minute):
    """All numbers of a minute."""
    frames = sum(minute.histogram.values())
    return minute.minute, minute.heard_seconds, minute.lost_seconds, minute.energy, minute.peak, frames


FRAMES = st.lists(st.booleans(), min_size=1, max_size=200)
"""Whether a frame arrives, or is lost."""
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=40)


@given(arrives=FRAMES, cuts=CUTS)
@settings(max_examples=40)
def test_any_cutting_of_the_same_frames_gives_the_same_minutes(arrives, cuts):
    frames = [frame(n * 20, power=(n + 1) * 1e-7) for n, there in enumerate(arrives) if there]
    whole, parts = Keeper(), Keeper()
    whole.meter.push(frames)
    rest = iter(frames)
    for size in [*cuts, len(frames)]:
        parts.meter.push([each for _, each in zip(range(size), rest, strict=False)])
    assert [sizes(each) for each in parts.minutes().values()] == [
        pytest.approx(sizes(each)) for each in whole.minutes().values()
    ]


@given(arrives=FRAMES)
@settings(max_examples=60)
def test_between_the_first_frame_and_the_last_every_second_is_heard_or_lost(arrives):
    keeper = Keeper()
    there = [n for n, is_there in enumerate(arrives) if is_there]
    for n in there:
        keeper.meter.push([frame(n)])
    minutes = keeper.minutes().values()
    assert sum(each.heard_seconds for each in minutes) == seconds(len(there))
    missing = there[-1] - there[0] + 1 - len(there) if there else 0
    assert sum(each.lost_seconds for each in minutes) == pytest.approx(missing * FRAME / RATE, abs=1e-4)


@given(listens=st.lists(st.sampled_from(["heard", "lost", "paused"]), min_size=1, max_size=100))
@settings(max_examples=60)
def test_what_is_passed_over_is_neither_heard_nor_lost(listens):
    keeper = Keeper()
    for n, what in enumerate(listens):
        if what != "lost":
            keeper.listen(listens=what == "heard")
            keeper.meter.push([frame(n)])
    minutes = keeper.minutes().values()
    assert sum(each.heard_seconds for each in minutes) == seconds(listens.count("heard"))
    assert sum(each.lost_seconds for each in minutes) <= listens.count("lost") * FRAME / RATE + 1e-4


def test_a_minute_is_handed_on_as_soon_as_the_next_begins():
    keeper = Keeper()
    keeper.meter.push([frame(n) for n in range(1400)])
    assert [round(part.heard_seconds) for part in keeper.parts] == [40]
    assert keeper.meter.newest(START + 50) == keeper.parts[0]
    assert keeper.meter.newest(START + 240) is None
    assert [round(part.heard_seconds) for part in keeper.minutes().values()] == [40, 2]


def test_a_long_loss_is_spread_over_its_minutes():
    keeper = Keeper()
    keeper.meter.push([frame(0), frame(4001)])
    lost = [round(part.lost_seconds, 2) for part in keeper.minutes().values()]
    assert lost == [39.97, 60.0, 20.03]


def test_of_a_loss_of_months_the_last_week_is_noted():
    keeper = Keeper()
    keeper.meter.push([frame(0), frame(10**9)])
    minutes = keeper.minutes()
    assert sum(part.lost_seconds for part in minutes.values()) == pytest.approx(LONGEST_LOSS_SECONDS)
    assert len(minutes) <= LONGEST_LOSS_SECONDS / 60 + 2


@pytest.mark.parametrize("step", [-7200.0, -30.0, 30.0, 7200.0])
def test_a_clock_that_is_set_loses_nothing(step):
    keeper = Keeper()
    keeper.meter.push([frame(n) for n in range(1000)])
    keeper.listen(START + step)
    keeper.meter.push([frame(n) for n in range(1000, 4000)])
    minutes = keeper.minutes().values()
    assert sum(part.heard_seconds for part in minutes) == seconds(4000)
    assert all(part.lost_seconds == 0 for part in minutes)


def test_digital_silence_is_the_lowest_level_and_no_error():
    keeper = Keeper()
    keeper.meter.push([frame(n, power=0.0) for n in range(10)])
    (minute,) = keeper.minutes().values()
    assert (minute.leq_dbfs, minute.max_dbfs, minute.exceeded_dbfs(0.9)) == (-120, -120, -120)


def test_a_tone_of_one_kilohertz_measures_its_mean_square():
    t = np.arange(RATE) / RATE
    sine = np.round(32768 * 0.1 * np.sin(2 * np.pi * 1000 * t)).astype(np.int16)
    keeper = Keeper()
    for at in range(0, RATE - FRAME, FRAME):
        keeper.meter.push([METER.measure(Block(at, sine[at : at + FRAME]))])
    (minute,) = keeper.minutes().values()
    assert minute.leq_dbfs == pytest.approx(-23.0, abs=0.1)
    assert minute.max_dbfs == pytest.approx(-23.0, abs=0.2)


@pytest.mark.parametrize(
    ("hertz", "db"),
    [(125, -16.1), (250, -8.6), (500, -3.2), (1000, 0.0), (2000, 1.2), (4000, 1.0), (6300, -0.1)],
)
def test_the_weighting_is_that_of_the_standards_table(hertz, db):
    assert 10 * np.log10(a_weights(np.array([float(hertz)]))) == pytest.approx(db, abs=0.1)
