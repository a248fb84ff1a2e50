"""Which clips are fit: laws of noise, tones, silence and clipping, through the whole collector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.collecting.clip_verdict import judge, peak_dbfs
from detector.collecting.collector import Collector
from detector.collecting.meter import cue_text, meter_text
from detector.collecting.taking import Continuous, Countdown, Cue, Take
from detector.collecting.triggered import Triggered
from detector.datasets.clip_quality import Verdict
from detector.records import Block
from tests.support.fakes import cut

RATE = 16000


def noise(seconds, dbfs, exponent=0.0, seed=1):
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum *= np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20.0) ** exponent
    wave = np.fft.irfft(spectrum, count)
    return wave / np.sqrt(np.mean(wave**2)) * 10 ** (dbfs / 20)


def tone(seconds, dbfs):
    return np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)


def int16(wave):
    return np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16)


def countdown(wave, *, room=False):
    """The one clip of 1 s after a countdown of 3 s."""
    collector = Collector(Countdown(count=3 * RATE, length=RATE), sample_rate=RATE, longest=RATE, room=room)
    clips = [clip for block in cut(int16(wave), 1600) for clip in collector.push(block)]
    assert len(clips) == 1
    return clips[0].report


def with_sound(sound, background=None):
    wave = noise(4.2, -50) if background is None else background
    wave[round(3.3 * RATE) : round(3.3 * RATE) + len(sound)] += sound
    return wave


@pytest.mark.parametrize("exponent", [0.0, -0.5, -1.0], ids=["white", "pink", "brown"])
@pytest.mark.parametrize("seed", range(5))
def test_steady_noise_is_too_quiet_whatever_its_colour_and_level(exponent, seed):
    for dbfs in (-70, -30):
        assert countdown(noise(4.2, dbfs, exponent, seed)).verdict is Verdict.TOO_QUIET


def test_the_room_need_not_stand_out():
    assert countdown(noise(4.2, -50), room=True).verdict is Verdict.GOOD


def test_a_sound_over_the_room_is_good_and_measured():
    report = countdown(with_sound(tone(0.5, -20)))
    assert report.verdict is Verdict.GOOD
    assert report.level_dbfs == pytest.approx(-20, abs=0.5)
    assert report.over_db == pytest.approx(30, abs=3)
    assert report.peak_dbfs == pytest.approx(-17, abs=1)
    assert report.seconds == 1.0


def test_a_sound_that_fills_its_clip_is_compared_with_the_countdown_before_it():
    assert countdown(with_sound(tone(0.9, -30))).over_db == pytest.approx(20, abs=3)


def test_a_clipped_sound_is_told_and_one_that_touches_full_scale_once_is_not():
    assert countdown(with_sound(3 * tone(0.5, -3))).verdict is Verdict.CLIPPED
    assert (
        countdown(with_sound(tone(0.5, -10)) + np.eye(1, round(4.2 * RATE), 60000)[0]).verdict is Verdict.GOOD
    )


@pytest.mark.parametrize("value", [0, -1, 1000, -32768])
def test_one_value_throughout_is_digital_silence_even_of_a_room(value):
    samples = np.full(RATE, value, np.int16)
    report = judge(samples, sample_rate=RATE, before=[], during=[-120.0] * 33, room=True)
    assert report.verdict is Verdict.SILENT


def test_digital_silence_before_a_whisper_does_not_make_it_loud():
    wave = np.concatenate([np.zeros(3 * RATE), noise(1.2, -93)])
    assert countdown(wave).over_db < 6


@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_a_peak_is_a_level_at_most_full_scale(values):
    assert -96 <= peak_dbfs(np.array(values, np.int16)) <= 0


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=40), st.sampled_from(["count", "cut", "trigger"]))
def test_any_cutting_of_the_same_stream_gives_the_same_clips(lengths, kind):
    samples = int16(with_sound(tone(0.4, -20)))

    def clips(cuts):
        takers = {
            "count": Countdown(count=RATE, length=RATE),
            "cut": Continuous(length=RATE, parts=3),
            "trigger": Triggered(preroll=8000, postroll=8000, release=8000, longest=3 * RATE, shortest=RATE),
        }
        collector = Collector(takers[kind], sample_rate=RATE, longest=3 * RATE, room=False)
        at, found = 0, []
        while at < len(samples):
            length = cuts[len(found) % len(cuts)] if cuts else len(samples)
            length = max(1, min(length, len(samples) - at))
            found.append(Block(at, samples[at : at + length]))
            at += length
        told = [clip for block in found for clip in collector.push(block)] + collector.flush()
        return [(clip.take.start, clip.take.samples.tobytes(), clip.report) for clip in told]

    whole = clips([])
    assert whole
    assert clips(lengths) == whole


def test_nothing_spans_a_gap():
    samples = int16(noise(6, -50))
    collector = Collector(Countdown(count=RATE, length=RATE), sample_rate=RATE, longest=RATE, room=True)
    blocks = [*cut(samples[:24000], 1600), *cut(samples[24000:], 1600, start=100_000)]
    starts = [clip.take.start for block in blocks for clip in collector.push(block)]
    assert min(starts) >= 100_000 + RATE


class Script:
    """A taker of the takes it is told."""

    cue = Cue("wait")

    def __init__(self, *takes):
        self._takes = takes

    def push(self, frame, level):
        return [take for take in self._takes if frame.start < take.stop <= frame.stop]

    def flush(self):
        return []

    def reset(self):
        pass


def test_a_later_part_of_a_stretch_is_compared_with_the_room_before_the_first():
    samples = int16(np.concatenate([noise(3, -50), noise(24, -20)]))
    first, second = (
        Take(start * RATE, samples[start * RATE : (start + 12) * RATE], 1, part)
        for start, part in ((3, 1), (15, 2))
    )
    collector = Collector(Script(first, second), sample_rate=RATE, longest=12 * RATE, room=False)
    reports = [clip.report for block in cut(samples, 1600) for clip in collector.push(block)]
    assert [report.verdict for report in reports] == [Verdict.GOOD, Verdict.GOOD]
    assert reports[1].over_db == pytest.approx(30, abs=3)


class TestMeter:
    def test_the_bar_grows_with_the_level_and_the_peak(self):
        line = "bell [==========-----     ]  -36 dBFS"
        assert meter_text("bell", -36, -18, clipped=False, width=44) == line + " " * 7
        assert meter_text("bell", -36, -18, clipped=True, width=44) == line + "  CLIPS"

    @given(st.floats(-200, 20), st.floats(-200, 20), st.integers(1, 200))
    def test_it_never_fills_more_than_the_line(self, level, peak, width):
        assert len(meter_text("doorbell 1 of 10", level, peak, clipped=True, width=width)) <= width

    def test_what_to_do_now_has_one_width(self):
        cues = [Cue("count", 48000), Cue("count", 1), Cue("record", 38400), Cue("wait"), Cue("hear")]
        texts = [cue_text(cue, RATE) for cue in cues]
        assert [text.strip() for text in texts] == ["3", "1", "NOW  2.4 s", "waiting", "hearing"]
        assert {len(text) for text in texts} == {10}
