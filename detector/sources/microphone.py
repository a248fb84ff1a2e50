"""A microphone as a source: PyAudio with blocking reads.

Blocking reads, not the callback: with the interpreter held for 1.5 s they lose nothing, and a
device that vanishes raises an error instead of falling silent. Everything here, close included,
is called by the one thread that reads: closing a stream from another can abort the process.

`blocks()` may be called again after DeviceLost: numbers go on where they were, plus the time away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import DeviceLost, DeviceNotFound
from detector.files.quiet_stderr import quiet_stderr
from detector.records import Block, Original
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter
from detector.sources.device_list import Device, capture_devices, choose, takes
from detector.sources.lateness import Lateness
from detector.sources.portaudio import INT16, SETUP, Audio, AudioStream, open_audio

log = logging.getLogger(__name__)

BUFFER_SECONDS = 0.1
"""At least this much in each of PortAudio's three buffers: the slack while the reader is held up."""


class Microphone:
    """Capture from one device, at the wanted rate where it can, else converted."""

    def __init__(
        self,
        *,
        device: int | str | None,
        sample_rate: int,
        block_length: int,
        name: str | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        audio_factory: Callable[[], Audio] = open_audio,
    ) -> None:
        self._device = device
        self._sample_rate = sample_rate
        self._block_length = block_length
        self._name = name
        self._clock = clock
        self._monotonic = monotonic
        self._audio_factory = audio_factory
        self._audio: Audio | None = None
        self._stream: AudioStream | None = None
        self._opened_name: str | None = None
        self._next = 0
        self._last_read: float | None = None

    @property
    def name(self) -> str:
        """The given name, else the opened device's, else what was asked for."""
        if self._name is not None:
            return self._name
        if self._opened_name is not None:
            return self._opened_name
        return "default microphone" if self._device is None else str(self._device)

    @property
    def live(self) -> bool:
        """True."""
        return True

    @property
    def immediate(self) -> bool:
        """False: sound takes its time."""
        return False

    def blocks(self) -> Iterator[Block]:
        """Open the device and yield blocks for ever; raises DeviceNotFound or DeviceLost."""
        try:
            with SETUP:
                stream, rate, channels = self._open()
            yield from self._read(stream, rate, channels)
        finally:
            self.close()

    def close(self) -> None:
        """Release the device; only the thread that reads may call it."""
        stream, self._stream = self._stream, None
        audio, self._audio = self._audio, None
        with SETUP, quiet_stderr():  # PortAudio reports a device that is gone by its own lines
            if stream is not None:
                stream.close()
            if audio is not None:
                audio.terminate()

    def _open(self) -> tuple[AudioStream, int, int]:
        """Open the first form that the device really takes; return stream, rate [Hz] and channels."""
        self.close()
        self._audio = audio = self._audio_factory()
        devices = capture_devices(audio)
        device = choose(devices, self._wanted(devices))
        self._opened_name = device.name
        reason = "it supports none of the formats tried"
        for rate, channels in self._forms(device):
            if not takes(audio, device.index, rate, channels):
                continue
            try:
                with quiet_stderr():
                    self._stream = audio.open(
                        rate,
                        channels,
                        INT16,
                        input=True,
                        input_device_index=device.index,
                        frames_per_buffer=max(self._frames(rate), round(BUFFER_SECONDS * rate)),
                    )
            except OSError as error:
                reason = str(error.strerror or error)
                continue
            log.info(
                "source.opened source=%s device=%d rate=%d channels=%d",
                self.name,
                device.index,
                rate,
                channels,
            )
            return self._stream, rate, channels
        raise DeviceNotFound(
            f"capture device {device.index} {device.name!r} cannot be opened at {self._sample_rate} or "
            f"{device.default_rate} Hz ({reason}); it may be unplugged, or held by another program"
        )

    def _wanted(self, devices: Sequence[Device]) -> int | str | None:
        """What was asked for; after a loss, an index means the device it meant before, by its name."""
        known = self._opened_name
        if isinstance(self._device, int) and sum(device.name == known for device in devices) == 1:
            return known
        return self._device

    def _forms(self, device: Device) -> list[tuple[int, int]]:
        """Rates and channel counts to try: the cheapest first, each once."""
        counts = [count for count in (1, 2, device.channels) if count <= device.channels]
        rates = (self._sample_rate, device.default_rate)
        return list(dict.fromkeys((rate, count) for rate in rates for count in counts))

    def _frames(self, rate: int) -> int:
        """Device frames that make one block."""
        return max(1, round(self._block_length * rate / self._sample_rate))

    def _read(self, stream: AudioStream, rate: int, channels: int) -> Iterator[Block]:
        frames = self._frames(rate)
        converter = Converter(input_rate=rate, output_rate=self._sample_rate, channels=channels)
        lateness = Lateness(rate=rate)
        fault = ""
        samples = self._samples(stream, frames, channels)
        cutter = Cutter(
            block_length=self._block_length,
            sample_rate=self._sample_rate,
            start=self._resume(len(samples) / rate),
        )
        while True:
            now, captured = self._monotonic(), self._clock()
            lost = lateness.lost(now, len(samples))
            if lost:
                log.warning("source.samples_lost source=%s seconds=%.3f", self.name, lost / rate)
                yield from cutter.push(converter.flush(), captured - (lost + len(samples)) / rate)
                yield from cutter.skip(round(lost * self._sample_rate / rate))
            at = cutter.next + round(converter.held_seconds * self._sample_rate)
            converted = converter.push(samples)
            recorded = converter.recorded
            original = None if recorded is None else Original(at, recorded, rate)
            blocks = cutter.push(converted, captured - converter.held_seconds, original)
            self._next, self._last_read = cutter.next, now
            if converter.channel_fault != fault:
                fault = converter.channel_fault
                log.warning("source.channels source=%s: %s", self.name, fault)
            yield from blocks
            try:
                samples = self._samples(stream, frames, channels)
            except DeviceLost:
                yield from cutter.push(converter.flush(), captured)
                yield from cutter.flush()
                self._next = cutter.next
                raise

    def _resume(self, read_seconds: float) -> int:
        """Index of the first sample just read: after the last one, plus the time without a device."""
        if self._last_read is None:
            return self._next
        away = self._monotonic() - self._last_read - read_seconds
        return self._next + max(0, round(away * self._sample_rate))

    def _samples(self, stream: AudioStream, frames: int, channels: int) -> NDArray[np.int16]:
        """Wait for the next frames; int16 (frames, channels)."""
        try:
            data = stream.read(frames, exception_on_overflow=False)
        except OSError as error:
            raise DeviceLost(
                f"the microphone {self.name!r} stopped delivering ({error.strerror or error}); "
                "check its cable and the sound server"
            ) from error
        return np.frombuffer(data, dtype=np.int16).reshape(-1, channels)
