"""Heads: what was fitted is what the graph says, and a seed decides everything."""

import numpy as np
import pytest

from detector.training.layers import Layer, head_graph, signed_sqrt, standardising
from detector.training.logistic import NEVER, fit_logistic
from detector.training.perceptron import OPTIMIZERS, PerceptronPlan, TrainingRows, fit_perceptron

FEATURES, EACH = 6, 30


def clouds(classes: int = 3, *, apart: float = 3.0, seed: int = 0) -> TrainingRows:
    """Points around one centre for each class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), EACH)
    centres = np.eye(classes, FEATURES) * apart
    values = (centres[labels] + rng.standard_normal((len(labels), FEATURES))).astype(np.float32)
    targets = np.eye(classes, dtype=np.float32)[labels]
    return TrainingRows(values, targets, np.ones(len(labels), np.float32))


def scores(layers: list[Layer], values: np.ndarray, *, multilabel: bool = False) -> np.ndarray:
    """Through the graph, which takes the square root of what it is given."""
    squares = np.copysign(np.square(values), values)
    return head_graph(values.shape[1], layers, multilabel=multilabel).run(squares)


def nothing(done: int, total: int, note: str) -> None:
    """No progress is shown."""


def test_standardised_rows_have_mean_0_and_variance_1_by_weight() -> None:
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(3, 5, (200, 4)).astype(np.float32), rng.random(200).astype(np.float32)
    scale, shift = standardising(rows, weights)
    scaled = rows * scale + shift
    assert np.allclose(np.average(scaled, axis=0, weights=weights), 0, atol=1e-4)
    assert np.allclose(np.average(scaled**2, axis=0, weights=weights), 1, atol=1e-3)


def test_a_feature_that_never_varies_tells_nothing() -> None:
    scale, shift = standardising(np.full((9, 1), 7.0, np.float32), np.ones(9, np.float32))
    assert scale == 0 and shift == 0


def test_square_roots_keep_the_sign() -> None:
    assert signed_sqrt(np.array([-4.0, 0.0, 9.0], np.float32)).tolist() == [-2, 0, 3]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_logistic_head_is_scikit_learns(classes: int) -> None:
    """Folding the standardising into the weights changes nothing."""
    linear = pytest.importorskip("sklearn.linear_model")
    rows = clouds(classes)
    layers = list(
        fit_logistic(rows.values, rows.targets, rows.weights, multilabel=False, inverse_penalty=1.0)
    )
    scale, shift = standardising(rows.values, rows.weights)
    model = linear.LogisticRegression(C=1.0, max_iter=1000, tol=1e-3)
    model.fit(rows.values * scale + shift, rows.targets.argmax(axis=1), sample_weight=rows.weights)
    wanted = model.predict_proba(rows.values * scale + shift)
    assert np.allclose(scores(layers, rows.values), wanted, atol=1e-4)


def test_a_class_that_no_example_is_of_is_never_said() -> None:
    pytest.importorskip("sklearn")
    rows = clouds(2)
    targets = np.insert(rows.targets, 1, 0.0, axis=1)
    (layer,) = fit_logistic(rows.values, targets, rows.weights, multilabel=False)
    assert layer.bias[1] == pytest.approx(NEVER)
    assert scores([layer], rows.values)[:, 1].max() < 0.01


def test_several_classes_at_once_have_scores_of_their_own() -> None:
    pytest.importorskip("sklearn")
    rows = clouds(3)
    targets = rows.targets.copy()
    targets[:, 2] = targets[:, :2].max(axis=1)  # sounds with either of the others
    layers = list(fit_logistic(rows.values, targets, rows.weights, multilabel=True, inverse_penalty=1.0))
    said = scores(layers, rows.values, multilabel=True) > 0.5
    assert (said == (targets > 0)).mean() > 0.95


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("hidden", [(8,), (16, 8), (8, 8, 8)])
def test_an_mlp_learns_to_tell_clouds_apart(optimizer: str, hidden: tuple[int, ...]) -> None:
    plan = PerceptronPlan(hidden=hidden, optimizer=optimizer, epochs=150, batch=8)  # type: ignore[arg-type]
    train, held = clouds(apart=6.0), clouds(apart=6.0, seed=1)
    layers, history = fit_perceptron(train, held, plan, multilabel=False, report=nothing)
    test = clouds(apart=6.0, seed=2)
    assert (scores(list(layers), test.values).argmax(axis=1) == test.targets.argmax(axis=1)).mean() > 0.9
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_same_seed_gives_the_same_mlp() -> None:
    def fitted(seed: int) -> list[np.ndarray]:
        plan = PerceptronPlan(hidden=(8,), epochs=3, seed=seed)
        layers, _ = fit_perceptron(clouds(), clouds(seed=1), plan, multilabel=False, report=nothing)
        return [layer.weights for layer in layers]

    first, again, other = fitted(1), fitted(1), fitted(2)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_an_mlp_stops_when_it_gets_no_better() -> None:
    """Held out are clouds with the names exchanged: the better it learns, the worse they fit."""
    held = clouds(seed=1)
    wrong = TrainingRows(held.values, held.targets[:, [1, 2, 0]], held.weights)
    _, history = fit_perceptron(
        clouds(), wrong, PerceptronPlan(hidden=(8,), epochs=500), multilabel=False, report=nothing
    )
    assert len(history) < 100
