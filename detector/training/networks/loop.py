"""The training loop: AdamW, a rate that rises and falls once, early stopping, checkpoints.

The same seed gives the same weights on one machine's CPU. The weights kept are the last epoch's, not those
that did best on the clips held out: choosing by these would flatter the figures on them.
Sources: AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101); the one-cycle rate (Smith and Topin, 2018,
arXiv:1708.07120), here with a cosine's fall.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.training.networks.architecture import Module, Tensor
from detector.training.networks.batches import Batches, Patches, Targets
from detector.training.networks.checkpoint import Checkpoint
from detector.training.networks.environment import device, memory_errors, tensorboard_writer
from detector.workers.progress import Progress

_Foreign: TypeAlias = Any
"""Objects of PyTorch's, which is not followed by the type checker."""

WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
PATIENCE = 0.5
"""Share of the epochs without a lower validation loss after which training stops.

Less is too little: while the rate is high the loss wavers, and falls again when the rate does.
"""
LARGEST_GRADIENT = 5.0
EVALUATION_BATCH = 64


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How to train."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    multilabel: bool
    seed: int
    tensorboard: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPatches:
    """Patches of the examples that are held out, and which example each is of."""

    patches: Patches
    targets: Targets
    """Shape (examples, classes)."""
    owners: NDArray[np.int_]
    """Shape (patches,)."""


@dataclass(slots=True)
class Loop:
    """Trains a module in place; `weights` (classes,): how much an example of each class counts."""

    module: Module
    settings: LoopSettings
    weights: NDArray[np.float32]
    history: list[dict[str, float]] = field(default_factory=list)
    """One row for each epoch."""
    _best_loss: float = math.inf
    _best_epoch: int = 0

    def run(
        self, batches: Batches, held: HeldOutPatches | None, checkpoint: Checkpoint | None, progress: Progress
    ) -> None:
        """Train to the end, or until the held-out loss falls no more; goes on from a checkpoint."""
        import torch

        settings, chip = self.settings, device()
        self.module.to(chip)
        optimizer = torch.optim.AdamW(_groups(self.module, settings.weight_decay), lr=settings.learning_rate)
        if checkpoint is not None and (state := checkpoint.load()) is not None:
            self._restore(state, optimizer)
        with tensorboard_writer(settings.tensorboard) as tell, memory_errors(settings.batch):
            while len(self.history) < settings.epochs and not self._is_stale():
                row = self._epoch(batches, held, optimizer, chip, progress)
                self.history.append(row)
                tell(row)
                if held is not None and row["validation_loss"] < self._best_loss:
                    self._best_loss, self._best_epoch = row["validation_loss"], len(self.history)
                if checkpoint is not None:
                    checkpoint.save(self._state(optimizer))
        self.module.to("cpu").eval()

    def _epoch(
        self,
        batches: Batches,
        held: HeldOutPatches | None,
        optimizer: _Foreign,
        chip: _Foreign,
        progress: Progress,
    ) -> dict[str, float]:
        import torch

        settings, done = self.settings, len(self.history)
        torch.manual_seed(settings.seed * 10_007 + done)
        self.module.train()
        losses = []
        for number, (patches, targets) in enumerate(
            batches.epoch(np.random.default_rng([settings.seed, done]))
        ):
            share = (done + number / len(batches)) / settings.epochs
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * one_cycle(share)
            logits = self.module(torch.from_numpy(patches).unsqueeze(1).to(chip))
            loss = self._loss(logits, torch.from_numpy(targets).to(chip), settings.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.module.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            losses.append(float(loss.detach()))
        row = {"epoch": float(done + 1), "loss": float(np.mean(losses))}
        if held is not None:
            row |= self._validate(held)
        note = " ".join(f"{name} {value:.3f}" for name, value in row.items() if name != "epoch")
        progress("training", done + 1, settings.epochs, note)
        return row

    def _loss(self, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Cross entropy, weighted by class; every row of softmax counts as much as its classes do."""
        import torch
        from torch.nn import functional

        weights = torch.from_numpy(self.weights).to(logits.device)
        if self.settings.multilabel:
            smoothed = targets * (1 - smoothing) + smoothing / 2
            each = functional.binary_cross_entropy_with_logits(logits, smoothed, reduction="none")
            importance = 1 + targets * (weights - 1)
            return (each * importance).sum() / importance.sum()
        smoothed = targets * (1 - smoothing) + smoothing / targets.shape[1]
        importance = (targets * weights).sum(1)
        each = -(smoothed * functional.log_softmax(logits, 1)).sum(1)
        return (each * importance).sum() / importance.sum().clamp(min=1e-9)

    def _validate(self, held: HeldOutPatches) -> dict[str, float]:
        import torch

        logits = torch.from_numpy(forward(self.module, held.patches))
        targets = held.targets
        loss = self._loss(logits, torch.from_numpy(targets[held.owners]), 0.0)
        activate = torch.sigmoid if self.settings.multilabel else lambda given: torch.softmax(given, 1)
        scores = np.zeros(targets.shape)
        np.add.at(scores, held.owners, activate(logits).numpy())
        scores /= np.bincount(held.owners, minlength=len(targets))[:, np.newaxis]
        if self.settings.multilabel:
            accuracy = np.mean((scores >= 0.5) == (targets >= 0.5))
        else:
            accuracy = np.mean(scores.argmax(axis=1) == targets.argmax(axis=1))
        return {"validation_loss": float(loss), "validation_accuracy": float(accuracy)}

    def _is_stale(self) -> bool:
        patience = max(5, round(PATIENCE * self.settings.epochs))
        return self._best_epoch > 0 and len(self.history) - self._best_epoch >= patience

    def _state(self, optimizer: _Foreign) -> dict[str, _Foreign]:
        return {
            "module": self.module.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": self.history,
            "best_loss": self._best_loss,
            "best_epoch": self._best_epoch,
        }

    def _restore(self, state: Mapping[str, _Foreign], optimizer: _Foreign) -> None:
        self.module.load_state_dict(state["module"])
        optimizer.load_state_dict(state["optimizer"])
        self.history[:] = state["history"]
        self._best_loss, self._best_epoch = state["best_loss"], state["best_epoch"]


def one_cycle(share: float) -> float:
    """Give the learning rate after this share of the steps, 0..1 of the highest."""
    if share < WARM_UP:
        return 0.05 + 0.95 * share / WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP))


def forward(module: Module, patches: Patches) -> NDArray[np.float32]:
    """Compute log-odds (n, classes) without learning, wherever the module is."""
    import torch

    chip = next(module.parameters()).device
    module.eval()
    with torch.no_grad():
        parts = [
            module(torch.from_numpy(patches[start : start + EVALUATION_BATCH]).unsqueeze(1).to(chip))
            for start in range(0, len(patches), EVALUATION_BATCH)
        ]
    logits: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
    return logits


def _groups(module: Module, decay: float) -> Sequence[Mapping[str, _Foreign]]:
    """Weights decay; biases and the norms' scales do not."""
    learned = [each for each in module.parameters() if each.requires_grad]
    return [
        {"params": [each for each in learned if each.ndim > 1], "weight_decay": decay},
        {"params": [each for each in learned if each.ndim <= 1], "weight_decay": 0.0},
    ]
