"""What windows that follow each other share, worked out once: log-mel frames, and samples of half the rate.

Each object remembers the newest window alone. What it gives does not depend on that: where the samples of two
windows do not agree, as after a gap or in another recording, everything is worked out anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.audio.decimate import DELAY, halved
from detector.audio.logmel import LogMel, LogMelParams
from detector.records import Span, Window


class GrowingLogMel:
    """Turns windows into log-mel patches as `LogMel` does; each frame is made once for all its windows."""

    def __init__(self, params: LogMelParams) -> None:
        self.params = params
        self._log_mel = LogMel(params)
        self._past = _Past()
        self._mel = np.zeros((0, params.bands), np.float32)

    def __call__(self, window: Window) -> NDArray[np.float32]:
        """Return the patch of the amplified window, shape (params.frames(length), bands), float32.

        The gain is applied to the mel bands, so what it would push beyond full scale is not clipped.
        """
        params, samples = self.params, window.samples
        new = self._past.new(window, multiple=params.hop)
        if new != 0:
            self._mel = self._log_mel.bands(samples) if new is None else self._grown(samples, new)
        return self._log_mel.logarithm(self._mel * np.float32(window.gain**params.power))

    def _grown(self, samples: NDArray[np.float32], new: int) -> NDArray[np.float32]:
        """Move the frames by as many samples as are new, add theirs, and mend those with mirrored sound."""
        hop, mirrored = self.params.hop, self.params.mirrored_frames
        fresh = new // hop + mirrored  # at the end
        kept = len(self._mel) - fresh
        if kept <= mirrored:
            return self._log_mel.bands(samples)
        mel = np.empty_like(self._mel)
        mel[:kept] = self._mel[new // hop : new // hop + kept]
        mel[kept:] = self._log_mel.bands(samples[(kept - mirrored) * hop :])[mirrored:]
        if mirrored:
            mel[:mirrored] = self._log_mel.bands(samples[: self.params.reach(2 * mirrored)])[:mirrored]
        return mel


class GrowingHalver:
    """Gives the newest samples of windows at half their rate, as `halved` does."""

    def __init__(self, count: int) -> None:
        """`count`: samples wanted, at half the rate."""
        self._count = count
        self.needed = 2 * (count + DELAY)
        """Samples of the window that they are made of."""
        self._past = _Past()
        self._samples = np.zeros(0, np.float32)

    def __call__(self, window: Window) -> NDArray[np.float32]:
        """Return them, shape (count,), without the window's gain; not to be written to."""
        part = Window(Span(window.span.stop - self.needed, window.span.stop), window.samples[-self.needed :])
        new = self._past.new(part, multiple=2)
        if new is None:
            self._samples = halved(part.samples)
        elif new:
            fresh = halved(part.samples[-(new + 2 * DELAY) :])
            self._samples = np.concatenate((self._samples[len(fresh) :], fresh))
        return self._samples


class _Past:
    """The window before, and how much of the next one it already had."""

    def __init__(self) -> None:
        self._start = 0
        self._samples = np.zeros(0, np.float32)

    def new(self, window: Window, *, multiple: int) -> int | None:
        """How many samples at its end the window before lacked, a multiple; None where no part is known."""
        samples, start = window.samples, window.span.start
        shift = start - self._start
        kept = len(samples) - shift
        known = (
            len(samples) == len(self._samples)
            and shift >= 0
            and shift % multiple == 0
            and kept > 0
            and np.array_equal(samples[:kept], self._samples[shift:])
        )
        self._start, self._samples = start, samples
        return shift if known else None
