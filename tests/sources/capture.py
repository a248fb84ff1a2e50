"""Capture until a sound has passed: `python capture.py DEVICE RATE OUT [any word: until the device is lost]`.

Prints `listening` after the first block, `lost` and the reason when the device goes; writes the
samples to OUT as .npy. Runs in a process of its own, because a crash or a hang would be one there.
"""

import sys

import numpy as np

from detector.errors import DetectorError, DeviceLost
from detector.sources.microphone import Microphone

SILENT_BLOCKS_AFTER = 5
MOST_BLOCKS = 150


def main(device: str, rate: str, out: str, *endless: str) -> int:
    source = Microphone(device=device or None, sample_rate=int(rate), block_length=int(rate) // 10)
    parts: list[np.ndarray] = []
    heard, silent = False, 0
    try:
        for block in source.blocks():
            if not parts:
                print("listening", source.name, flush=True)
            parts.append(block.samples)
            sounding = bool(block.samples.any())
            heard, silent = heard or sounding, 0 if sounding else silent + 1
            if not endless and ((heard and silent >= SILENT_BLOCKS_AFTER) or len(parts) >= MOST_BLOCKS):
                break
    except DeviceLost as error:
        print("lost", error, flush=True)
    except DetectorError as error:
        print("error", type(error).__name__, error, flush=True)
        return 1
    finally:
        source.close()
        np.save(out, np.concatenate([np.zeros(0, np.int16), *parts]))
    return 0


sys.exit(main(*sys.argv[1:]))
