"""The bare loop that costs are compared with: sound in, the model's best label out, and nothing else.

    python -m benchmarks.cost.bareloop [--model MODEL.tflite] [--hop SAMPLES] [RECORDING]

Reads a 16 kHz mono recording at full speed, or without one the capture device 1 until it is ended. Without
--model it only reads. Says `opened` when the sound is open and `ready` after the first answer, or first read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Interpreter: TypeAlias = Any
"""The runtime's class, which has no type information."""

RATE = 16000
WINDOW = 15600
"""YAMNet's window [samples]."""
DEVICE = 1
MICROPHONE_BUFFER = 1600
"""PortAudio's frames per buffer, and what one read takes."""


def main() -> None:
    """Run until the sound ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.bareloop", description=__doc__)
    parser.add_argument("recording", nargs="?")
    parser.add_argument("--model")
    parser.add_argument("--hop", type=int, default=3840)
    arguments = parser.parse_args()
    interpreter = _interpreter(arguments.model) if arguments.model else None
    blocks = _recording(arguments.recording, arguments.hop) if arguments.recording else _microphone()
    buffer = np.zeros(WINDOW, np.float32)
    fresh = 0
    answered = False
    for block in blocks:
        buffer = np.concatenate((buffer[len(block) :], block))
        fresh += len(block)
        if interpreter is not None:
            if fresh < arguments.hop:
                continue
            fresh -= arguments.hop
            _best(interpreter, buffer)
        if not answered:
            print("ready", flush=True)
            answered = True


def _interpreter(path: str) -> Interpreter:
    from ai_edge_litert import interpreter as litert

    interpreter = litert.Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _best(interpreter: Interpreter, window: NDArray[np.float32]) -> int:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
    interpreter.invoke()
    return int(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).argmax())


def _recording(path: str, hop: int) -> Iterator[NDArray[np.float32]]:
    import soundfile

    with soundfile.SoundFile(path) as file:
        print("opened", flush=True)
        while len(block := file.read(hop, dtype="float32")):
            yield block


def _microphone() -> Iterator[NDArray[np.float32]]:
    import pyaudio

    stream = pyaudio.PyAudio().open(
        rate=RATE,
        channels=1,
        format=pyaudio.paInt16,
        input=True,
        input_device_index=DEVICE,
        frames_per_buffer=MICROPHONE_BUFFER,
    )
    print("opened", flush=True)
    while True:
        data = stream.read(MICROPHONE_BUFFER, exception_on_overflow=False)
        yield np.frombuffer(data, np.int16).astype(np.float32) / np.float32(32768)


if __name__ == "__main__":
    main()
