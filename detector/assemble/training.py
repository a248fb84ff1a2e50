"""Everything that `sound-detector train` needs: the daemon's pipeline, and the way to train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.assemble.source_channels import block_length
from detector.assemble.stages import hop_length, make_pipeline, warn_where_alone
from detector.assemble.variants import gated_and_ungated, recording_opener, with_one_hop
from detector.backends.extra_packages import check_installed
from detector.config.loading import Loaded
from detector.config.settings import AlarmSettings, Settings
from detector.evaluation.recording_scorer import whole_events
from detector.modelstore import ModelCatalogue, default_model, load_embedder
from detector.records import Block, Label, ModelSpec, Scores, Window
from detector.training.command import TrainingMethod, TrainRequest, train
from detector.training.discriminant_recipe import (
    THRESHOLD,
    TRIAL_SECONDS,
    DiscriminantRecipe,
)
from detector.training.embedding_cache import EmbeddingCache, users_cache
from detector.training.embedding_library import EmbeddingLibrary, embed_recordings
from detector.training.examples import ExampleSet
from detector.training.head_recipe import BaseModel, HeadOptions, HeadRecipe
from detector.training.other_sounds import load_bank
from detector.training.prepared_dataset import PreparedDataset
from detector.training.recipe import LearningTask, NetworkOptions, Recipe
from detector.training.recording_embeddings import RecordingEmbedder
from detector.training.scene_material import EmbeddedScene, SceneMaterial
from detector.training.scene_trial import TrialEvent
from detector.training.simulated_scenes import (
    SimulatedScene,
    make_scenes,
    read_samples,
    sounding_part,
    variants_of,
    write_scene,
)
from detector.training.softnoise import write_soft_noise
from detector.workers.progress import Progress

FOR_FILES = {"onnx": "onnx", "onnxruntime": "onnxruntime"}
"""Module -> package, of what writes a model's files and compares them."""
FOR_HEADS = {"sklearn": "scikit-learn", **FOR_FILES}

EMBEDDING_SECTIONS = ("gate", "windows", "level")
"""The sections of the settings that embeddings depend on."""


def train_command(request: TrainRequest, loaded: Loaded) -> int:
    """Do what `sound-detector train` was asked."""
    if isinstance(request.model, HeadOptions):
        check_installed(FOR_HEADS, "training", "train")
        return train(request, _head_method(request.model, loaded.settings, request.jobs))
    check_installed(FOR_FILES, "training", "train")
    return train(request, _network_method(request.model, loaded.settings, request.out))


def _head_method(options: HeadOptions, settings: Settings, jobs: int) -> TrainingMethod:
    windows = settings.windows
    catalogue = ModelCatalogue()
    settings = embedding_settings(settings, options.base or _default_base(catalogue))
    base = find_base(settings, catalogue)

    def prepare(dataset: PreparedDataset, progress: Progress) -> Recipe:
        if options.kind == "discriminant":
            # What is tried is the head: an alarm that is taught has a rhythm, too, which is no class of its.
            trial = replace(settings, windows=windows, alarms=AlarmSettings(patterns=False))
            pipeline = ScenePipeline(trial, base)
            return make_discriminant(
                options, settings, catalogue, pipeline, dataset.example_set, jobs=jobs, progress=progress
            )
        library, soft_noise = embed_all(
            settings, catalogue, base, dataset.paths, jobs=jobs, progress=progress
        )
        return HeadRecipe(base, options, library, soft_noise)

    return TrainingMethod(prepare, options.context_seconds, base.name, base.labels)


def _default_base(catalogue: ModelCatalogue) -> str:
    name = default_model(catalogue)
    warn_where_alone(name)
    return name


def embed_all(
    settings: Settings,
    catalogue: ModelCatalogue,
    base: BaseModel,
    paths: Sequence[Path],
    *,
    jobs: int,
    progress: Progress,
) -> tuple[EmbeddingLibrary, tuple[Path, ...]]:
    """Compute the embeddings of the recordings and of soft noise; returns them and the names of the noise."""
    with TemporaryDirectory() as folder:
        soft_noise = write_soft_noise(Path(folder), base.sample_rate)
        library = embed_recordings(
            [*paths, *soft_noise],
            EmbedderMaker(settings),
            embedding_cache(settings, catalogue),
            jobs=jobs,
            progress=progress,
        )
    return library, soft_noise


def make_discriminant(
    options: HeadOptions,
    settings: Settings,
    catalogue: ModelCatalogue,
    run_pipeline: ScenePipeline,
    example_set: ExampleSet,
    *,
    jobs: int,
    progress: Progress,
) -> DiscriminantRecipe:
    """Make the scenes, and compute their embeddings and those of the clips and of soft noise."""
    task, base = example_set.task, run_pipeline.base
    rate = base.sample_rate
    is_room = [task.classes[int(e.targets.argmax())] == task.background for e in example_set.examples]
    clips = [e.path for e, room in zip(example_set.examples, is_room, strict=True) if not room]
    rooms = [e.path for e, room in zip(example_set.examples, is_room, strict=True) if room]
    sounds = [sounding_part(read_samples(path, rate), rate) for path in clips]
    recorded = [samples for path in rooms if len(samples := read_samples(path, rate)) > rate]
    written: list[tuple[Path, SimulatedScene]] = []
    kept_seconds = 0.0
    with TemporaryDirectory() as folder:
        scenes = make_scenes(
            sounds, recorded, sample_rate=rate, variants=variants_of(len(clips)), seed=task.seed
        )
        for number, scene in enumerate(scenes):
            path = write_scene(Path(folder), number, scene, rate)
            samples = scene.samples if kept_seconds < TRIAL_SECONDS else scene.samples[:0]
            kept_seconds += len(scene.samples) / rate
            written.append((path, replace(scene, samples=samples)))
        soft_noise = write_soft_noise(Path(folder), rate)
        library = embed_recordings(
            [*clips, *rooms, *soft_noise, *(path for path, _ in written)],
            EmbedderMaker(settings),
            embedding_cache(settings, catalogue),
            jobs=jobs,
            progress=progress,
        )
    embedded = [
        EmbeddedScene(
            samples=np.round(scene.samples * 32767).astype(np.int16),
            sounds=scene.sounds,
            heard=library[path],
            seconds=float(library[path].stops[-1]),
        )
        for path, scene in written
    ]
    material = SceneMaterial(
        base=base,
        library=library,
        context_seconds=options.context_seconds,
        clips=clips,
        scenes=embedded,
        bank=load_bank(base.networks),
        soft_noise=soft_noise,
    )
    return DiscriminantRecipe(base, options, material, run_pipeline)


@dataclass(frozen=True)
class ScenePipeline:
    """Runs a scene through the daemon's own pipeline, with scores that are known already."""

    settings: Settings
    base: BaseModel

    def __call__(
        self, scene: EmbeddedScene, scores: NDArray[np.float32], task: LearningTask, /
    ) -> list[TrialEvent]:
        """The events of a scene; `scores` (windows, classes), in the order of the task's classes."""
        rate = self.base.sample_rate
        labels = tuple(
            Label(name, name, "trained", background=name == task.background, taught=True)
            for name in task.classes
        )
        spec = ModelSpec("trained", labels, rate, self.base.window, threshold_on=THRESHOLD)
        stops = np.round(scene.heard.stops * rate).astype(int).tolist()
        pipeline = make_pipeline(self.settings, KnownScores(spec, dict(zip(stops, scores, strict=True))))
        block = block_length(hop_length(self.settings, spec), rate)
        events = []
        for first in range(0, len(scene.samples), block):
            events += pipeline.push(Block(first, scene.samples[first : first + block]))
        events += pipeline.flush()
        columns = {name: column for column, name in enumerate(task.classes)}
        return [
            TrialEvent(columns[event.label], event.onset, event.offset, event.decided)
            for event in whole_events(events, rate)
        ]


@dataclass(frozen=True)
class KnownScores:
    """Fills `Classifier` with scores by the sample at which a window ends."""

    spec: ModelSpec
    by_stop: Mapping[int, NDArray[np.float32]]

    def scores(self, window: Window) -> Scores:
        """The window's; 0 for one that is not known."""
        known = self.by_stop.get(window.span.stop)
        return Scores(window.span, np.zeros(len(self.spec.labels), np.float32) if known is None else known)

    def close(self) -> None:
        """Nothing is open."""


def _network_method(options: NetworkOptions, settings: Settings, out: Path) -> TrainingMethod:
    from detector.training.networks import make_network_recipe

    recipe: Recipe = make_network_recipe(
        replace(options, level=settings.level.enabled, cache=users_cache() / "networks")
    )
    seconds = options.window_seconds or recipe.window / recipe.sample_rate
    checkpoint = out.with_name(f".{out.name}.training")
    return TrainingMethod(lambda dataset, progress: recipe, seconds, checkpoint=checkpoint)


def embedding_settings(settings: Settings, base: str) -> Settings:
    """The settings that embeddings depend on; those of labels are about other models than the base."""
    model = replace(settings.model, name=base, threads=1)
    windows = with_one_hop(settings).windows
    return replace(Settings(), model=model, gate=settings.gate, windows=windows, level=settings.level)


def find_base(settings: Settings, catalogue: ModelCatalogue) -> BaseModel:
    """Describe the settings' model as a base; ModelError where it is not pulled, or gives no embedding."""
    model = settings.model
    embedder = load_embedder(model.name, catalogue, runtime=model.runtime, threads=model.threads)
    spec = embedder.spec
    base = BaseModel(
        name=model.name,
        sample_rate=spec.sample_rate,
        window=spec.window,
        features=embedder.embedding_length,
        hop_seconds=hop_length(settings, spec) / spec.sample_rate,
        networks=tuple(network.spec.name for network in catalogue.networks(catalogue.bundle(model.name))),
        labels={label.name.casefold(): label.name for label in spec.labels},
    )
    embedder.close()
    return base


def embedding_cache(settings: Settings, catalogue: ModelCatalogue) -> EmbeddingCache:
    """The cache of embeddings under these settings, by this model's files in this runtime."""
    tree = asdict(settings)
    files = {
        bundle.spec.name: {kind: file.sha256 for kind, file in bundle.files.items() if file.sha256}
        for bundle in catalogue.networks(catalogue.bundle(settings.model.name))
    }
    circumstances = {section: tree[section] for section in EMBEDDING_SECTIONS}
    return EmbeddingCache(
        users_cache(),
        {
            "version": __version__,
            "model": settings.model.name,
            "runtime": settings.model.runtime,
            "files": files,
        }
        | circumstances,
    )


@dataclass(frozen=True)
class EmbedderMaker:
    """Builds the same embedder in every process; picklable."""

    settings: Settings

    def __call__(self) -> RecordingEmbedder:
        """Load the model; raises ModelError."""
        model = self.settings.model
        embedder = load_embedder(model.name, runtime=model.runtime, threads=model.threads)
        opener = recording_opener(self.settings, embedder.spec)
        return RecordingEmbedder(embedder, gated_and_ungated(self.settings), opener)
