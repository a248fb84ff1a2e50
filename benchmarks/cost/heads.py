"""What heads add to a running model: the CPU time of a window with none, one and three, side by side.

The same blocks of sound go through four pipelines, gate off, in one process, in an order drawn anew for each:
everything from block to event is in it, so a head comes with its mean, its graph and its tracking. The heads
are of the default kind (square root, standardising, one dense layer, softmax) with 10 classes and random
weights; their base is the model. The peer is what one would run without them: the same networks a second time
for the head, as two daemons have. Wants the model pulled. Run: `python -m benchmarks.cost.heads`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.support.daemon_setup import DEFAULT, YAMNET, DaemonSetup
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, noise, quantised
from detector import modelstore
from detector.assemble.stages import hop_length, load_model, make_pipeline
from detector.assemble.variants import classifying_everything
from detector.config.settings import Settings
from detector.graphs.graph import Graph
from detector.graphs.tflite_file import to_tflite
from detector.pipeline import Pipeline
from detector.records import Block
from tests.support.small_heads import write_head

CLASSES = 10
NAMES = ("doorbell", "kitchen", "garden")

PLAIN, ONE, THREE, ALONE = "the model", "the model + 1 head", "the model + 3 heads", "1 head alone"
PEER = "two daemons: the model, and the head with the model's networks of its own"
TARGET_PERCENT = 5.0

ABOUT = """\
The same blocks of sound through four pipelines with the gate off, in one process (`python -m
benchmarks.cost.heads`), in an order drawn anew for each; everything from block to event is in it. The heads
are of the default kind, with 10 classes. The last row is what one would run without them: the same networks a
second time for the head.
"""


@dataclass(frozen=True, slots=True)
class Heads:
    """CPU seconds of each window, by pipeline."""

    model: str
    seconds: Mapping[str, list[float]]

    def added(self, name: str) -> float:
        """Per cent that its median costs beyond the model's."""
        return float(100 * (np.median(self.seconds[name]) / np.median(self.seconds[PLAIN]) - 1))

    def table(self) -> str:
        """A row for each."""
        rows = [[f"{self.model}, a window every 0.24 s", "CPU: median (least) [ms]", "beyond the model"]]
        for name, taken in self.seconds.items():
            cost = f"{1e3 * np.median(taken):.2f} ({1e3 * min(taken):.2f})"
            rows.append([name, cost, "" if name == PLAIN else f"{self.added(name):+.1f} %"])
        return table(rows)


def measure(seconds: int, daemon: DaemonSetup) -> Heads:
    """Push this much sound through each pipeline, with heads on this daemon's model."""
    settings = classifying_everything(daemon.settings())
    name = settings.model.name
    with tempfile.TemporaryDirectory(prefix="heads-") as folder:
        heads = _write_heads(Path(folder), name)
        models = {ONE: (name, heads[:1]), THREE: (name, heads), ALONE: (heads[0], [])}
        pipelines = {PLAIN: make_pipeline(settings, modelstore.load_classifier(name))}  # without embeddings
        for pipeline, (model, more) in models.items():
            changed = replace(settings.model, name=model, heads=tuple(more))
            pipelines[pipeline] = _pipeline(replace(settings, model=changed))
    spec = modelstore.ModelCatalogue().bundle(name).spec
    hop = hop_length(settings, spec)
    # Heads cost the same whatever they listen to, so the noise may be of another rate.
    sound = quantised(noise("pink", -30.0, seconds * spec.sample_rate / RATE))
    taken: dict[str, list[float]] = {name: [] for name in pipelines}
    rng = np.random.default_rng(0)
    for start in range(0, len(sound) - hop + 1, hop):
        block = Block(start, sound[start : start + hop])
        for pipeline in rng.permutation(list(pipelines)).tolist():
            began = process_time()
            pipelines[pipeline].push(block)
            taken[pipeline].append(process_time() - began)
    both = [one + other for one, other in zip(taken[PLAIN], taken[ALONE], strict=True)]
    return Heads(name, taken | {PEER: both})


def _pipeline(settings: Settings) -> Pipeline:
    loaded = load_model(settings, modelstore.ModelCatalogue())
    return make_pipeline(settings, loaded.classifier, loaded.heads)


def _write_heads(folder: Path, base: str) -> list[str]:
    """Heads of the default kind; returns the folders of their bundles."""
    embedder = modelstore.load_embedder(base)
    features, spec = embedder.embedding_length, embedder.spec
    embedder.close()
    paths = []
    for seed, name in enumerate(NAMES):
        rng = np.random.default_rng(seed)
        graph = Graph((features,))
        standard = graph.affine(
            graph.signed_sqrt(graph.input), rng.uniform(0.5, 2, features), rng.normal(size=features)
        )
        weights = rng.normal(0, 0.02, (CLASSES, features))
        graph.output = graph.softmax(graph.dense(standard, weights, np.zeros(CLASSES)))
        path = write_head(
            folder,
            name,
            base=base,
            labels=[f"sound {number}" for number in range(CLASSES)],
            context_seconds=3.0,
            rate=spec.sample_rate,
            window=spec.window,
            content=to_tflite(graph),
        )
        paths.append(str(path))
    return paths


def main() -> None:
    """Print the tables and whether the target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.heads", description=__doc__)
    parser.add_argument("--seconds", type=int, default=240, help="of sound (default %(default)s)")
    seconds = parser.parse_args().seconds
    for daemon in (DEFAULT, YAMNET):
        heads = measure(seconds, daemon)
        print(heads.table())
        added = heads.added(ONE)
        verdict = "met" if added < TARGET_PERCENT else "MISSED"
        print(f"one head adds {added:.1f} %, less than {TARGET_PERCENT:g} % wanted: {verdict}\n")


if __name__ == "__main__":
    main()
