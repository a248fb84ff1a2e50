"""Laws of training networks, on two tones: it learns, repeats itself, and goes on after a break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")

from detector.errors import ConfigError, ModelError  # noqa: E402
from detector.training.networks import make_network_recipe  # noqa: E402
from detector.training.networks.checkpoint import NAME  # noqa: E402
from detector.training.networks.environment import memory_errors, tensorboard_writer  # noqa: E402
from detector.training.recipe import Example, FitJob, LearningTask, NetworkOptions  # noqa: E402

pytestmark = pytest.mark.slow

RATE = 16_000
TASK = LearningTask(("high", "low"), multilabel=False, seed=7)
EVEN = np.ones(2, np.float32)
SMALL = NetworkOptions(epochs=3, batch=8, width=4, window_seconds=0.8, jobs=1)


class Break(Exception):
    """Stands for Ctrl-C."""


def quiet(what: str, done: int, total: int, note: str = "") -> None:
    """No bar."""


def broken_off_after(epoch: int):
    def progress(what: str, done: int, total: int, note: str = "") -> None:
        if what == "training" and done == epoch + 1:
            raise Break

    return progress


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    """Ten high and ten low tones in noise, one second each."""
    folder, rng = tmp_path_factory.mktemp("tones"), np.random.default_rng(1)
    examples = []
    for number in range(20):
        high = number % 2 == 0
        hertz = rng.uniform(2500, 5000) if high else rng.uniform(200, 500)
        tone = 0.2 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
        path = folder / f"{number}.wav"
        soundfile.write(path, tone + 0.01 * rng.normal(size=RATE), RATE)
        targets = np.array([high, not high], np.float32)
        examples.append(Example(path, targets, source=str(number), fold=str(number % 5)))
    return examples


def fit(clips: list[Example], options: NetworkOptions = SMALL, task: LearningTask = TASK, **given: object):
    arguments = {"weights": EVEN, "checkpoint": None, "progress": quiet, **given}
    return make_network_recipe(options).fit(FitJob(task, clips[:16], clips[16:], **arguments))


def weights_of(fitted: object) -> list[np.ndarray]:
    return [value.numpy() for value in fitted._module.state_dict().values()]


def test_it_learns_to_tell_two_tones_apart(clips: list[Example]) -> None:
    fitted = fit(clips, replace(SMALL, epochs=10))
    means = [fitted.scores(example).mean(axis=0) for example in clips[16:]]
    assert [one.argmax() for one in means] == [example.targets.argmax() for example in clips[16:]]
    assert fitted.history[-1]["validation_accuracy"] == 1
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]


def test_what_it_says_its_graph_says(clips: list[Example]) -> None:
    fitted = fit(clips)
    inputs = fitted.inputs(clips[0])
    assert inputs.shape[1:] == fitted.graph.shape
    np.testing.assert_allclose(fitted.graph.run(inputs), fitted.scores(clips[0]), atol=2e-5)


def test_the_windows_are_the_daemons(clips: list[Example]) -> None:
    """They end every 0.24 s, and where the clip does."""
    assert len(fit(clips).scores(clips[0])) == len([0.24, 0.48, 0.72, 0.96, 1.0])


def test_the_same_seed_gives_the_same_weights_and_another_others(clips: list[Example]) -> None:
    one, same, other = (fit(clips, task=replace(TASK, seed=seed)) for seed in (7, 7, 8))
    assert one.history == same.history
    assert all(np.array_equal(a, b) for a, b in zip(weights_of(one), weights_of(same), strict=True))
    assert one.history != other.history


def test_after_a_break_it_goes_on_as_if_there_had_been_none(clips: list[Example], tmp_path: Path) -> None:
    whole = fit(clips)
    with pytest.raises(Break):
        fit(clips, checkpoint=tmp_path, progress=broken_off_after(1))
    assert (tmp_path / NAME).is_file()
    shown: list[int] = []

    def progress(what: str, done: int, total: int, note: str = "") -> None:
        if what == "training":
            shown.append(done)

    resumed = fit(clips, checkpoint=tmp_path, progress=progress)
    assert shown == [2, 3]
    assert resumed.history == whole.history
    assert all(np.array_equal(a, b) for a, b in zip(weights_of(resumed), weights_of(whole), strict=True))


@pytest.mark.parametrize("kept", ["of another fit", "damaged"])
def test_a_checkpoint_that_does_not_fit_is_not_used(
    clips: list[Example], tmp_path: Path, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    if kept == "damaged":
        (tmp_path / NAME).write_bytes(b"PK\x03\x04 cut short")
    else:
        fit(clips, checkpoint=tmp_path, task=replace(TASK, seed=1))
    assert fit(clips, checkpoint=tmp_path).history == fit(clips).history
    assert "training.checkpoint" in caplog.text


def test_training_stops_when_it_helps_no_more(clips: list[Example]) -> None:
    """With labels that mean nothing the held-out loss soon falls no more."""
    rng = np.random.default_rng(0)
    shuffled = [replace(one, targets=EVEN - np.eye(2, dtype=np.float32)[rng.integers(2)]) for one in clips]
    assert len(fit(shuffled, replace(SMALL, epochs=60)).history) < 60


def test_several_classes_may_sound_at_once(clips: list[Example]) -> None:
    both = [replace(one, targets=np.array([one.targets[0], 1], np.float32)) for one in clips]
    fitted = fit(both, replace(SMALL, epochs=6), replace(TASK, multilabel=True))
    assert fitted.scores(clips[0]).sum(axis=1).max() > 1


def test_augmented_training_is_repeatable_and_keeps_its_copies(clips: list[Example], tmp_path: Path) -> None:
    options = replace(
        SMALL, augment=("noise", "gain", "filter", "specaugment", "high=mixup"), copies=2, cache=tmp_path
    )
    first, second = fit(clips, options), fit(clips, options)
    assert first.history == second.history
    assert len(list(tmp_path.glob("*.npz"))) == 32
    next(tmp_path.glob("*.npz")).write_bytes(b"cut short")
    assert fit(clips, options).history == first.history


def test_without_validation_it_trains_as_long_as_it_is_told(clips: list[Example]) -> None:
    recipe = make_network_recipe(replace(SMALL, epochs=None))
    fitted = recipe.fit(FitJob(TASK, clips, [], EVEN, quiet, epochs=2))
    assert [row["epoch"] for row in fitted.history] == [1, 2]
    assert "validation_loss" not in fitted.history[0]


def test_out_of_memory_is_one_line_that_says_what_helps() -> None:
    for error in (MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")):
        with pytest.raises(ModelError, match=r"out of memory .* \(--batch 16\)"), memory_errors(32):
            raise error
    with pytest.raises(RuntimeError, match="another fault"), memory_errors(32):
        raise RuntimeError("another fault")


def test_tensorboard_writes_its_files_or_says_what_is_missing(clips: list[Example], tmp_path: Path) -> None:
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(ModelError, match="tensorboard"), tensorboard_writer(tmp_path):
            pass
    else:
        fit(clips, replace(SMALL, tensorboard=tmp_path))
        assert list(tmp_path.glob("events.out.tfevents.*"))


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ConfigError, match="resnet18-dilated"):
        make_network_recipe(replace(SMALL, arch="transformer"))
