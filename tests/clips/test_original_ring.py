"""The ring of recorded sound: what is read is what was recorded there, at the rate of the recording."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.clips.original_ring import OriginalRing
from detector.records import Block, Original, Span
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter

RATE, RECORDED = 16000, 48000
COUNT = np.arange(1, 4001, dtype=np.int16)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=10), st.integers(0, 4000), st.integers(1, 4000))
def test_without_resampling_the_very_samples_are_read(lengths, start, length):
    ring = OriginalRing(stream_rate=RATE, capacity=100_000)
    at = 0
    for block in lengths:
        ring.append(Block(at, COUNT[at : at + block]))
        at += block
    sound = ring.read(Span(start, start + length))
    expected = COUNT[:at][start : start + length]
    assert (sound is None) == (len(expected) == 0)
    if sound is not None:
        assert (sound.start, sound.rate) == (start, RATE)
        assert np.array_equal(sound.samples, expected)


def test_a_gap_reads_as_zero():
    ring = OriginalRing(stream_rate=RATE, capacity=1000)
    ring.append(Block(0, COUNT[:10]))
    ring.append(Block(15, COUNT[15:20]))
    assert ring.read(Span(8, 17)).samples.tolist() == [9, 10, 0, 0, 0, 0, 0, 16, 17]


def test_what_is_older_than_the_capacity_is_gone():
    ring = OriginalRing(stream_rate=RATE, capacity=100)
    for at in range(0, 1000, 50):
        ring.append(Block(at, COUNT[at : at + 50]))
    sound = ring.read(Span(0, 1000))
    assert sound.start == 900
    assert len(sound.samples) == 100


def test_another_rate_begins_anew():
    ring = OriginalRing(stream_rate=RATE, capacity=1000)
    ring.append(Block(0, COUNT[:50]))
    ring.append(Block(50, COUNT[:1], originals=(Original(50, np.zeros(30, np.float32), RECORDED),)))
    sound = ring.read(Span(0, 100))
    assert (sound.start, sound.rate, len(sound.samples)) == (50, RECORDED, 30)


@given(st.lists(st.integers(1, 3000), min_size=3, max_size=12))
def test_a_resampled_stream_gives_what_was_recorded_at_its_place(reads):
    """However a microphone is read, as `sources.microphone` does it."""
    recorded = np.random.default_rng(0).integers(-9000, 9000, sum(reads)).astype(np.int16)
    converter = Converter(input_rate=RECORDED, output_rate=RATE, channels=1)
    cutter = Cutter(block_length=480, sample_rate=RATE)
    ring, at = OriginalRing(stream_rate=RATE, capacity=100_000), 0
    for count in reads:
        start = cutter.next + round(converter.held_seconds * RATE)
        converted = converter.push(recorded[at : at + count])
        original = Original(start, converter.recorded, RECORDED)
        for block in cutter.push(converted, None, original):
            ring.append(block)
        at += count
    sound = ring.read(Span(100, at // 3))
    if sound is None:  # no block was complete
        return
    first = sound.start * 3
    shift = next(s for s in (0, -1, 1, -2, 2) if sound.samples[0] == recorded[first + s])
    first += shift  # a start is counted at the model's rate
    assert np.array_equal(sound.samples, recorded[first : first + len(sound.samples)])
