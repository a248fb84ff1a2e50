"""Mixes sounds and a background into one signal: levels, reverberation, and how the background is made.

Shapes: samples float32 (n,) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from detector.soundscapes.plan import Placed
from detector.soundscapes.stretch import Samples, active_power

COLOURS = {"white": 0.0, "pink": -0.5, "brown": -1.0}
"""Noise -> its amplitude is proportional to frequency to this power."""
LOWEST_HZ = 20.0
CROSSFADE_SECONDS = 0.5
CEILING = 0.99
DIRECT_TO_REVERB_DB = 3.0
"""Energy of the direct sound over that of the room."""


def coloured_noise(colour: str, seconds: float, rate: int, seed: int) -> Samples:
    """Noise of unit mean square."""
    count = round(seconds * rate)
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum *= np.maximum(np.fft.rfftfreq(count, 1 / rate), LOWEST_HZ) ** COLOURS[colour]
    wave = np.fft.irfft(spectrum, count)
    noise: Samples = (wave / np.sqrt(np.mean(wave**2))).astype(np.float32)
    return noise


def looped(pieces: Sequence[Samples], seconds: float, rate: int, seed: int) -> Samples:
    """Recordings of one kind one after the other, each at the same level, until it is long enough.

    Joints are crossfaded with equal power; the mean square of all is 1.
    """
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    fade = min(round(CROSSFADE_SECONDS * rate), min(len(piece) for piece in pieces) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    out = np.zeros(count + fade + max(len(piece) for piece in pieces), dtype=np.float32)
    at = 0
    while at < count + fade:
        for place in rng.permutation(len(pieces)):
            piece = pieces[place] / np.float32(np.sqrt(np.mean(np.square(pieces[place], dtype=np.float64))))
            piece[:fade] *= ramp
            piece[len(piece) - fade :] *= ramp[::-1]
            if at + len(piece) > len(out):
                break
            out[at : at + len(piece)] += piece
            at += len(piece) - fade
        else:
            continue
        break
    whole = out[fade : fade + count]
    return whole / np.float32(np.sqrt(np.mean(np.square(whole, dtype=np.float64))))


def room(seconds: float, rate: int, seed: int) -> Samples:
    """An impulse response: the direct sound, then noise that decays by 60 dB in `seconds`."""
    count = max(2, round(seconds * rate))
    tail = np.random.default_rng(seed).standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail[: min(count, rate // 200)] = 0  # the first reflection comes after 5 ms
    energy = np.sum(tail**2)
    if energy > 0:
        tail *= np.sqrt(10 ** (-DIRECT_TO_REVERB_DB / 10) / energy)
    tail[0] = 1.0
    return tail.astype(np.float32)


def convolved(samples: Samples, response: Samples) -> Samples:
    """Samples in a room, as long as both together."""
    count = len(samples) + len(response) - 1
    size = 1 << (count - 1).bit_length()
    product = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.fft.irfft(product, size)[:count].astype(np.float32)


def mix(
    background: Samples,
    placed: Sequence[Placed],
    clip: Callable[[Placed], Samples],
    rate: int,
    response: Samples | None = None,
) -> tuple[Samples, float]:
    """Add each sound at its SNR over the background under it; the mix, and the gain against clipping [dB]."""
    out = background.copy()
    for sound in placed:
        samples = clip(sound)
        start = round(sound.onset * rate)
        under = background[start : start + len(samples)]
        floor = float(np.mean(np.square(under, dtype=np.float64)))
        gain = np.sqrt(floor * 10 ** (sound.snr_db / 10) / active_power(samples, rate))
        wet = samples if response is None else convolved(samples, response)
        wet = wet[: len(out) - start]
        out[start : start + len(wet)] += np.float32(gain) * wet
    peak = float(np.abs(out).max(initial=0.0))
    scale = min(1.0, CEILING / peak) if peak else 1.0
    return out * np.float32(scale), float(20 * np.log10(scale))
