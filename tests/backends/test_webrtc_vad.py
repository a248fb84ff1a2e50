"""Laws of the WebRTC voice activity detector's wrapper."""

import importlib.util

import numpy as np
import pytest

from detector.backends.webrtc_vad import WebRtcVad
from detector.errors import ConfigError
from detector.interfaces import Vad
from detector.records import Block

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("webrtcvad") is None, reason="webrtcvad-wheels is not installed"
)


def buzz_after_silence(rate):
    """A second of silence, then a second of a voice-like pulse train."""
    t = np.arange(rate) / rate
    voice = (
        6000
        * np.sin(2 * np.pi * 150 * t)
        * (1 + np.sin(2 * np.pi * 450 * t))
        * (1 + np.sin(2 * np.pi * 4 * t))
    )
    return np.concatenate((np.zeros(rate), voice)).astype(np.int16)


def answers(vad, samples, rate):
    length = round(rate * 0.03)
    return [
        vad.is_active(Block(at, samples[at : at + length])) for at in range(0, len(samples) - length, length)
    ]


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
def test_silence_is_not_active_and_a_voice_is_at_every_rate(rate):
    vad: Vad = WebRtcVad(sample_rate=rate, mode=2)
    active = answers(vad, buzz_after_silence(rate), rate)
    assert not any(active[:32])
    assert any(active[32:40])


def test_other_rates_agree_with_a_native_one():
    native = answers(WebRtcVad(sample_rate=16000, mode=2), buzz_after_silence(16000), 16000)
    resampled = answers(WebRtcVad(sample_rate=44100, mode=2), buzz_after_silence(44100), 44100)
    same = [a == b for a, b in zip(native, resampled, strict=False)]
    assert sum(same) >= 0.9 * len(same)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_after_a_reset_it_is_as_new(rate):
    vad = WebRtcVad(sample_rate=rate, mode=2)
    samples = buzz_after_silence(rate)
    first = answers(vad, samples, rate)
    vad.reset()
    assert answers(vad, samples, rate) == first


@pytest.mark.parametrize("mode", [-1, 4])
def test_an_unknown_mode_is_refused_in_one_line(mode):
    with pytest.raises(ConfigError, match=r"gate.vad_mode: expected 0, 1, 2 or 3, got"):
        WebRtcVad(sample_rate=16000, mode=mode)
