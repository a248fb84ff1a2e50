"""The mean over the last seconds: what counts, and where it begins anew."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.events.heads import EmbeddingContext
from detector.records import Span

HOP, WINDOW = 4, 10


def means(stops: list[int], *, length: int = 12, hop: int = HOP) -> list[float]:
    """Each window's embedding is where it ends."""
    context = EmbeddingContext(length=length, hop=hop)
    pushed = [context.push(Span(stop - WINDOW, stop), np.float32([stop, -stop])) for stop in stops]
    assert all(mean.dtype == np.float32 and mean[0] == -mean[1] for mean in pushed)
    return [float(mean[0]) for mean in pushed]


def test_it_grows_and_then_moves_on() -> None:
    assert means([4, 8, 12, 16, 20]) == [4, 6, 8, 12, 16]


def test_a_window_that_ended_its_length_ago_counts_no_more() -> None:
    assert means([4, 8, 12, 16], length=8) == [4, 6, 10, 14]
    assert means([4, 8, 12], length=1) == [4, 8, 12]


def test_a_pause_begins_it_anew() -> None:
    """Sound was lost, or the gate was closed: more than a hop lies between two windows."""
    assert means([4, 8, 16, 20]) == [4, 6, 16, 18]


def test_the_tail_of_a_stream_comes_within_a_hop_and_belongs_to_it() -> None:
    assert means([4, 8, 11]) == [4, 6, float(np.float32(23) / 3)]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=60), st.integers(1, 60), st.integers(1, 6))
def test_it_is_the_mean_of_what_the_rule_names(steps: list[int], length: int, hop: int) -> None:
    stops = np.cumsum(steps).tolist()
    expected = []
    for newest in range(len(stops)):
        oldest = newest
        while (
            oldest and stops[oldest] - stops[oldest - 1] <= hop and stops[oldest - 1] > stops[newest] - length
        ):
            oldest -= 1
        expected.append(np.mean(stops[oldest : newest + 1]))
    np.testing.assert_allclose(means(stops, length=length, hop=hop), expected, rtol=1e-5)
