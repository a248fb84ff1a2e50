"""When there is something to classify: detectors say yes or no per frame, the gate holds it open.

Conventions: frames of 30 ms, all lengths in samples, levels in dBFS; every detector sees every frame, so
that what it learnt of the background does not depend on the other detectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from detector.audio.level import Level
from detector.interfaces import Vad
from detector.records import Block

LOWEST_FLOOR_DBFS = -96.0
"""The floor of a band never sinks below this: the last bits of a 16-bit microphone flicker."""

FALL = 0.1
"""Share of the way the floor goes down per frame to a quieter level: 0.3 s to find a new silence."""

RISE_DB = 0.06
"""How much the floor goes up per frame below a louder level: 2 dB/s, so that steady sound adapts away."""

RISE = 0.005
"""Or this share of the way where that is more: 6 s for a noise that starts after digital silence."""

FLUX_MEMORY = 0.01
"""Share of each frame in the flux's running mean and variance: 3 s."""

FLUX_CLIP = 3.0
"""Deviations beyond this many sigma count as this many, so that events do not raise the variance."""

FLUX_LEAST_SIGMA_DB = 0.15
"""A spectrum steadier than any real noise (a pure tone, digital silence) is not waited for."""

WARM_UP_FRAMES = 20
"""At the start each frame counts 1/n: a plain mean until the slow trackers can take over."""


class LevelDetector:
    """Hears what stands out from the background: louder in one of four bands, or of a new spectrum.

    Active where a band is more than `threshold_db` over its tracked noise floor, or the spectral flux is
    more than `flux_sigmas` standard deviations over its running mean.
    """

    def __init__(self, *, threshold_db: float = 9.0, flux_sigmas: float = 12.0) -> None:
        self._threshold_db = threshold_db
        self._flux_sigmas = flux_sigmas
        self.reset()

    def is_active(self, level: Level) -> bool:
        """Whether this frame stands out; learns from it in any case."""
        self._frames += 1
        loud = self._louder(level.bands)
        new = self._changed(level.flux)
        return loud or new

    def reset(self) -> None:
        """Forget the background, as after a gap."""
        self._frames = 0
        self._floors: list[float] = []
        self._flux_mean = 0.0
        self._flux_variance = 0.0

    def _louder(self, bands: Sequence[float]) -> bool:
        if not self._floors:
            self._floors = [max(band, LOWEST_FLOOR_DBFS) for band in bands]
            return False
        share = 1 / self._frames if self._frames <= WARM_UP_FRAMES else 0.0
        loud = False
        for i, (band, floor) in enumerate(zip(bands, self._floors, strict=True)):
            above = band - floor
            loud = loud or above > self._threshold_db
            if above < 0:
                floor += max(FALL, share) * above
            else:
                floor += max(min(RISE_DB, above), RISE * above, share * above)
            self._floors[i] = max(floor, LOWEST_FLOOR_DBFS)
        return loud

    def _changed(self, flux: float) -> bool:
        if self._frames == 1:  # no frame before it, so no flux
            return False
        above = flux - self._flux_mean
        if self._frames <= WARM_UP_FRAMES:
            share = 1 / (self._frames - 1)
            self._flux_variance += share * (above * above * (1 - share) - self._flux_variance)
            self._flux_mean += share * above
            return False
        sigma = max(math.sqrt(self._flux_variance), FLUX_LEAST_SIGMA_DB)
        clipped = max(-FLUX_CLIP * sigma, min(FLUX_CLIP * sigma, above))
        self._flux_mean += FLUX_MEMORY * clipped
        self._flux_variance += FLUX_MEMORY * (clipped * clipped - self._flux_variance)
        return above > self._flux_sigmas * sigma


class Gate:
    """Open from the first active frame until `hangover` samples after the last one.

    Also open for the hangover at the start and after a gap, because everything is new then (a recording
    may begin in steady rain), and for as long as `hold` says that an event is still scoring: a sound that
    goes on becomes background to the detectors. Without any detector it is always open.
    """

    def __init__(self, *, vads: Sequence[Vad], level_detector: LevelDetector | None, hangover: int) -> None:
        self._vads = tuple(vads)
        self._level_detector = level_detector
        self._hangover = hangover
        self._always = not vads and level_detector is None
        self._open = True
        self._open_until: int | None = None
        self._openings = 0

    @property
    def openings(self) -> int:
        """Times it went from closed to open."""
        return self._openings

    def push(self, frame: Block, level: Level, *, hold: bool = False) -> bool:
        """Whether the gate is open at this frame, whose level is given; `hold` keeps an open gate open."""
        if self._always:
            return True
        active = [vad.is_active(frame) for vad in self._vads]
        if self._level_detector is not None:
            active.append(self._level_detector.is_active(level))
        if self._open_until is None:
            self._open_until = frame.start + self._hangover
        if any(active):
            self._open_until = frame.stop + self._hangover
        is_open = frame.start < self._open_until or (hold and self._open)
        self._openings += is_open and not self._open
        self._open = is_open
        return is_open

    def reset(self) -> None:
        """There was a gap: forget the background and open anew."""
        for vad in self._vads:
            vad.reset()
        if self._level_detector is not None:
            self._level_detector.reset()
        self._open = True
        self._open_until = None
