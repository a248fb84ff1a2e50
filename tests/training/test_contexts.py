"""What a head learns from is what the daemon will give it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.events.heads import EmbeddingContext
from detector.records import Span
from detector.training.contexts import learning_means, running_means, unbroken

HOP = 0.25
RATE = 1000


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 8))
def test_running_means_are_the_daemons_own(is_open: list[bool], hops: int) -> None:
    """Windows with pauses in them, through the daemon's stage and through training's arithmetic."""
    places = [number for number, there in enumerate(is_open) if there]
    if not places:
        return
    values = np.random.default_rng(0).random((len(places), 3), np.float32)
    hop = round(HOP * RATE)
    context = EmbeddingContext(length=hops * hop, hop=hop)
    wanted = [
        context.push(Span(place * hop, (place + 1) * hop), value)
        for place, value in zip(places, values, strict=True)
    ]
    stops = (np.array(places) + 1) * HOP
    assert np.allclose(running_means(values, stops, hops * HOP, HOP), wanted, atol=1e-6)


def test_a_clip_counts_as_one_however_long_it_is() -> None:
    for windows in (1, 3, 50):
        values = np.ones((windows, 2), np.float32)
        rows, weights = learning_means(values, np.arange(1, windows + 1) * HOP, 3.0, HOP)
        assert np.isclose(weights.sum(), 1)
        assert np.allclose(rows, 1)
        assert len(rows) == len(weights) >= 3


def test_the_last_row_is_the_mean_of_the_whole() -> None:
    values = np.arange(8, dtype=np.float32)[:, None]
    rows, _ = learning_means(values, np.arange(1, 9) * HOP, 1.0, HOP)
    assert rows[-1] == values.mean()


def test_a_pause_starts_afresh() -> None:
    stops = np.array([0.25, 0.5, 1.0, 1.25])
    assert list(unbroken(stops, HOP)) == [(0, 2), (2, 4)]
    means = running_means(np.array([[1.0], [3.0], [5.0], [7.0]], np.float32), stops, 10.0, HOP)
    assert means[:, 0].tolist() == [1, 2, 5, 6]
