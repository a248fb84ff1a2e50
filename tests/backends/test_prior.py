"""Priors: what is subtracted, from what, and tables that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.backends.bundle import load_bundle
from detector.backends.prior import HIGHEST, LOWEST, PriorClassifier, logistic, logits
from detector.errors import ModelError
from detector.modelstore.folders import shipped_folder
from detector.records import Span, Window
from tests.support.fakes import FakeClassifier, make_spec
from tests.support.small_models import LABELS, write_bundle

SPEC = make_spec("Speech", "Dog", "Owl")


def test_the_prior_is_subtracted_from_log_odds() -> None:
    plain = FakeClassifier(SPEC, lambda _: (0.5, 0.5, 0.1))
    shifted = PriorClassifier(plain, np.array([np.log(4), 0, -np.log(9)], np.float32))
    heard = shifted.scores(Window(Span(5, 5 + SPEC.window), np.zeros(SPEC.window, np.float32)))
    np.testing.assert_allclose(heard.values, (0.2, 0.5, 0.5), rtol=1e-5)
    assert heard.span == Span(5, 5 + SPEC.window)
    assert shifted.spec is SPEC
    shifted.close()
    assert plain.closed


def test_log_odds_and_back() -> None:
    scores = np.array([0.0, 1e-6, 0.25, 0.5, 0.999, 1.0], np.float32)
    odds = logits(scores)
    assert odds.dtype == np.float32
    assert np.isfinite(odds).all()
    np.testing.assert_allclose(odds[2], np.log(1 / 3), rtol=1e-6)
    np.testing.assert_allclose(logistic(odds), np.clip(scores, LOWEST, HIGHEST), rtol=1e-4)


@pytest.mark.parametrize(("name", "labels"), [("yamnet", 521), ("mn04", 527)])
def test_shipped_priors_take_from_speech_and_stay_below_two(name: str, labels: int) -> None:
    bundle = load_bundle(shipped_folder() / name)
    assert len(bundle.prior) == labels
    assert max(bundle.prior) <= 2.0
    by_name = {label.name: prior for label, prior in zip(bundle.spec.labels, bundle.prior, strict=True)}
    assert by_name["Speech"] > 0.5 > 0.0 > by_name["Toothbrush"]


ROWS = [
    f"/m/{name},{value}"
    for name, value in zip(("dog", "rain", "silence", "tick"), (1, -2, 0.5, 0), strict=True)
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = write_bundle(tmp_path / "small", b"weights")
    text = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(text + "prior: prior.csv\nprior_weight: 0.5\n")
    return folder


def test_a_table_is_read_in_the_order_of_the_labels(small: Path) -> None:
    (small / "prior.csv").write_text("\n".join(["mid,prior", *reversed(ROWS)]) + "\n")
    bundle = load_bundle(small)
    assert [label.name for label in bundle.spec.labels] == list(LABELS)
    assert bundle.prior == (0.5, -1.0, 0.25, 0.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:3], "has no row for /m/tick (Clock tick)"),
        ([*ROWS[:3], "/m/tick,much"], ":5: prior must be a number from -30 to 30"),
        ([*ROWS[:3], "/m/tick,nan"], ":5: prior must be a number"),
        ([*ROWS[:3], "/m/tick,31"], ":5: prior must be a number"),
    ],
)
def test_a_fault_in_the_table_is_one_line(small: Path, rows: list[str], message: str) -> None:
    (small / "prior.csv").write_text("\n".join(["mid,prior", *rows]) + "\n")
    with pytest.raises(ModelError) as caught:
        load_bundle(small)
    assert f"prior.csv{message}" in str(caught.value).replace("prior.csv: ", "prior.csv")
