"""When there is something to classify: detectors answer yes or no for each frame, the gate holds that open.

Conventions: frames of 30 ms, all lengths in samples, levels in dBFS; every detector sees every frame, so
that what it learnt of the background does not depend on the other detectors.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from detector.audio.level import GATE_BAND_EDGES_HZ, Level
from detector.interfaces import Vad
from detector.records import Block

LOWEST_DBFS = -96.0
"""A band never counts as quieter than this: the last bits of a 16-bit microphone flicker."""

LOWEST_POWER = 10 ** (LOWEST_DBFS / 10)
"""The same as a mean square."""

SMOOTHING_FRAMES = 5
"""Frames in a band's level: 0.15 s, so that unsteady machines do not open the gate."""

FLOOR_FALL = 0.1
"""Share of the way the floor goes down per frame to a quieter level: 0.3 s to find a new silence."""

FLOOR_RISE_DB = 0.06
"""How much the floor goes up per frame below a louder level: 2 dB/s, so that steady sound adapts away."""

FLOOR_RISE = 0.005
"""Or this share of the way where that is more: 6 s for a noise that starts after digital silence."""

LEAST_RISE_DB = 2.0
"""However steady the background, less than this over its floor is no sound."""

RISE_SIGMAS = 5.0
"""12 hours of noise of all colours strayed further twice; with 6, 3 % more sounds at 0 dB SNR are missed."""

MEMORY = 0.01
"""Share of each frame in running means and variances: 3 s."""

CLIP_SIGMAS = 3.0
"""Deviations beyond this count as this, so that events do not raise the variance."""

CLIP_LEAST_DB = 0.3
"""Smallest sigma for that clipping, or a background of digital silence could never become unsteady."""

FLUX_LEAST_SIGMA_DB = 0.15
"""A spectrum steadier than any real noise (a pure tone, digital silence) is taken to vary by this."""

WARM_UP_FRAMES = 20
"""At the start each frame counts 1/n, a plain mean, and nothing can stand out yet."""


NEVER = -(2**62)
"""A sample before every frame."""


class LevelDetector:
    """Hears what stands out from the background: louder in one of four bands, or of a new spectrum.

    Active where a band's 0.15 s level is over its tracked noise floor by more than `threshold_db`, or by
    less where that background is steady: by more than `RISE_SIGMAS` of its own standard deviations. Also
    where the spectral flux is more than `flux_sigmas` standard deviations over its running mean, which
    finds clicks too short for that.
    """

    def __init__(self, *, threshold_db: float = 9.0, flux_sigmas: float = 12.0) -> None:
        self._threshold_db = threshold_db
        self._flux_sigmas = flux_sigmas
        self.reset()

    def is_active(self, level: Level) -> bool:
        """Whether this frame stands out; learns from it in any case."""
        self._frames += 1
        share = 1 / self._frames if self._frames <= WARM_UP_FRAMES else 0.0
        loud = [
            band.rises(power, share, self._threshold_db)
            for band, power in zip(self._bands, level.bands, strict=True)
        ]
        new = self._changes(level.flux)
        return self._frames > WARM_UP_FRAMES and (new or any(loud))

    def reset(self) -> None:
        """Forget the background, as after a gap."""
        self._frames = 0
        self._bands = [_Band() for _ in range(len(GATE_BAND_EDGES_HZ) - 1)]
        self._flux_mean = 0.0
        self._flux_variance = 0.0

    def _changes(self, flux: float) -> bool:
        if self._frames == 1:  # no frame before it, so no flux
            return False
        sigma = max(math.sqrt(self._flux_variance), FLUX_LEAST_SIGMA_DB)
        above = flux - self._flux_mean
        if self._frames <= WARM_UP_FRAMES:
            share = 1 / (self._frames - 1)
            self._flux_variance += share * (above * above * (1 - share) - self._flux_variance)
            self._flux_mean += share * above
        else:
            clipped = max(-CLIP_SIGMAS * sigma, min(CLIP_SIGMAS * sigma, above))
            self._flux_mean += MEMORY * clipped
            self._flux_variance += MEMORY * (clipped * clipped - self._flux_variance)
        return above > self._flux_sigmas * sigma


class _Band:
    """The background of one band: its floor and how far the level strays from it."""

    __slots__ = ("_floor", "_powers", "_variance")

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=SMOOTHING_FRAMES)
        self._floor = LOWEST_DBFS
        self._variance = 0.0

    def rises(self, power: float, share: float, threshold_db: float) -> bool:
        """Whether this mean square stands out; `share` is 1/n in the n-th frame of the warm-up, else 0.

        It runs four times for each frame, so conditions stand here for calls of `max` and `min`.
        """
        powers = self._powers
        powers.append(power)
        mean = sum(powers) / len(powers)
        level = 10 * math.log10(mean) if mean > LOWEST_POWER else LOWEST_DBFS
        if share == 1:
            self._floor = level
        above = level - self._floor
        variance = self._variance
        sigma = math.sqrt(variance)
        if share:
            self._variance = variance + share * (above * above - variance)
        else:
            most = CLIP_SIGMAS * (sigma if sigma > CLIP_LEAST_DB else CLIP_LEAST_DB)
            square = above * above if -most < above < most else most * most
            self._variance = variance + MEMORY * (square - variance)
        if above < 0:
            self._floor += (share if share > FLOOR_FALL else FLOOR_FALL) * above
        else:
            least = above if above < FLOOR_RISE_DB else FLOOR_RISE_DB
            most_share = share if share > FLOOR_RISE else FLOOR_RISE
            self._floor += max(least, most_share * above)
        return above > threshold_db or (above > LEAST_RISE_DB and above > RISE_SIGMAS * sigma)


class Gate:
    """Open from the first active frame until `hangover` samples after the last one.

    Also open for the hangover at the start and after a gap, because everything is new then (a recording
    may begin in steady rain), and for as long as `hold` is true: an event is still scoring, and a sound that
    goes on becomes background to the detectors. Frames quieter than `min_level_dbfs` open it in neither
    case; the detectors learn from them all the same. Without any detector it is always open.
    """

    def __init__(
        self,
        *,
        vads: Sequence[Vad],
        level_detector: LevelDetector | None,
        hangover: int,
        rest: int = 0,
        min_level_dbfs: float | None = None,
    ) -> None:
        self._vads = tuple(vads)
        self._level_detector = level_detector
        self._hangover = hangover
        self._rest = rest
        self._floor_dbfs = -math.inf if min_level_dbfs is None else min_level_dbfs
        self._always = not vads and level_detector is None
        self._openings = 0
        self._open = True
        self._open_until = NEVER
        self._new_until: int | None = None
        self._rests_from = NEVER
        self._is_held = False

    @property
    def is_open(self) -> bool:
        """Whether it was open at the newest frame; it is at the start."""
        return self._open

    @property
    def is_held(self) -> bool:
        """Whether it is open although nothing was active in the newest `rest` samples."""
        return self._is_held

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
        if self._new_until is None:
            self._new_until = frame.start + self._hangover
            self._rests_from = frame.start + self._rest
        if level.dbfs >= self._floor_dbfs:
            self._open_until = max(self._open_until, self._new_until)
            if any(active):
                self._open_until = frame.stop + self._hangover
                self._rests_from = frame.stop + self._rest
        is_open = frame.start < self._open_until or (hold and self._open)
        self._is_held = is_open and frame.start >= self._rests_from
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
        self._open_until = NEVER
        self._new_until = None
        self._rests_from = NEVER
