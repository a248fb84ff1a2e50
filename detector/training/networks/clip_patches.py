"""The log-mel patches of a clip, as in the daemon: frames and gains for training, windows for scores.

A window ends on a multiple of the hop since the clip began and reaches back; what lies before the clip's
first sample is silence, as in the daemon's ring. The gain in front of the classifier and the gate that
decides which windows there are are the daemon's own, as it is set by default.
Frames are kept without gain, since a random crop of them gets the gain of the moment at which it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.audio.framing import Framer
from detector.audio.gain import Gain
from detector.audio.gate import Gate, LevelDetector
from detector.audio.level import Level, LevelMeter
from detector.audio.logmel import LogMel, LogMelParams
from detector.audio.windows import GatedWindows, WindowGrid
from detector.backends.webrtc_vad import WebRtcVad
from detector.errors import SourceError
from detector.records import Block, Span
from detector.sources.recording import Recording
from detector.training.recipe import Example

FRAME_SECONDS = 0.03
"""The daemon's frames, of which it measures levels."""
HOP_SECONDS = 0.24
"""From window to window, as the daemon's default."""
PREROLL_SECONDS = 0.24
VAD_MODE = 2
"""The gate's defaults."""
FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrames:
    """A clip ready for random crops."""

    frames: NDArray[np.float16]
    """Shape (frames, bands): log-mel of the whole clip, before any gain."""
    gains_db: NDArray[np.float32]
    """Shape (frames,): the daemon's gain at each frame's end."""


class PatchMaker:
    """Turns clips into the input of a model with this front end and window."""

    def __init__(self, front_end: LogMelParams, window: int, *, level: bool) -> None:
        self.front_end = front_end
        self.window = window
        self._log_mel = LogMel(front_end)
        self._level = level
        self._hop = round(HOP_SECONDS * front_end.sample_rate)

    def read(self, example: Example) -> NDArray[np.int16]:
        """Decode the example's samples; raises SourceError."""
        rate = self.front_end.sample_rate
        samples = _decoded(example.path, rate)
        stop = None if example.stop is None else round(example.stop * rate)
        samples = samples[round(example.start * rate) : stop]
        if not len(samples):
            raise SourceError(f"{example.path}: ends before {example.start} s; expected samples from there")
        return samples

    def clip(self, samples: NDArray[np.int16]) -> ClipFrames:
        """Frames and gains of a whole clip; a clip shorter than a frame of them begins with silence."""
        params = self.front_end
        gains = self._gains(samples)
        if len(samples) < params.frame:
            samples = np.pad(samples, (params.frame - len(samples), 0))
        frames = self._log_mel(_floats(samples))
        ends = np.arange(len(frames)) * params.hop + params.frame
        return ClipFrames(frames.astype(np.float16), _at(gains, ends, self._frame).astype(np.float32))

    def windows(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """Give the patch of every window that the daemon would form, shape (windows, frames, bands)."""
        stops = self.stops(samples)
        gains = _at(self._gains(samples), np.array(stops), self._frame)
        led_in = np.concatenate((np.zeros(self.window, np.float32), _floats(samples)))
        patches = []
        for stop, gain_db in zip(stops, gains, strict=True):
            window = led_in[stop : stop + self.window] * np.float32(10 ** (gain_db / 20))
            patches.append(self._log_mel(np.clip(window, -1.0, 1.0)))
        return np.stack(patches)

    def stops(self, samples: NDArray[np.int16]) -> list[int]:
        """The ends of the windows with an open gate; a clip too short for any has one, at its end."""
        rate = self.front_end.sample_rate
        vad = WebRtcVad(sample_rate=rate, mode=VAD_MODE)
        gate = Gate(vads=[vad], level_detector=LevelDetector(), hangover=self.window)
        grid = WindowGrid(window=self.window, hop=self._hop, preroll=round(PREROLL_SECONDS * rate))
        windows = GatedWindows(gate, grid)
        spans: list[Span] = []
        for frame, level in zip(*self._levels(samples), strict=True):
            spans += windows.push(frame, level)
        return [span.stop for span in [*spans, *windows.last(len(samples))]] or [len(samples)]

    @property
    def _frame(self) -> int:
        return round(FRAME_SECONDS * self.front_end.sample_rate)

    def _gains(self, samples: NDArray[np.int16]) -> NDArray[np.float64]:
        """Follow the daemon's gain, one value for each of its frames [dB]."""
        frames, levels = self._levels(samples)
        if not self._level or not frames:
            return np.zeros(max(1, len(frames)))
        gain, gains = Gain(frame_length=self._frame, sample_rate=self.front_end.sample_rate), []
        for level in levels:
            gain.push(level)
            gains.append(gain.current())
        return np.array(gains)

    def _levels(self, samples: NDArray[np.int16]) -> tuple[list[Block], list[Level]]:
        """Cut the daemon's frames and measure them."""
        frames = Framer(frame_length=self._frame).push(Block(0, samples))
        meter = LevelMeter(sample_rate=self.front_end.sample_rate, frame_length=self._frame)
        return frames, meter.measure_all(frames)


def _at(gains: NDArray[np.float64], stops: NDArray[np.int_], frame: int) -> NDArray[np.float64]:
    """The gain of the last whole frame that ended by then."""
    return gains[np.clip(stops // frame - 1, 0, len(gains) - 1)]


def _floats(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


@lru_cache(maxsize=1)  # stretches of one long recording are asked for one after another
def _decoded(path: Path, sample_rate: int) -> NDArray[np.int16]:
    source = Recording(path=path, sample_rate=sample_rate, block_length=sample_rate)
    try:
        blocks = [block.samples for block in source.blocks()]
    finally:
        source.close()
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
