"""The microphone over a scripted PortAudio: forms, losses, times, the lost device."""

from itertools import islice, pairwise

import numpy as np
import pytest

from detector.errors import DeviceLost, DeviceNotFound
from detector.sources.microphone import Microphone
from tests.support.fake_audio import FakeAudio

GONE = OSError(-9999, "Unanticipated host error")


class Clock:
    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now


def microphone(audio, *, device=None, clock=None, **changes):
    clock = clock or Clock()
    settings = {"sample_rate": 16000, "block_length": 1600} | changes
    return Microphone(
        device=device,
        clock=lambda: 1e9 + clock(),
        monotonic=clock,
        audio_factory=audio.factory(),
        **settings,
    )


def until_lost(source):
    blocks = []
    with pytest.raises(DeviceLost):
        for block in source.blocks():
            blocks.append(block)
    return blocks


def test_what_is_resampled_comes_with_what_was_recorded():
    audio = FakeAudio([("Mic", 1, 48000)], forms=[(48000, 1)], script=[0.1] * 10)
    blocks = list(islice(microphone(audio).blocks(), 8))
    originals = [original for block in blocks for original in block.originals]
    assert {original.rate for original in originals} == {48000}
    assert originals[0].start == 0
    for before, after in pairwise(originals):
        assert after.start == before.start + len(before.samples) // 3


def test_what_is_not_resampled_is_its_own_original():
    audio = FakeAudio([("Mic", 1, 48000)], forms=[(16000, 1)], script=[0.1] * 10)
    assert {block.originals for block in islice(microphone(audio).blocks(), 5)} == {None}


@pytest.mark.parametrize(
    ("forms", "opened"),
    [
        ([(16000, 1), (48000, 1), (48000, 2)], (16000, 1)),
        ([(16000, 2), (48000, 1)], (16000, 2)),
        ([(48000, 1), (48000, 2)], (48000, 1)),
        ([(48000, 2), (48000, 6)], (48000, 2)),
        ([(48000, 6)], (48000, 6)),
    ],
)
def test_the_cheapest_form_that_the_device_takes_is_opened_and_becomes_the_wanted_rate(forms, opened):
    audio = FakeAudio([("Mic", 6, 48000)], forms=forms, script=[0.1] * 10)
    blocks = list(islice(microphone(audio).blocks(), 5))
    assert audio.opened == [(0, *opened)]
    assert [block.start for block in blocks] == [0, 1600, 3200, 4800, 6400]
    assert all(block.samples.dtype == np.int16 and block.samples.shape == (1600,) for block in blocks)


def test_a_form_that_is_promised_but_cannot_be_opened_falls_through_to_the_next():
    audio = FakeAudio(
        [("Mic", 2, 48000)], forms=[(48000, 2)], claims=[(16000, 1), (48000, 2)], script=[0.1] * 9
    )
    next(microphone(audio).blocks())
    assert audio.opened == [(0, 48000, 2)]


def test_samples_at_the_wanted_rate_are_untouched():
    audio = FakeAudio([("Mic", 1, 16000)], script=[0.1] * 3 + [GONE])
    blocks = until_lost(microphone(audio))
    assert np.array_equal(np.concatenate([block.samples for block in blocks]), np.arange(4800))


def test_a_device_that_cannot_be_opened_is_one_clear_line():
    audio = FakeAudio([("Mic", 1, 48000)], forms=[], claims=[(16000, 1)])
    with pytest.raises(
        DeviceNotFound, match=r"capture device 0 'Mic' cannot be opened .*\(Device unavailable\)"
    ):
        next(microphone(audio).blocks())
    assert audio.terminated == 1


@pytest.mark.parametrize("device", [99, -1, "99", 0])
def test_an_index_that_is_not_there_never_reaches_open(device):
    audio = FakeAudio([("Speakers", 0, 48000), ("Mic", 1, 48000)], default=1)
    with pytest.raises(DeviceNotFound, match="no microphone has index"):
        next(microphone(audio, device=device).blocks())
    assert (audio.opened, audio.terminated) == ([], 1)


@pytest.mark.parametrize("device", [None, 0, "mic"])
def test_no_device_at_all_is_one_clear_line(device):
    with pytest.raises(DeviceNotFound, match="no microphone found"):
        next(microphone(FakeAudio([], default=None), device=device).blocks())


def test_the_time_is_when_the_last_sample_was_captured():
    audio = FakeAudio([("Mic", 1, 16000)], script=[0.1] * 3, clock=Clock())
    first, second = islice(microphone(audio, clock=audio.clock).blocks(), 2)
    assert (first.time, second.time) == pytest.approx((1e9 + 0.1, 1e9 + 0.2))


def test_the_time_is_right_although_the_resampler_holds_sound_back():
    audio = FakeAudio([("Mic", 1, 48000)], forms=[(48000, 1)], script=[0.1] * 20, clock=Clock())
    for block in islice(microphone(audio, clock=audio.clock).blocks(), 10):
        assert block.time == pytest.approx(1e9 + block.stop / 16000, abs=1e-4)


def test_an_overflow_is_a_gap_of_about_its_length_and_not_the_end(caplog):
    script = [0.1] * 20 + [1.1] + [0.1] * 30
    audio = FakeAudio([("Mic", 1, 16000)], script=script, clock=Clock())
    blocks = list(islice(microphone(audio, clock=audio.clock).blocks(), 50))
    gaps = [b.start - a.stop for a, b in pairwise(blocks)]
    assert sum(gap > 0 for gap in gaps) == 1
    assert sum(gaps) == pytest.approx(16000, abs=160)
    assert "source.samples_lost" in caplog.text


def test_a_gap_at_another_rate_is_counted_in_the_streams_own_samples():
    script = [0.1] * 20 + [1.1] + [0.1] * 30
    audio = FakeAudio([("Mic", 1, 48000)], forms=[(48000, 1)], script=script, clock=Clock())
    blocks = list(islice(microphone(audio, clock=audio.clock).blocks(), 45))
    gaps = [b.start - a.stop for a, b in pairwise(blocks)]
    assert sum(gaps) == pytest.approx(16000, abs=160)


def test_a_reader_held_up_makes_no_gap():
    script = [0.1] * 20 + [1.1] + [0.0] * 10 + [0.1] * 20
    audio = FakeAudio([("Mic", 1, 16000)], script=script, clock=Clock())
    blocks = list(islice(microphone(audio, clock=audio.clock).blocks(), 50))
    assert [block.start for block in blocks] == list(range(0, 80_000, 1600))


def test_numbers_never_run_backwards_when_the_clock_does():
    script = [0.1] * 5 + [-50.0] + [0.1] * 5 + [GONE]
    audio = FakeAudio([("Mic", 1, 16000)], script=script, clock=Clock())
    source = microphone(audio, clock=audio.clock)
    blocks = until_lost(source)
    audio.clock.now -= 100
    audio.script = [0.1] * 5 + [GONE]
    blocks += until_lost(source)
    assert all(b.start >= a.stop for a, b in pairwise(blocks))


def test_a_lost_device_is_said_after_everything_it_gave_was_delivered():
    audio = FakeAudio([("Mic", 1, 48000)], forms=[(48000, 1)], script=[0.1] * 3 + [GONE])
    blocks = []
    with pytest.raises(DeviceLost, match=r"'Mic' stopped delivering \(Unanticipated host error\)"):
        for block in microphone(audio).blocks():
            blocks.append(block)
    assert blocks[-1].stop == 4800
    assert (audio.closed, audio.terminated) == (1, 1)


def test_after_a_loss_it_can_be_read_again_and_the_time_away_is_a_gap():
    audio = FakeAudio([("Mic", 1, 16000)], script=[0.1] * 3 + [GONE], clock=Clock())
    source = microphone(audio, clock=audio.clock)
    before = until_lost(source)
    audio.clock.now += 7.0
    audio.script = [0.1] * 3 + [GONE]
    after = until_lost(source)
    assert before[-1].stop == 4800
    assert after[0].start == 4800 + 7 * 16000
    assert after[0].time == pytest.approx(1e9 + 0.3 + 7.0 + 0.1)


def test_closing_is_fine_before_opening_and_twice():
    audio = FakeAudio([("Mic", 1, 16000)], script=[0.1] * 3)
    source = microphone(audio)
    source.close()
    blocks = source.blocks()
    next(blocks)
    blocks.close()
    source.close()
    assert (audio.closed, audio.terminated) == (1, 1)


def test_it_is_live_and_named_as_given_or_by_its_device():
    audio = FakeAudio([("USB Mic", 1, 16000)], script=[0.1] * 3)
    source = microphone(audio, device="usb")
    assert source.live
    assert source.name == "usb"
    next(source.blocks())
    assert source.name == "USB Mic"
    assert microphone(audio, name="attic").name == "attic"
    assert microphone(audio).name == "default microphone"
