"""The logistic head: one dense layer, fitted by scikit-learn in closed steps, without chance.

Source: DESIGN section 9: standardised square roots of mean embeddings, strongly regularised, beat SVMs and
bigger networks on ESC-10 and UrbanSound8K.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.training.layers import Layer, standardising
from detector.workers.threads import one_thread

INVERSE_PENALTY = 0.01
"""scikit-learn's C; the examples' weights average 1."""

NEVER = -12.0
"""Log-odds of a class that no example was of."""

ITERATIONS = 1000
TOLERANCE = 1e-3

INSTALL = "training a head needs scikit-learn; install it with: pip install 'sound-detector[train]'"


def fit_logistic(
    rows: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    *,
    multilabel: bool,
    inverse_penalty: float = INVERSE_PENALTY,
) -> Sequence[Layer]:
    """One layer from rows (n, features) to log-odds (n, classes); DetectorError without scikit-learn."""
    scale, shift = standardising(rows, weights)
    scaled = rows * scale + shift
    columns = targets.shape[1]
    out, bias = np.zeros((columns, rows.shape[1]), np.float32), np.full(columns, NEVER, np.float32)
    model = regression(inverse_penalty)
    if multilabel:
        for column in np.flatnonzero((targets.min(axis=0) < 1) & (targets.max(axis=0) > 0)):
            with one_thread():
                model.fit(scaled, targets[:, column] > 0, sample_weight=weights)
            out[column], bias[column] = model.coef_[0], model.intercept_[0]
    else:
        classes = targets.argmax(axis=1)
        with one_thread():
            model.fit(scaled, classes, sample_weight=weights)
        present = np.unique(classes)
        if len(present) == 2:  # scikit-learn then keeps one row: half to each side is the same softmax
            out[present] = np.outer([-0.5, 0.5], model.coef_[0])
            bias[present] = np.array([-0.5, 0.5]) * model.intercept_[0]
        else:
            out[present], bias[present] = model.coef_, model.intercept_
    return [Layer(out * scale, bias + out @ shift)]


def regression(inverse_penalty: float) -> Any:  # noqa: ANN401 (a package without types)
    """scikit-learn's own, ready to fit; DetectorError where it is missing."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise DetectorError(INSTALL) from error
    return LogisticRegression(C=inverse_penalty, max_iter=ITERATIONS, tol=TOLERANCE)
