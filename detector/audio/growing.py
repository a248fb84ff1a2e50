"""What windows that follow each other share, worked out once: log-mel frames, and samples of half the rate.

Each object remembers the newest window of each stream alone. What it gives does not depend on that: where the
samples of two windows do not agree, as after a gap or in another recording, everything is worked out anew.
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
        self._mel: dict[int, NDArray[np.float32]] = {}

    def __call__(self, window: Window) -> NDArray[np.float32]:
        """Return the patch of the amplified window, shape (params.frames(length), bands), float32.

        The gain is applied to the mel bands, so what it would push beyond full scale is not clipped.
        """
        params, samples = self.params, window.samples
        new = self._past.new(window, multiple=params.hop)
        if new is None:
            self._mel[window.stream] = self._log_mel.bands(samples)
        elif new:
            self._mel[window.stream] = self._grown(self._mel[window.stream], samples, new)
        return self._log_mel.logarithm(self._mel[window.stream] * np.float32(window.gain**params.power))

    def _grown(
        self, known: NDArray[np.float32], samples: NDArray[np.float32], new: int
    ) -> NDArray[np.float32]:
        """Move the frames by as many samples as are new, add theirs, and mend those with mirrored sound."""
        hop, mirrored = self.params.hop, self.params.mirrored_frames
        fresh = new // hop + mirrored  # at the end
        kept = len(known) - fresh
        if kept <= mirrored:
            return self._log_mel.bands(samples)
        mel = np.empty_like(known)
        mel[:kept] = known[new // hop : new // hop + kept]
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
        self._samples: dict[int, NDArray[np.float32]] = {}

    def __call__(self, window: Window) -> NDArray[np.float32]:
        """Return them, shape (count,), without the window's gain; not to be written to."""
        span = Span(window.span.stop - self.needed, window.span.stop)
        part = Window(span, window.samples[-self.needed :], stream=window.stream)
        new = self._past.new(part, multiple=2)
        if new is None:
            self._samples[window.stream] = halved(part.samples)
        elif new:
            fresh = halved(part.samples[-(new + 2 * DELAY) :])
            known = self._samples[window.stream]
            self._samples[window.stream] = np.concatenate((known[len(fresh) :], fresh))
        return self._samples[window.stream]


class _Past:
    """The window before in each stream, and how much of the next one it already had."""

    def __init__(self) -> None:
        self._windows: dict[int, Window] = {}

    def new(self, window: Window, *, multiple: int) -> int | None:
        """How many samples at its end the window before lacked, a multiple; None where no part is known."""
        before = self._windows.get(window.stream)
        self._windows[window.stream] = window
        if before is None:
            return None
        samples = window.samples
        shift = window.span.start - before.span.start
        kept = len(samples) - shift
        known = (
            len(samples) == len(before.samples)
            and shift >= 0
            and shift % multiple == 0
            and kept > 0
            and np.array_equal(samples[:kept], before.samples[shift:])
        )
        return shift if known else None
