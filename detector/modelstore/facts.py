"""What is known of a model's bundle, ready for JSON: for `models list` and `models info`."""

from __future__ import annotations

from detector.backends.bundle import Bundle
from detector.files.guarded import is_file
from detector.modelstore import store
from detector.modelstore.catalogue import ModelCatalogue
from detector.modelstore.pull import is_whole


def facts_of(catalogue: ModelCatalogue, bundle: Bundle) -> dict[str, object]:
    """Facts about the whole model."""
    spec, head = bundle.spec, bundle.head
    listens = {"base": head.base, "context_seconds": head.context_seconds} if head else {}
    return {
        "name": spec.name,
        "description": bundle.description,
        "licence": bundle.licence,
        "attribution": bundle.attribution,
        "sample_rate": spec.sample_rate,
        "window_samples": spec.window,
        "window_seconds": spec.window / spec.sample_rate,
        "labels": len(spec.labels),
        "background_labels": sum(label.background for label in spec.labels),
        "threshold_on": spec.threshold_on,
        "folder": str(bundle.folder),
        "runs_on": runs_on(catalogue, bundle),
        **listens,
        **({"metrics": dict(bundle.metrics)} if bundle.metrics else {}),
    }


def files_of(bundle: Bundle) -> dict[str, dict[str, object]]:
    """Its model files by kind: path, whether present, whether size and sha256 are right."""
    return {
        kind: {
            "path": str(store.file_path(bundle, kind)),
            "here": is_file(store.file_path(bundle, kind)),
            "whole": is_whole(bundle, kind),
            "sha256": file.sha256 or None,
            "derived_from": file.derived_from,
        }
        for kind, file in bundle.files.items()
    }


def labels_of(bundle: Bundle) -> list[dict[str, object]]:
    """Its labels, in the order of its outputs."""
    return [
        {
            "name": label.name,
            "class_id": label.class_id,
            "threshold": bundle.spec.threshold(label),
            "background": label.background,
        }
        for label in bundle.spec.labels
    ]


def runs_on(catalogue: ModelCatalogue, bundle: Bundle) -> list[str]:
    """The runtimes that could run it now, its members and base included."""
    if bundle.members:
        each = [runs_on(catalogue, network) for network in catalogue.networks(bundle)]
        return list(dict.fromkeys(runtime for one in each for runtime in one[:1])) if all(each) else []
    if bundle.head and not runs_on(catalogue, catalogue.bundle(bundle.head.base)):
        return []
    return [
        runtime
        for runtime in store.runtimes(bundle)
        if store.is_runtime_installed(runtime) and is_file(store.file_path(bundle, runtime))
    ]
