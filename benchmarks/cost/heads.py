"""What heads add to a running YAMNet: the CPU time of a window with none, one and three, side by side.

The same blocks of sound go through four pipelines, gate off, in one process, in an order drawn anew for each:
everything from block to event is in it, so a head comes with its mean, its graph and its tracking. The heads
are of the default kind (square root, standardising, one dense layer, softmax) with 10 classes and random
weights. The peer is what one would run without them: a second YAMNet for the head, as two daemons have.
Wants YAMNet pulled. Run: `python -m benchmarks.cost.heads`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.support.report import table
from benchmarks.support.sounds import noise, quantised
from detector import modelstore
from detector.assemble import make_pipeline
from detector.assemble.stages import load_model
from detector.config.settings import GateSettings, ModelSettings, Settings
from detector.graphs.graph import Graph
from detector.graphs.tflite_file import to_tflite
from detector.pipeline import Pipeline
from detector.records import Block
from tests.support.small_heads import write_head

RATE = 16000
HOP = 3840
FEATURES = 1024
CLASSES = 10
NAMES = ("doorbell", "kitchen", "garden")

PLAIN, ONE, THREE, ALONE = "yamnet", "yamnet + 1 head", "yamnet + 3 heads", "1 head alone"
PEER = "two daemons: yamnet, and the head with a yamnet of its own"
TARGET_PERCENT = 5.0

ABOUT = """\
The same blocks of sound through four pipelines with the gate off, in one process (`python -m
benchmarks.cost.heads`), in an order drawn anew for each; everything from block to event is in it. The heads
are of the default kind, with 10 classes. The last row is what one would run without them: a second
YAMNet for the head.
"""


@dataclass(frozen=True, slots=True)
class Heads:
    """CPU seconds of each window, by pipeline."""

    seconds: Mapping[str, list[float]]

    def added(self, name: str) -> float:
        """Per cent that its median costs beyond YAMNet's."""
        return float(100 * (np.median(self.seconds[name]) / np.median(self.seconds[PLAIN]) - 1))

    def table(self) -> str:
        """A row for each."""
        rows = [["a window, every 0.24 s", "CPU: median (least) [ms]", "beyond yamnet"]]
        for name, taken in self.seconds.items():
            cost = f"{1e3 * np.median(taken):.2f} ({1e3 * min(taken):.2f})"
            rows.append([name, cost, "" if name == PLAIN else f"{self.added(name):+.1f} %"])
        return table(rows)


def measure(seconds: int) -> Heads:
    """Push this much sound through each pipeline."""
    with tempfile.TemporaryDirectory(prefix="heads-") as folder:
        heads = [_write(Path(folder), name, seed) for seed, name in enumerate(NAMES)]
        models = {
            PLAIN: ModelSettings("yamnet", heads=()),
            ONE: ModelSettings("yamnet", tuple(heads[:1])),
            THREE: ModelSettings("yamnet", tuple(heads)),
            ALONE: ModelSettings(heads[0], ()),
        }
        pipelines = {name: _pipeline(model, plain=name == PLAIN) for name, model in models.items()}
    sound = quantised(noise("pink", -30.0, seconds))
    taken: dict[str, list[float]] = {name: [] for name in pipelines}
    rng = np.random.default_rng(0)
    for start in range(0, len(sound) - HOP + 1, HOP):
        block = Block(start, sound[start : start + HOP])
        for name in rng.permutation(list(pipelines)).tolist():
            began = process_time()
            pipelines[name].push(block)
            taken[name].append(process_time() - began)
    both = [one + other for one, other in zip(taken[PLAIN], taken[ALONE], strict=True)]
    return Heads(taken | {PEER: both})


def _pipeline(model: ModelSettings, *, plain: bool) -> Pipeline:
    settings = Settings(model=model, gate=GateSettings(mode="off"))
    if plain:  # without even the embedding
        return make_pipeline(settings, modelstore.load_classifier(model.name))
    loaded = load_model(settings, modelstore.ModelCatalogue())
    return make_pipeline(settings, loaded.classifier, loaded.heads)


def _write(folder: Path, name: str, seed: int) -> str:
    """A head of the default kind; returns the folder of its bundle."""
    rng = np.random.default_rng(seed)
    graph = Graph((FEATURES,))
    standard = graph.affine(
        graph.signed_sqrt(graph.input), rng.uniform(0.5, 2, FEATURES), rng.normal(size=FEATURES)
    )
    weights = rng.normal(0, 0.02, (CLASSES, FEATURES))
    graph.output = graph.softmax(graph.dense(standard, weights, np.zeros(CLASSES)))
    labels = [f"sound {number}" for number in range(CLASSES)]
    return str(
        write_head(
            folder,
            name,
            base="yamnet",
            labels=labels,
            context_seconds=3.0,
            window=15600,
            content=to_tflite(graph),
        )
    )


def main() -> None:
    """Print the table and whether the target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.heads", description=__doc__)
    parser.add_argument("--seconds", type=int, default=240, help="of sound (default %(default)s)")
    heads = measure(parser.parse_args().seconds)
    print(heads.table())
    added = heads.added(ONE)
    verdict = "met" if added < TARGET_PERCENT else "MISSED"
    print(f"\none head adds {added:.1f} %, less than {TARGET_PERCENT:g} % wanted: {verdict}")


if __name__ == "__main__":
    main()
