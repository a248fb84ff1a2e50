"""The MLP head: one to three hidden layers, cross entropy, AdaGrad or Adam; numpy alone, a seed decides.

scikit-learn's MLPClassifier has no AdaGrad and takes no weights of examples.
Sources: J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods", JMLR 12 (2011); D. Kingma, J. Ba,
"Adam", arXiv:1412.6980.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.training.layers import Layer, standardising

Optimizer = Literal["adagrad", "adam"]
OPTIMIZERS: tuple[Optimizer, ...] = ("adam", "adagrad")

RATES = {"adagrad": 0.01, "adam": 0.001}
"""Learning rates that the sources propose."""
DROPOUT = 0.3
PENALTY = 1e-3
"""Of the squared weights, relative to the mean loss."""
PATIENCE = 15
"""Epochs without a better validation loss after which it stops."""
EPOCHS = 60

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PerceptronPlan:
    """How to train."""

    hidden: tuple[int, ...] = (256, 128)
    optimizer: Optimizer = "adam"
    epochs: int = EPOCHS
    batch: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """Rooted means of embeddings, what sounds in each, and how much each counts."""

    values: Numbers
    """Shape (n, features)."""
    targets: Numbers
    """Shape (n, classes)."""
    weights: Numbers
    """Shape (n,)."""


def fit_perceptron(
    train: TrainingRows,
    validation: TrainingRows,
    plan: PerceptronPlan,
    *,
    multilabel: bool,
    report: Callable[[int, int, str], None],
) -> tuple[Sequence[Layer], list[dict[str, float]]]:
    """Layers, and a row of figures for each epoch; with a validation the best epoch's layers are kept.

    `report` is called after each epoch with its number, the number of epochs and the loss.
    """
    random = np.random.default_rng(plan.seed)
    scale, shift = standardising(train.values, train.weights)
    inputs, held = train.values * scale + shift, validation.values * scale + shift
    sizes = [inputs.shape[1], *plan.hidden, train.targets.shape[1]]
    parameters: list[Numbers] = []
    for size, after in pairwise(sizes):
        parameters.append((random.standard_normal((after, size)) * np.sqrt(2 / size)).astype(np.float32))
        parameters.append(np.zeros(after, np.float32))
    step = _adagrad(parameters) if plan.optimizer == "adagrad" else _adam(parameters)
    weights = train.weights / train.weights.mean()
    history: list[dict[str, float]] = []
    best, kept = np.inf, [p.copy() for p in parameters]
    for epoch in range(1, plan.epochs + 1):
        order = random.permutation(len(inputs))
        losses = []
        for first in range(0, len(order), plan.batch):
            own = order[first : first + plan.batch]
            loss, slopes = _slopes(
                parameters, inputs[own], train.targets[own], weights[own], random, multilabel=multilabel
            )
            step(slopes)
            losses.append(loss)
        row = {"epoch": float(epoch), "loss": float(np.mean(losses))}
        if len(held):
            row |= _validated(parameters, held, validation, multilabel=multilabel)
            if row["validation_loss"] < best:
                best, kept = row["validation_loss"], [p.copy() for p in parameters]
        history.append(row)
        report(epoch, plan.epochs, f"loss {row.get('validation_loss', row['loss']):.3f}")
        if len(held) and epoch - _best_epoch(history) >= PATIENCE:
            break
    if not len(held):
        kept = parameters
    layers = [Layer(w, b) for w, b in zip(kept[::2], kept[1::2], strict=True)]
    layers[0] = Layer(layers[0].weights * scale, layers[0].bias + layers[0].weights @ shift)
    return layers, history


def _best_epoch(history: Sequence[dict[str, float]]) -> float:
    return min(history, key=lambda row: row["validation_loss"])["epoch"]


def _forward(parameters: Sequence[Numbers], values: Numbers) -> Numbers:
    for place in range(0, len(parameters), 2):
        values = np.maximum(values, 0) if place else values
        values = values @ parameters[place].T + parameters[place + 1]
    return values


def _slopes(
    parameters: Sequence[Numbers],
    values: Numbers,
    targets: Numbers,
    weights: Numbers,
    random: np.random.Generator,
    *,
    multilabel: bool,
) -> tuple[float, list[Numbers]]:
    """The loss of a batch, and its derivative by each parameter."""
    passed, masks = [values], []
    for place in range(0, len(parameters) - 2, 2):
        values = values @ parameters[place].T + parameters[place + 1]
        passes = (values > 0) & (random.random(values.shape, np.float32) >= DROPOUT)
        mask = passes.astype(np.float32) / np.float32(1 - DROPOUT)
        values = values * mask
        masks.append(mask)
        passed.append(values)
    logits = values @ parameters[-2].T + parameters[-1]
    loss, error = _loss(logits, targets, weights, multilabel=multilabel)
    slopes: list[Numbers] = []
    for place in range(len(parameters) - 2, -1, -2):
        slopes = [error.T @ passed[place // 2] + 2 * PENALTY * parameters[place], error.sum(axis=0), *slopes]
        if place:
            error = (error @ parameters[place]) * masks[place // 2 - 1]
    return loss, slopes


def _loss(logits: Numbers, targets: Numbers, weights: Numbers, *, multilabel: bool) -> tuple[float, Numbers]:
    """Mean cross entropy, and its derivative by each log-odds."""
    if multilabel:
        scores = 1 / (1 + np.exp(-logits))
        each = (np.logaddexp(0, logits) - targets * logits).sum(axis=1)
    else:
        shifted = logits - logits.max(axis=1, keepdims=True)
        scores = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        each = -(targets * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))).sum(axis=1)
    error = ((scores - targets) * weights[:, None] / len(logits)).astype(np.float32)
    return float((each * weights).mean()), error


def _validated(
    parameters: Sequence[Numbers], values: Numbers, rows: TrainingRows, *, multilabel: bool
) -> dict[str, float]:
    logits = _forward(parameters, values)
    loss, _ = _loss(logits, rows.targets, rows.weights / rows.weights.mean(), multilabel=multilabel)
    right = ((logits > 0) == (rows.targets > 0)).mean(axis=1) if multilabel else _same(logits, rows.targets)
    return {
        "validation_loss": loss,
        "validation_accuracy": float(np.average(right, weights=rows.weights)),
    }


def _same(logits: Numbers, targets: Numbers) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = logits.argmax(axis=1) == targets.argmax(axis=1)
    return same


def _adagrad(parameters: Sequence[Numbers]) -> Callable[[Sequence[Numbers]], None]:
    sums = [np.zeros_like(p) for p in parameters]

    def step(slopes: Sequence[Numbers]) -> None:
        for parameter, total, slope in zip(parameters, sums, slopes, strict=True):
            total += np.square(slope)
            parameter -= RATES["adagrad"] * slope / (np.sqrt(total) + 1e-7)

    return step


def _adam(parameters: Sequence[Numbers]) -> Callable[[Sequence[Numbers]], None]:
    means, squares = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    steps = 0

    def step(slopes: Sequence[Numbers]) -> None:
        nonlocal steps
        steps += 1
        for parameter, mean, square, slope in zip(parameters, means, squares, slopes, strict=True):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (np.square(slope) - square)
            unbiased = np.sqrt(square / (1 - 0.999**steps)) + 1e-8
            parameter -= RATES["adam"] * (mean / (1 - 0.9**steps)) / unbiased

    return step
