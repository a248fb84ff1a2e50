"""PortAudio through PyAudio, opened without its noise.

Its set-up must not be entered by two threads at once: who opens or closes a device holds `SETUP`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Mapping
from typing import Protocol

from detector.errors import SourceError
from detector.files.quiet_stderr import quiet_stderr

INT16 = 8
"""PortAudio's paInt16, kept here so that a stand-in for PyAudio needs no PyAudio."""


SETUP = threading.RLock()
"""PortAudio may be read by several threads, but opened and closed by one at a time."""


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
        wanted = "apt install portaudio19-dev, then pip install PyAudio"
        if "libportaudio" in str(error):
            wanted = "apt install libportaudio2"
        raise SourceError(f"a microphone needs PyAudio ({error}): {wanted}") from error
    with quiet_stderr():
        if sys.platform == "linux" and not _alsa_has_devices():
            raise SourceError(
                "ALSA has no configuration that can be read, and so no microphone: expected "
                f"{os.environ.get('ALSA_CONFIG_PATH') or '/usr/share/alsa/alsa.conf'} "
                "(apt install libasound2-data), or ALSA_CONFIG_PATH with the path of another"
            )
        try:
            audio: Audio = pyaudio.PyAudio()
        except OSError as error:
            raise SourceError(f"PortAudio does not start: {error}; is a sound system installed?") from error
    return audio


def _alsa_has_devices() -> bool:
    """Whether ALSA's configuration defines any device: without one PortAudio ends the whole process.

    PortAudio reads the same configuration a moment later, which ALSA keeps. True where ALSA cannot be asked.
    """
    try:
        alsa = ctypes.CDLL("libasound.so.2")
        if alsa.snd_config_update() < 0:
            return False
        top, found = ctypes.c_void_p.in_dll(alsa, "snd_config"), ctypes.c_void_p()
        return int(alsa.snd_config_search(top, b"pcm", ctypes.byref(found))) >= 0
    except (OSError, AttributeError, ValueError):
        return True
