"""PortAudio through PyAudio, opened without its noise.

PortAudio's set-up lets ALSA and JACK write 80-100 lines straight to file descriptor 2, where no
Python setting reaches them; the descriptor is pointed at /dev/null for just that call. Other
threads' standard error is lost for that moment, and two threads must not do it at once: neither may
they enter PortAudio's set-up at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from detector.errors import SourceError

INT16 = 8
"""PortAudio's paInt16, kept here so that a stand-in for PyAudio needs no PyAudio."""


class AudioStream(Protocol):
    """What is used of pyaudio.Stream."""

    def read(self, num_frames: int, exception_on_overflow: bool = True) -> bytes:
        """Wait for that many frames; raises OSError when the device is gone."""

    def close(self) -> None:
        """Stop and release."""


class Audio(Protocol):
    """What is used of pyaudio.PyAudio."""

    def get_device_count(self) -> int:
        """How many devices, capture or not."""

    def get_device_info_by_index(self, device_index: int) -> Mapping[str, object]:
        """Raises OSError where there is none: ask before every open, a bad index crashes the process."""

    def get_default_input_device_info(self) -> Mapping[str, object]:
        """Raises OSError where there is none."""

    def get_host_api_info_by_index(self, host_api_index: int) -> Mapping[str, object]:
        """ALSA, Core Audio, MME, ..."""

    def is_format_supported(
        self, rate: float, *, input_device: int, input_channels: int, input_format: int
    ) -> bool:
        """True, or raises ValueError."""

    def open(
        self,
        rate: int,
        channels: int,
        format: int,
        *,
        input: bool,
        input_device_index: int,
        frames_per_buffer: int,
    ) -> AudioStream:
        """Open and start a capture stream; raises OSError."""

    def terminate(self) -> None:
        """Release PortAudio."""


def open_audio() -> Audio:
    """Start PortAudio with a fresh view of the devices; the caller terminates it."""
    try:
        import pyaudio
    except ImportError as error:
        raise SourceError(
            f"a microphone needs PyAudio ({error}): apt install portaudio19-dev, then pip install PyAudio"
        ) from error
    with quiet_stderr():
        audio: Audio = pyaudio.PyAudio()
    return audio


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Point file descriptor 2 at /dev/null inside the block; nothing happens where it is closed."""
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
