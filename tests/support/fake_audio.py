"""A stand-in for PyAudio: the devices and the reads that a test scripts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class FakeAudio:
    """Devices as (name, input channels, default rate); `forms` are the (rate, channels) that can be opened.

    `script` holds what each read does, in order: seconds it takes on `clock`, or an OSError to raise.
    The samples are a ramp that counts frames. Like the real one it must be asked about an index
    before it is opened.
    """

    def __init__(self, devices, *, default=0, forms=((16000, 1),), claims=None, script=(), clock=None):
        self.devices = devices
        self.default = default
        self.forms = forms
        self.claims = forms if claims is None else claims
        self.script = list(script)
        self.clock = clock
        self.asked: set[int] = set()
        self.opened: list[tuple[int, int, int]] = []
        self.closed = self.terminated = 0

    def factory(self) -> Callable[[], FakeAudio]:
        return lambda: self

    def get_device_count(self):
        return len(self.devices)

    def get_default_input_device_info(self):
        if self.default is None:
            raise OSError("No Default Input Device Available")
        return self.get_device_info_by_index(self.default)

    def get_device_info_by_index(self, index):
        if not 0 <= index < len(self.devices):
            raise OSError(-9996, "Invalid device")
        self.asked.add(index)
        name, channels, rate = self.devices[index]
        return {
            "index": index,
            "name": name,
            "maxInputChannels": channels,
            "defaultSampleRate": float(rate),
            "hostApi": 0,
        }

    def get_host_api_info_by_index(self, index):
        return {"name": "ALSA"}

    def is_format_supported(self, rate, *, input_device, input_channels, input_format):
        if (rate, input_channels) not in self.claims:
            raise ValueError("Invalid sample rate", -9997)
        return True

    def open(self, rate, channels, format, *, input, input_device_index, frames_per_buffer):
        assert input_device_index in self.asked, "the real PortAudio crashes on a bad index"
        assert input
        if (rate, channels) not in self.forms:
            raise OSError(-9985, "Device unavailable")
        self.opened.append((input_device_index, rate, channels))
        return FakeStream(self, channels)

    def terminate(self):
        self.terminated += 1


class FakeStream:
    def __init__(self, audio, channels):
        self.audio, self.channels, self.frames = audio, channels, 0

    def read(self, num_frames, exception_on_overflow=True):
        assert not exception_on_overflow, "the real one closes the stream when it reports an overflow"
        step = self.audio.script.pop(0)
        if isinstance(step, OSError):
            raise step
        if self.audio.clock is not None:
            self.audio.clock.now += step
        ramp = (np.arange(self.frames, self.frames + num_frames) % 30000).astype(np.int16)
        self.frames += num_frames
        return np.repeat(ramp, self.channels).tobytes()

    def close(self):
        self.audio.closed += 1
