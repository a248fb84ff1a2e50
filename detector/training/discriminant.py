"""The linear discriminant: each taught class against everything that is not to be detected.

Of ten clips little more than their mean is known, of other sounds much more. So only the others give the
covariance, shrunk towards a sphere, and each class gives its mean. Solved in closed form, without chance.
Source: R. A. Fisher (1936); shrinking as in O. Ledoit, M. Wolf (2004), by a fixed share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 0.5
"""Share of the sphere in the covariance."""
SLOPE = 2.0
"""How much log-odds a level counts for."""
NEVER = -20.0
"""The level of a window in which another class is higher."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and mean product of rows."""

    mean: NDArray[np.float64]
    """Shape (features,)."""
    product: NDArray[np.float64]
    """Shape (features, features): mean of each row's products with itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Discriminant:
    """Levels of a row: 0 is half-way from the others to the class, 1 a standard deviation of the others."""

    weights: NDArray[np.float32]
    """Shape (classes, features)."""
    bias: NDArray[np.float32]
    """Shape (classes,)."""

    def levels(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shape (rows, classes)."""
        levels: NDArray[np.float32] = rows @ self.weights.T + self.bias
        return levels


def moments(rows: NDArray[np.float32]) -> Moments:
    """Of rows (n, features), n > 0."""
    return Moments(rows.mean(axis=0, dtype=np.float64), (rows.T @ rows).astype(np.float64) / len(rows))


def fit_discriminant(
    class_means: NDArray[np.float64], others: Sequence[Moments], weights: Sequence[float]
) -> Discriminant:
    """Fit to `class_means` (classes, features) and groups of other sounds, each with its weight."""
    shares = np.array(weights) / np.sum(weights)
    mean = np.sum([share * group.mean for share, group in zip(shares, others, strict=True)], axis=0)
    product = np.sum([share * group.product for share, group in zip(shares, others, strict=True)], axis=0)
    covariance = shrunk(product - np.outer(mean, mean))
    apart = class_means - mean
    directions = np.linalg.solve(covariance, apart.T).T
    distances = np.sqrt(np.maximum(np.sum(directions * apart, axis=1), 1e-12))
    middles = np.sum(directions * (class_means + mean), axis=1) / 2
    return Discriminant(
        (directions / distances[:, None]).astype(np.float32), (-middles / distances).astype(np.float32)
    )


def shrunk(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """SHRINKAGE of a sphere with the same mean variance, the rest the covariance itself."""
    features = len(covariance)
    variance = max(np.trace(covariance) / features, 1e-12)
    mixed: NDArray[np.float64] = (1 - SHRINKAGE) * covariance + SHRINKAGE * variance * np.eye(features)
    return mixed


def passing_levels(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each class the highest threshold at which its score, among all classes, is still 0.5; else NEVER.

    A class scores 0.5 where its exp(SLOPE level) is as much as those of the other classes and the threshold
    together.
    """
    highest = levels.max(axis=1, keepdims=True, initial=NEVER)
    shares = np.exp(SLOPE * (levels - highest).astype(np.float64))
    rest = 2 * shares - shares.sum(axis=1, keepdims=True)
    passing = highest + np.log(np.maximum(rest, 1e-300)) / SLOPE
    return np.where(rest > 0, passing, NEVER).astype(np.float32)
