"""What the name of a model means: `yamnet`, `doorbell`, `yamnet+doorbell`, `yamnet+mn04+doorbell+kitchen`.

A bundle of the whole name wins. Else what follows the last `+` is one bundle, and what precedes it is read
in the same way. Networks run in parallel, and heads take their embeddings. A head without its base loads the
base too, whose labels are then not reported. Only model.yaml and its tables are read here, no model file.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from detector.backends.bundle import Bundle
from detector.backends.ensemble import joined_spec, parallel_spec
from detector.errors import ModelError, WrongModel
from detector.modelstore.catalogue import (
    ModelCatalogue,
    available,
    bundle_folder,
    ignored_folders,
    own_bundles,
    require_head,
)
from detector.modelstore.store import read_model_file, runtime_for, usable_runtimes
from detector.records import ModelSpec

log = logging.getLogger(__name__)

DEFAULT, LIGHT = "yamnet+mn04", "yamnet"
"""What listens where nothing else is asked for, and what does where a part of that is not on this machine."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The bundles that make up one model."""

    bases: tuple[Bundle, ...]
    """Networks, or models combined of networks; several run in parallel."""
    heads: tuple[Bundle, ...]
    with_base: bool
    """Whether the networks' own labels are reported."""
    base_spec: ModelSpec
    """The description of `bases` alone."""
    spec: ModelSpec
    """With all labels that are reported."""


def select(catalogue: ModelCatalogue, name: str, heads: Sequence[str] = ()) -> Selection:
    """Find the bundles of a name and of further heads; ModelError where they do not fit together."""
    bundles = bundles_of(catalogue, name)
    for head in map(catalogue.bundle, heads):
        if require_head(head) and head not in bundles:
            bundles.append(head)
    bases = [bundle for bundle in bundles if bundle.head is None]
    return _fitted(catalogue, bases, [bundle for bundle in bundles if bundle.head is not None])


def bundles_of(catalogue: ModelCatalogue, name: str) -> list[Bundle]:
    """The bundles that a name lists, in its order; ModelError where one is unknown."""
    folder = bundle_folder(name)
    left, plus, right = name.rpartition("+")
    if folder is not None or not plus or not left or not right:
        return [catalogue.bundle(name) if folder is None else catalogue.read(folder)]
    return [*bundles_of(catalogue, left), catalogue.bundle(right)]


def found_heads(catalogue: ModelCatalogue, name: str, *, strict: bool = False) -> tuple[str, ...]:
    """Name the heads in the models folders whose base is part of this model; none if it names heads.

    One that is damaged or does not fit is left out, with a line in the log; with `strict` it is a ModelError.
    A line also names one of which only a part of the base runs.
    """
    for folder in ignored_folders():
        log.warning("model.folder_ignored path=%s others than root may change it", folder)
    folders = own_bundles()
    if not folders or select(catalogue, name).heads:
        return ()
    found: list[str] = []
    for folder in folders:
        try:
            head = catalogue.read(folder)
            if head.head is None:
                continue
            needed, running = _networks(catalogue, head, select(catalogue, name))
            if not needed <= running:
                if needed & running:
                    log.warning(
                        "model.head_left_out name=%s: it needs --model %s", folder.name, head.head.base
                    )
                continue
            select(catalogue, name, [*found, folder.name])
            read_model_file(head, runtime_for(head, "auto"))
        except ModelError as error:
            if strict:
                raise
            log.warning("model.head_skipped %s", error)
        else:
            found.append(folder.name)
    return tuple(found)


def default_model(catalogue: ModelCatalogue) -> str:
    """`DEFAULT` where all of its networks could run now, else `LIGHT`."""
    networks = catalogue.networks(catalogue.bundle(DEFAULT))
    return DEFAULT if all(map(usable_runtimes, networks)) else LIGHT


def _fitted(catalogue: ModelCatalogue, bases: list[Bundle], heads: list[Bundle]) -> Selection:
    names = [bundle.spec.name for bundle in (*bases, *heads)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongModel(f"model {twice} is named twice: name it once")
    with_base = bool(bases)
    bases = bases or [_widest_base(catalogue, heads)]
    base_spec = bases[0].spec if len(bases) == 1 else parallel_spec([base.spec for base in bases])
    running = _running(catalogue, bases)
    if len(set(running)) < len(running):
        raise WrongModel(f"model {'+'.join(names)}: one network would run twice; name it once")
    for head in heads:
        _check_head(catalogue, head, names, running, with_base=with_base)
    spec = base_spec
    if heads:
        spec = joined_spec(
            [base_spec] * with_base + [head.spec for head in heads],
            sample_rate=base_spec.sample_rate,
            window=base_spec.window,
        )
    return Selection(tuple(bases), tuple(heads), with_base, base_spec, spec)


def _running(catalogue: ModelCatalogue, bases: Sequence[Bundle]) -> list[str]:
    return [network.spec.name for base in bases for network in catalogue.networks(base)]


def _networks(catalogue: ModelCatalogue, head: Bundle, selection: Selection) -> tuple[set[str], set[str]]:
    """The networks whose embeddings a head takes, and those of a selection."""
    return set(catalogue.networks_under(head)), set(_running(catalogue, selection.bases))


def _check_head(
    catalogue: ModelCatalogue, head: Bundle, names: list[str], running: list[str], *, with_base: bool
) -> None:
    """ModelError where a head's base is not part of the model, or has changed since it was trained."""
    base, name = catalogue.base_of(head), head.spec.name
    if (head.spec.sample_rate, head.spec.window) != (base.spec.sample_rate, base.spec.window):
        raise ModelError(
            f"head {name} was trained for {head.spec.window} samples at {head.spec.sample_rate} Hz, but "
            f"{base.spec.name} takes {base.spec.window} at {base.spec.sample_rate} Hz; train it again"
        )
    if not set(catalogue.networks_under(head)) <= set(running):
        both = f"{names[0]}+{base.spec.name}" if with_base else ""
        instead = f"{both if both in available() else base.spec.name}+{name}"
        raise WrongModel(f"{name} is a head on {base.spec.name}; use {instead} or {name} alone")


def _widest_base(catalogue: ModelCatalogue, heads: list[Bundle]) -> Bundle:
    """The base of heads without one in the name: of their bases, the one with the most networks."""
    return max(map(catalogue.base_of, heads), key=lambda base: len(catalogue.networks(base)))
