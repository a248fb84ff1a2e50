"""A head learned in scenes: it knows what it was taught, and takes little else for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.training.discriminant_recipe import DiscriminantRecipe
from detector.training.embedding_library import EmbeddingLibrary
from detector.training.examples import ExampleSet, with_background
from detector.training.head_recipe import BaseModel, HeadOptions
from detector.training.other_sounds import SoundGroup
from detector.training.recipe import Example, FitJob, LearningTask
from detector.training.recording_embeddings import EmbeddedRecording
from detector.training.scene_material import BETWEEN, UNCLEAR, EmbeddedScene, SceneMaterial, owners
from detector.training.scene_trial import TrialEvent
from detector.training.simulated_scenes import PlacedSound

HOP, WINDOW, RATE, FEATURES = 0.25, 1.0, 16000, 8
TAKES = 6
CLIPS = [Path(f"{name}-{take}") for name in ("bell", "dog") for take in range(TAKES)]


def windows(count: int, loud: int | None, rng: np.random.Generator) -> np.ndarray:
    """Embeddings in which one feature is large, or none."""
    values = rng.uniform(0, 0.5, (count, FEATURES))
    if loud is not None:
        values[:, loud] += rng.uniform(2, 4)
    return values


def recording(values: np.ndarray) -> EmbeddedRecording:
    stops = np.arange(1, len(values) + 1) * HOP
    return EmbeddedRecording(stops, values.astype(np.float16), np.ones(len(values), np.bool_))


def scene(rng: np.random.Generator) -> EmbeddedScene:
    """Every clip once, 2 s of sound every 4 s; bells are large in feature 0, dogs in feature 1."""
    values, sounds = [windows(8, None, rng)], []
    for index in range(len(CLIPS)):
        onset = sum(map(len, values)) * HOP
        sounds.append(PlacedSound(index, onset, onset + 2.0))
        values += [windows(8, index // TAKES, rng), windows(8, None, rng)]
    heard = recording(np.concatenate(values))
    seconds = float(heard.stops[-1])
    return EmbeddedScene(np.zeros(round(seconds * RATE), np.int16), tuple(sounds), heard, seconds)


def group(loud: int, rng: np.random.Generator) -> SoundGroup:
    rows = np.concatenate([windows(2, loud, rng) for _ in range(20)]).astype(np.float32)
    return SoundGroup(rows, np.arange(40).reshape(20, 2), np.arange(20))


def events_of(scene: EmbeddedScene, scores: np.ndarray, task: LearningTask) -> list[TrialEvent]:
    """One event for each run of two windows or more over the threshold."""
    told = []
    for label in range(2):
        inside = scores[:, label] >= 0.5
        inside &= np.append(False, inside[:-1])
        for start in np.flatnonzero(inside & ~np.append(False, inside[:-1])):
            at = float(scene.heard.stops[start]) - HOP
            told.append(TrialEvent(label, at, at + 1.0, at + 0.5))
    return told


def recipe(bank: dict[str, SoundGroup]) -> DiscriminantRecipe:
    rng = np.random.default_rng(3)
    library = EmbeddingLibrary(
        {path: recording(windows(8, index // TAKES, rng)) for index, path in enumerate(CLIPS)}
        | {Path("quiet"): recording(windows(20, None, rng))},
        {},
    )
    material = SceneMaterial(
        base=BaseModel("fake", RATE, round(WINDOW * RATE), FEATURES, HOP, ("fake",), {}),
        library=library,
        context_seconds=HOP,
        clips=CLIPS,
        scenes=[scene(rng) for _ in range(3)],
        bank=bank,
        soft_noise=(Path("quiet"),),
    )
    return DiscriminantRecipe(material.base, HeadOptions("fake", context_seconds=HOP), material, events_of)


def example_set() -> ExampleSet:
    identity = np.eye(2, dtype=np.float32)
    return with_background(
        ExampleSet(
            LearningTask(("bell", "dog"), multilabel=False, seed=0),
            tuple(
                Example(path, identity[index // TAKES], str(path), fold=str(index % 3))
                for index, path in enumerate(CLIPS)
            ),
        )
    )


FOLDS = np.array([index % 3 for index in range(len(CLIPS))])


def bank(*loud: int) -> dict[str, SoundGroup]:
    rng = np.random.default_rng(5)
    return {f"group {feature}": group(feature, rng) for feature in loud}


def fitted(made: DiscriminantRecipe):
    examples = example_set()
    job = FitJob(
        examples.task,
        examples.examples,
        [],
        weights=np.ones(3, np.float32),
        progress=lambda what, done, total, note="": None,
    )
    return made.fit(job)


def told(made: DiscriminantRecipe, values: np.ndarray) -> list[str]:
    scores = fitted(made).graph.run(values.astype(np.float32))
    return [("bell", "dog", "background")[column] for column in scores.argmax(axis=1)]


def test_a_window_belongs_to_the_clip_that_fills_enough_of_it():
    sounds = [PlacedSound(7, 2.0, 2.4), PlacedSound(4, 6.0, 9.0)]
    stops = np.array([1.0, 2.1, 2.25, 3.1, 4.0, 6.2, 6.4, 8.0, 9.9])
    found = owners(stops, sounds, 1.0).tolist()
    assert found == [BETWEEN, UNCLEAR, 7, 7, BETWEEN, UNCLEAR, 4, 4, UNCLEAR]


def test_a_long_window_that_still_holds_a_sound_after_its_end_is_unclear():
    stops = np.array([1.9, 2.5, 3.3, 4.9, 5.5])
    found = owners(stops, [PlacedSound(7, 2.0, 2.4)], 3.0).tolist()
    assert found == [BETWEEN, 7, UNCLEAR, UNCLEAR, BETWEEN]


def test_it_knows_what_it_was_taught_and_what_is_neither():
    made = recipe(bank(2, 3, 4, 5))
    made = made.with_trial(made.try_out(example_set(), FOLDS))
    rng = np.random.default_rng(9)
    assert set(told(made, windows(5, 0, rng))) == {"bell"}
    assert set(told(made, windows(5, 1, rng))) == {"dog"}
    assert set(told(made, windows(5, None, rng))) == {"background"}
    assert set(told(made, windows(5, 3, rng))) == {"background"}


def test_the_trial_says_what_scenes_and_other_sounds_gave():
    trial = recipe(bank(2, 3, 4, 5)).try_out(example_set(), FOLDS)
    assert trial.figures.sounds == 3 * len(CLIPS)
    assert trial.figures.found > 0.9
    assert trial.figures.wrong_per_hour == 0
    assert trial.unknown_detected <= 0.05


def test_a_group_that_is_a_taught_sound_is_left_out():
    trial = recipe(bank(0, 2, 3, 4)).try_out(example_set(), FOLDS)
    assert trial.same == ("group 0",)
    assert trial.figures.found > 0.9


def test_what_the_user_should_know_is_said():
    made = recipe(bank(0, 2, 3, 4))
    said = " | ".join(f.text for f in made.findings(made.try_out(example_set(), FOLDS), example_set()))
    assert "your room is missing" in said
    assert "like one of your sounds, so not learned as another one: group 0" in said
    bare = recipe({})
    said = " | ".join(f.text for f in bare.findings(bare.try_out(example_set(), FOLDS), example_set()))
    assert "no other sounds come with the program for fake" in said


def test_with_a_background_folder_the_room_is_not_missing():
    made = recipe(bank(2, 3))
    rooms = [Path(f"room-{take}") for take in range(2)]
    rng = np.random.default_rng(4)
    heard = {path: recording(windows(8, 6, rng)) for path in rooms}
    library = EmbeddingLibrary({**made.material.library.recordings, **heard}, {})
    made = replace(made, material=replace(made.material, library=library))
    examples = example_set()
    target = np.array([0, 0, 1], np.float32)
    both = replace(
        examples, examples=(*examples.examples, *(Example(path, target, str(path)) for path in rooms))
    )
    trial = made.try_out(both, np.append(FOLDS, [0, 1]))
    assert not [f for f in made.findings(trial, both) if "room is missing" in f.text]


def test_a_background_class_is_added_once_and_has_no_example():
    once = example_set()
    assert once.task.classes == ("bell", "dog", "background")
    assert once.targets[:, 2].sum() == 0
    assert once.class_count == 2
    assert with_background(once) is once


def test_the_same_scenes_give_the_same_head():
    one, other = recipe(bank(2, 3)), recipe(bank(2, 3))
    rows = windows(5, 0, np.random.default_rng(1)).astype(np.float32)
    assert fitted(one).graph.run(rows) == pytest.approx(fitted(other).graph.run(rows))
