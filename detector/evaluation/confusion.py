"""A confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.analysis.picture import png_of
from detector.backends.extra_packages import needed
from detector.evaluation.clip_metrics import NOTHING

CELL_INCHES = 0.34
DPI = 110
MOST_NUMBERED = 30
"""Classes up to which each cell shows its count."""


def confusion_png(classes: Sequence[str], counts: NDArray[np.int64], title: str) -> bytes:
    """PNG; `counts` (classes, classes + 1): true by answered; the colour is the share of the true class."""
    figure_module = needed("matplotlib.figure", "matplotlib")
    side = max(4.0, 2.4 + CELL_INCHES * len(classes))
    figure = figure_module.Figure(figsize=(side + 0.4, side), layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (classes, classes + 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes) + 1), [*classes, NOTHING], rotation=90, fontsize=8)
    axes.set_yticks(range(len(classes)), classes, fontsize=8)
    axes.set_xlabel("answered")
    axes.set_ylabel("true class")
    axes.set_title(title, fontsize=10)
    if len(classes) <= MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.6 else "black"
                axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=colour)
    return png_of(figure, dpi=DPI)
