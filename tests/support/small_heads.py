"""A network that tells its embedding, and heads that listen to it, of a few weights each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.support.small_models import Network

RATE = 16000
WINDOW = 1600
"""Samples: 0.1 s."""

BASE_LABELS = ("Loud", "Dog")
"""What the network names: sound that is loud, and nothing ever."""


def ear_tflite(window: int = WINDOW) -> bytes:
    """A TFLite file: its embedding, tensor EMBEDDING, is the mean of |x| and that of the newest half."""
    network = Network()
    given, absolute = network.tensor("values", (1, window)), network.tensor("absolute", (1, window))
    network.operator("ABS", [given], [absolute])
    halves = np.ones((2, window), np.float32) / window
    halves[1] *= 2 * (np.arange(window) >= window // 2)
    embedding = _dense(network, absolute, halves, np.zeros(2, np.float32), "embedding")
    logits = _dense(
        network,
        embedding,
        np.array([[100, 0], [0, 0]], np.float32),
        np.array([-5, -20], np.float32),
        "logits",
    )
    scores = network.tensor("scores", (1, 2))
    network.operator("LOGISTIC", [logits], [scores])
    return network.packed([given], [scores])


EMBEDDING = 4
"""Number of the tensor."""


def head_tflite(weights: Sequence[Sequence[float]], bias: Sequence[float]) -> bytes:
    """A TFLite file: logistic regression from an embedding."""
    network = Network()
    rows = np.array(weights, np.float32)
    given = network.tensor("embedding", (1, rows.shape[1]))
    logits = _dense(network, given, rows, np.array(bias, np.float32), "logits")
    scores = network.tensor("scores", (1, len(rows)))
    network.operator("LOGISTIC", [logits], [scores])
    return network.packed([given], [scores])


def _dense(network: Network, given: int, weights: np.ndarray, bias: np.ndarray, name: str) -> int:
    constants = [network.tensor("weights", weights.shape, weights), network.tensor("bias", bias.shape, bias)]
    result = network.tensor(name, (1, len(weights)))
    network.operator("FULLY_CONNECTED", [given, *constants], [result], network.options("FullyConnected"))
    return result


YAML = """name: {name}
description: for tests
licence: MIT
attribution: nobody
sample_rate: {rate}
window: {window}
labels: labels.csv
threshold_on: 0.5
{more}
files:
  tflite: {{name: {name}.tflite, input: {input}, size: {size}, sha256: {sha256}{tensor}}}
"""


def write_base(models: Path, name: str = "ear", *, rate: int = RATE, window: int = WINDOW) -> Path:
    """Make the network's bundle."""
    content = ear_tflite(window)
    rows = [f"{i},/m/{label.lower()},{label},0" for i, label in enumerate(BASE_LABELS)]
    tensor = f", embedding: {EMBEDDING}"
    return _write(models / name, content, rows, input="waveform", rate=rate, window=window, tensor=tensor)


def write_head(
    models: Path,
    name: str = "doorbell",
    *,
    base: str = "ear",
    labels: Sequence[str] = ("Dog", "background"),
    weights: Sequence[Sequence[float]] = ((100, 0), (-100, 0)),
    bias: Sequence[float] = (-5, 5),
    context_seconds: float = 0.5,
    more: str = "metrics: {accuracy: 97.5}",
    rate: int = RATE,
    window: int = WINDOW,
    content: bytes | None = None,
) -> Path:
    """Make a head's bundle, of these weights unless `content` is its file.

    Unless others are given its labels are "Dog", heard when it is loud, and a background.
    """
    rows = [f"{i},{name}/{label},{label},{int(label == 'background')}" for i, label in enumerate(labels)]
    more = f"head: {{base: {base}, context_seconds: {context_seconds}}}\n{more}"
    content = content or head_tflite(weights, bias)
    return _write(models / name, content, rows, input="embedding", rate=rate, window=window, more=more)


def _write(
    folder: Path,
    content: bytes,
    rows: Sequence[str],
    *,
    input: str,
    rate: int,
    window: int,
    more: str = "",
    tensor: str = "",
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = YAML.format(
        name=folder.name,
        rate=rate,
        window=window,
        more=more,
        input=input,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        tensor=tensor,
    )
    (folder / f"{folder.name}.tflite").write_bytes(content)
    (folder / "labels.csv").write_text("index,mid,display_name,background\n" + "\n".join(rows) + "\n")
    (folder / "model.yaml").write_text(text)
    return folder
