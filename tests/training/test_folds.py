"""Folds never leak, and are as even as sources allow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import DatasetError
from detector.training.examples import ExampleSet
from detector.training.folds import assign_folds, fold_numbers
from detector.training.recipe import Example, LearningTask


def one_hot(labels: list[int], classes: int = 3) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=4, max_size=60), st.integers(2, 5))
def test_a_source_lies_in_one_fold(clips: list[tuple[int, int]], count: int) -> None:
    sources = [str(source) for source, _ in clips]
    if len(set(sources)) < 2:
        return
    numbers = assign_folds(sources, one_hot([label for _, label in clips]), count, seed=1)
    for source in set(sources):
        assert len({n for n, own in zip(numbers, sources, strict=True) if own == source}) == 1
    assert len(set(numbers.tolist())) >= 2


def test_every_fold_has_its_share_of_every_class() -> None:
    labels = [0] * 20 + [1] * 10 + [2] * 5
    numbers = assign_folds([str(i) for i in range(35)], one_hot(labels), 5, seed=0)
    for fold in range(5):
        assert np.bincount(np.array(labels)[numbers == fold]).tolist() == [4, 2, 1]


def test_a_seed_decides() -> None:
    labels, sources = [0, 1, 2] * 10, [str(i) for i in range(30)]
    first, again, other = (assign_folds(sources, one_hot(labels), 5, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_no_more_folds_than_the_rarest_class_fills() -> None:
    numbers = assign_folds([str(i) for i in range(13)], one_hot([0] * 10 + [1] * 3), 5, seed=0)
    assert set(numbers.tolist()) == {0, 1, 2}


def test_one_recording_cannot_be_tried_out() -> None:
    with pytest.raises(DatasetError, match="all examples come from one recording"):
        assign_folds(["a", "a"], one_hot([0, 1]), 5, seed=0)


def test_the_datasets_own_folds_are_taken_unless_others_are_asked_for() -> None:
    examples = tuple(
        Example(None, one_hot([i % 2])[0], str(i), fold=str(1 + i % 2 * 9))  # type: ignore[arg-type]
        for i in range(8)
    )
    example_set = ExampleSet(LearningTask(("a", "b", "c"), multilabel=False, seed=0), examples)
    assert fold_numbers(example_set).tolist() == [0, 1] * 4
    assert len(set(fold_numbers(example_set, 4).tolist())) == 4
