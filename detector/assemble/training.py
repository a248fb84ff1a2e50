"""Everything that `sound-detector train` needs: the daemon's pipeline, and the way to train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from detector import __version__
from detector.assemble.stages import hop_length
from detector.assemble.variants import gated_and_ungated, recording_opener, with_one_hop
from detector.backends.extra_packages import check_installed
from detector.config.loading import Loaded
from detector.config.settings import Settings
from detector.modelstore import ModelCatalogue, load_embedder
from detector.training.command import TrainingMethod, TrainRequest, train
from detector.training.embedding_cache import EmbeddingCache, users_cache
from detector.training.embedding_library import EmbeddingLibrary, embed_recordings
from detector.training.head_recipe import BaseModel, HeadOptions, HeadRecipe
from detector.training.recipe import NetworkOptions, Recipe
from detector.training.recording_embeddings import RecordingEmbedder
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
    settings = embedding_settings(settings, options.base)
    catalogue = ModelCatalogue()
    base = find_base(settings, catalogue)

    def prepare(paths: Sequence[Path], progress: Progress) -> Recipe:
        library, soft_noise = embed_all(settings, catalogue, base, paths, jobs=jobs, progress=progress)
        return HeadRecipe(base, library, options, soft_noise)

    return TrainingMethod(prepare, options.context_seconds, base.name, base.labels)


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


def _network_method(options: NetworkOptions, settings: Settings, out: Path) -> TrainingMethod:
    from detector.training.networks import make_network_recipe

    recipe: Recipe = make_network_recipe(
        replace(options, level=settings.level.enabled, cache=users_cache() / "networks")
    )
    seconds = options.window_seconds or recipe.window / recipe.sample_rate
    checkpoint = out.with_name(f".{out.name}.training")
    return TrainingMethod(lambda paths, progress: recipe, seconds, checkpoint=checkpoint)


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
