"""A clip through the default output: PortAudio, else the first player that is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ClipError, SourceError
from detector.files.quiet_stderr import quiet_stderr
from detector.sources.portaudio import INT16, open_audio

PLAYERS = (
    ("pw-play",),
    ("paplay",),
    ("play", "-q"),
)
"""Programs that play a file and say by their status whether they did; the path follows."""

PIECE_SECONDS = 0.25


def play(path: Path) -> None:
    """Play a clip to its end; raises ClipError where it cannot be read or nothing here plays sound."""
    sound, rate = read_sound(path)
    try:
        _play_by_portaudio(sound, rate)
    except (SourceError, OSError) as error:
        if not any(_play_by(player, path) for player in PLAYERS if shutil.which(player[0])):
            names = ", ".join(player[0] for player in PLAYERS)
            raise ClipError(
                f"nothing here plays sound: no output device ({error}), and none of {names} is installed and "
                f"can play; the file is {path}"
            ) from error


def _play_by(player: Sequence[str], path: Path) -> bool:
    """Whether a program played the clip; what it says otherwise is of no use."""
    command = [*player, str(path)]
    return not subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode


def read_sound(path: Path) -> tuple[NDArray[np.int16], int]:
    """Samples int16 (n,) and rate [Hz] of a clip; raises ClipError."""
    try:
        import soundfile

        samples, rate = soundfile.read(str(path), dtype="int16", always_2d=True)
    except (ImportError, OSError, RuntimeError) as error:  # soundfile's own error is a RuntimeError
        raise ClipError(f"{path} cannot be read: {error}") from error
    return samples[:, 0], int(rate)


def _play_by_portaudio(samples: NDArray[np.int16], rate: int) -> None:
    audio: Any = open_audio()
    try:
        piece = round(PIECE_SECONDS * rate)
        with quiet_stderr():  # ALSA has its own lines about a busy machine, too
            index = audio.get_default_output_device_info()["index"]
            stream = audio.open(
                rate, 1, INT16, output=True, output_device_index=index, frames_per_buffer=piece
            )
            try:
                for start in range(0, len(samples), piece):
                    stream.write(samples[start : start + piece].tobytes())
                stream.stop_stream()  # when all of it has been heard
            finally:
                stream.close()
    finally:
        with quiet_stderr():
            audio.terminate()
