"""A loaded model: networks that score each window, and heads on their embeddings."""

from __future__ import annotations

from dataclasses import dataclass

from detector.backends.bundle import Bundle, Runtime
from detector.backends.embeddings import NetworkHead, embedding_lengths
from detector.backends.ensemble import ParallelClassifier
from detector.events.heads import HeadSet
from detector.interfaces import Classifier, Head
from detector.modelstore import store
from detector.modelstore.catalogue import ModelCatalogue, require_head
from detector.modelstore.selection import Selection
from detector.records import ModelSpec


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What one process loads; its heads may be exchanged while its networks keep running."""

    selection: Selection
    classifier: Classifier
    """The networks; their scores come with their embeddings."""
    heads: HeadSet | None
    """None without heads."""
    runtimes: tuple[Runtime, ...]
    """Those of the networks; heads use one of them where they can, since each runtime costs memory."""

    @property
    def spec(self) -> ModelSpec:
        """The description of the whole model, its heads included."""
        return self.selection.spec

    def with_heads(self, catalogue: ModelCatalogue, selection: Selection) -> Model:
        """The same networks with the heads of another selection; those that did not change are kept.

        ModelError where a head is missing, damaged or does not fit; then nothing has changed.
        """
        kept = list(zip(self.selection.heads, self._each, strict=True))
        heads = _load_heads(catalogue, selection, self.classifier, self.runtimes, kept)
        return Model(selection, self.classifier, heads, self.runtimes)

    def close_heads_not_in(self, other: Model) -> None:
        """Release the heads that another model does not have."""
        for head in self._each:
            if head not in other._each:
                head.close()

    def close(self) -> None:
        """Release the runtimes."""
        self.classifier.close()
        for head in self._each:
            head.close()

    @property
    def _each(self) -> tuple[Head, ...]:
        return self.heads.heads if self.heads else ()


def load_model(
    catalogue: ModelCatalogue,
    selection: Selection,
    *,
    runtime: str = "auto",
    threads: int = 1,
    prior: bool = True,
) -> Model:
    """Load what was selected; `runtime`, `threads` and `prior` as in `load_classifier`.

    ModelError where a part is not pulled, damaged, or no runtime can run it.
    """
    each = [
        store.load_network(catalogue, base, runtime=runtime, threads=threads, prior=prior, embeddings=True)
        for base in selection.bases
    ]
    classifier = each[0] if len(each) == 1 else ParallelClassifier(selection.base_spec, each)
    networks = [network for base in selection.bases for network in catalogue.networks(base)]
    runtimes = tuple(dict.fromkeys(store.runtime_for(network, runtime) for network in networks))
    return Model(selection, classifier, _load_heads(catalogue, selection, classifier, runtimes, []), runtimes)


def _load_heads(
    catalogue: ModelCatalogue,
    selection: Selection,
    classifier: Classifier,
    runtimes: tuple[Runtime, ...],
    kept: list[tuple[Bundle, Head]],
) -> HeadSet | None:
    if not selection.heads:
        return None
    networks = {bundle.spec.name: catalogue.networks_under(bundle) for bundle in selection.heads}
    wanted = dict.fromkeys(name for names in networks.values() for name in names)
    lengths = embedding_lengths(classifier, tuple(wanted))
    heads: list[Head] = []
    for bundle in selection.heads:
        head = next((head for known, head in kept if known == bundle), None)
        heads.append(head or _load_head(bundle, networks[bundle.spec.name], lengths, runtimes))
    return HeadSet(selection.spec, tuple(heads), selection.with_base)


def _load_head(
    bundle: Bundle, networks: tuple[str, ...], lengths: dict[str, int], runtimes: tuple[Runtime, ...]
) -> Head:
    features = sum(lengths[network] for network in networks)
    return NetworkHead(
        store.load_graph(bundle, features, runtimes),
        bundle.spec,
        networks=networks,
        context_seconds=require_head(bundle).context_seconds,
    )
