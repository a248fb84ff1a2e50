"""What a head makes of a quiet room, which hardly any dataset holds."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.training.embedding_library import EmbeddingLibrary
from detector.training.head_recipe import BaseModel, HeadOptions, HeadRecipe
from detector.training.recipe import Example, FitJob, LearningTask
from detector.training.recording_embeddings import EmbeddedRecording
from detector.training.softnoise import write_soft_noise

HOP = 0.25
FEATURES = 8
QUIET = Path("quiet")
CLASSES = ("bell", "dog", "background")


def heard(*loud: int) -> EmbeddedRecording:
    """Two seconds in which these features are large; in soft noise none is."""
    values = np.full((8, FEATURES), 0.1, np.float16)
    values[:, list(loud)] = 4.0
    return EmbeddedRecording(np.arange(1, 9) * HOP, values, np.ones(8, np.bool_))


def scores_of_a_quiet_room(classes: tuple[str, ...], soft_noise: tuple[Path, ...], multilabel: bool) -> dict:
    """A background of rain alone is learned, or none."""
    identity = np.eye(len(classes), dtype=np.float32)
    sounds = {Path(f"{name}-{take}"): column for column, name in enumerate(classes) for take in range(4)}
    loud = {path: heard(column, 5 + int(path.name[-1]) % 3) for path, column in sounds.items()}
    library = EmbeddingLibrary(loud | {QUIET: heard()}, {})
    recipe = HeadRecipe(
        BaseModel("fake", 16000, 16000, FEATURES, HOP, ("fake",), {}),
        HeadOptions(kind="logistic", context_seconds=3.0),
        library,
        soft_noise,
    )
    examples = [Example(path, identity[column], str(path)) for path, column in sounds.items()]
    background = "background" if "background" in classes else None
    fitted = recipe.fit(
        FitJob(
            LearningTask(classes, multilabel=multilabel, seed=0, background=background),
            examples,
            [],
            weights=np.ones(len(classes), np.float32),
            progress=lambda what, done, total, note="": None,
        )
    )
    return dict(zip(classes, fitted.scores(Example(QUIET, identity[0], "")).mean(axis=0), strict=True))


def test_it_is_background_where_there_is_one() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    before = scores_of_a_quiet_room(CLASSES, (), multilabel=False)
    after = scores_of_a_quiet_room(CLASSES, (QUIET,) * 4, multilabel=False)
    assert max(after, key=after.__getitem__) == "background"
    assert after["background"] > before["background"]


def test_it_is_no_class_more_than_another_where_there_is_no_background() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    scores = scores_of_a_quiet_room(CLASSES[:2], (QUIET,) * 4, multilabel=False)
    assert scores["bell"] == pytest.approx(scores["dog"], abs=0.1)


def test_where_several_may_sound_none_does() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    before = scores_of_a_quiet_room(CLASSES[:2], (), multilabel=True)
    after = scores_of_a_quiet_room(CLASSES[:2], (QUIET,) * 4, multilabel=True)
    assert all(after[name] < before[name] for name in before)


def test_the_same_recordings_every_time_all_of_them_soft(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    one, other = (write_soft_noise(folder, 16000) for folder in folders)
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    for path in one:
        samples, rate = soundfile.read(path)
        assert rate == 16000
        assert np.sqrt(np.mean(samples**2)) < 10 ** (-49 / 20)
