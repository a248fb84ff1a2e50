"""Other tensors as the outputs: the same network, seen one step earlier."""

from __future__ import annotations

import numpy as np
import pytest

from detector.backends.bundle import load_bundle
from detector.backends.prior import logits
from detector.backends.tflite_model import TfliteClassifier
from detector.backends.tflite_outputs import with_outputs
from detector.errors import ModelError
from detector.modelstore import find, store
from detector.records import Span, Window
from tests.support.small_models import WINDOW, logistic_tflite


def outputs(content: bytes) -> list[int]:
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    return list(schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0].outputs)


@pytest.mark.parametrize("tail", [b"", b"1", b"12", b"123"], ids=len)
def test_the_graph_is_pointed_at_a_list_behind_the_file(tail: bytes) -> None:
    """What else stands in the file, such as a table of labels at its end, stays where it is."""
    content = logistic_tflite() + tail
    assert outputs(content) == [1]
    changed = with_outputs(content, (0, None))
    assert outputs(changed) == [0, 1]
    assert outputs(with_outputs(changed, (1,))) == [1]
    assert len(changed) % 4 == 0
    assert sum(one != other for one, other in zip(content, changed, strict=False)) <= 4


@pytest.mark.parametrize("content", [b"", b"abc", bytes(64), b"\xff" * 64, logistic_tflite()[:40]])
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="damaged: it has no graph"):
        with_outputs(content, (0,))


def test_a_tensor_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="has 2 tensors, so tensor 2 does not exist"):
        with_outputs(logistic_tflite((WINDOW,)), (0, 2))


def test_yamnet_says_the_same_in_finer_steps() -> None:
    bundle = load_bundle(find("yamnet"))
    try:
        content = store.read_model_file(bundle, "tflite")
        coarse = TfliteClassifier(content, bundle.spec)
        fine = TfliteClassifier(content, bundle.spec, logits=bundle.files["tflite"].logits)
    except ModelError as error:
        pytest.skip(str(error))
    noise = (0.1 * np.random.default_rng(0).standard_normal(15600)).astype(np.float32)
    window = Window(Span(0, 15600), noise)
    one, other = coarse.scores(window).values, fine.scores(window).values
    np.testing.assert_allclose(one, other, atol=0.004)  # steps of 1/256
    assert (one == 0).sum() > 100
    assert (other > 0).all()
    assert len(np.unique(logits(other))) > 2 * len(np.unique(one))
