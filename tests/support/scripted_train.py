"""Teaching on the page without learning: `train` is a small program that prints what the real one prints."""

from __future__ import annotations

import io
import json
import math
import sys
import wave
from array import array

from detector.web.desk.child_commands import Commands, Finished
from detector.web.desk.training_job import MODEL
from tests.support.page_desks import CommandsHere

RATE = 8000
FACTS = {
    "name": MODEL,
    "classes": {"Bell": {"clips": 3, "threshold": 0.5, "recall": 0.4, "precision": 1.0}},
    "clips": 6,
    "notes": ["few clips: Bell 3"],
    "scenes": {"sounds": 36, "found": 0.75, "wrong_per_hour": 2.0, "latency": 0.9},
    "unknown_as_known": 0.02,
    "accuracy": 1.0,
}
PROGRAM = """
import json, os, sys, time
print(json.dumps({"step": "embedding", "done": 3, "total": 9}), flush=True)
if MODE == "waits":
    time.sleep(60)
if MODE == "fails":
    print("sound-detector: one clip is too few", file=sys.stderr)
    sys.exit(1)
out = sys.argv[sys.argv.index("--out") + 1]
os.makedirs(out)
open(os.path.join(out, "model.yaml"), "w").write("name: my-sounds")
print(json.dumps({"result": json.loads(FACTS)}))
"""


class ScriptedTrain(CommandsHere):
    """`train` is a small program; `analyze` says what it was told to."""

    def __init__(self, folder, mode="works"):
        super().__init__()
        program = folder / "train.py"
        program.write_text(f"MODE = {mode!r}\nFACTS = {json.dumps(FACTS)!r}\n{PROGRAM}")
        self.start = Commands((sys.executable, "-S", str(program))).start
        self.heard = []

    async def run(self, *arguments, seconds=60.0):
        if arguments[0] != "analyze":
            return await super().run(*arguments, seconds=seconds)
        self.run_before.append(arguments)
        low = "--threshold" in arguments
        lines = [
            json.dumps(
                {
                    "type": "end",
                    "label": label,
                    "top_score": score,
                    "start_time": "1970-01-01T00:00:00.500Z",
                    "end_time": "1970-01-01T00:00:02.000Z",
                }
            )
            for label, score in self.heard
            if low or score >= 0.5
        ]
        return Finished(0, "\n".join(lines), "")


def sound(seconds=1.0, loud=8000, rate=RATE):
    """A room with a tone in its middle third."""
    count = round(seconds * rate)
    return array(
        "h",
        (round((loud if count // 3 < n < 2 * count // 3 else 20) * math.sin(0.7 * n)) for n in range(count)),
    )


def wav(samples, rate=RATE, channels=1, width=2):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(samples if isinstance(samples, bytes) else samples.tobytes())
    return file.getvalue()
