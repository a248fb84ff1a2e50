"""`sound-detector models list | pull | verify | info | groups`: results on stdout, progress on stderr.

Each returns the exit code; a ModelError is left to the command line, which prints it.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from detector.alarms.alarm_stage import PATTERN_LABELS
from detector.backends.bundle import Bundle
from detector.errors import ModelError
from detector.events.groups import GROUPS
from detector.files.data_folders import installed_folder, models_folder
from detector.files.guarded import is_file, read_file
from detector.files.terminal import print_escaped, print_json
from detector.modelstore import store
from detector.modelstore.catalogue import ModelCatalogue, available, ignored_folders
from detector.modelstore.checksum import sha256_of
from detector.modelstore.facts import facts_of, files_of, labels_of, runs_on
from detector.modelstore.pull import is_whole, pull
from detector.modelstore.selection import bundles_of, default_model, found_heads, select
from detector.workers.progress import ProgressBar

BAR_FORMAT = "{percentage:3.0f} % |{bar}| {n_fmt}B of {total_fmt}B, {remaining} left"


def list_models(*, as_json: bool = False) -> int:
    """Print every bundle: name, rate, window, which runtimes could run it now, what it is.

    A bundle that cannot be read is reported on standard error, and the code is 1.
    """
    facts: list[dict[str, object]] = []
    rows: list[tuple[str, ...]] = [("NAME", "RATE", "WINDOW", "LABELS", "RUNS ON", "DESCRIPTION")]
    unread = 0
    catalogue = ModelCatalogue()
    for folder in ignored_folders():
        print_escaped(f"{folder}: not read: others than root may change it", sys.stderr)
    for name in available():
        try:
            bundle = catalogue.bundle(name)
            facts.append(facts_of(catalogue, bundle) | {"files": files_of(bundle)})
            rows.append(_row(catalogue, bundle))
        except ModelError as error:
            unread += 1
            print_escaped(str(error), sys.stderr)
    if as_json:
        print_json(facts)
        return 1 if unread else 0
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print_escaped(
            "  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]])
        )
    return 1 if unread else 0


def info_model(name: str | None = None, *, as_json: bool = False, labels: bool = False) -> int:
    """Print what is known of a model and of each that it is made of; with `labels` also their labels.

    None is the model that runs where the settings name none.
    """
    catalogue = ModelCatalogue()
    bundles = bundles_of(catalogue, name or default_model(catalogue))
    if as_json:
        facts = [
            facts_of(catalogue, bundle)
            | {"files": files_of(bundle)}
            | ({"label_list": labels_of(bundle)} if labels else {})
            for bundle in bundles
        ]
        print_json(facts if len(facts) > 1 else facts[0])
        return 0
    for number, bundle in enumerate(bundles):
        if number > 0:
            print()
        _print_facts(facts_of(catalogue, bundle), files_of(bundle))
        if labels:
            _print_labels(labels_of(bundle))
    return 0


def _print_facts(facts: Mapping[str, object], files: Mapping[str, Mapping[str, object]]) -> None:
    width = max(len(key) for key in facts) + 2
    for key, value in facts.items():
        text = ", ".join(value) or "nothing yet" if isinstance(value, list) else str(value)
        if isinstance(value, dict):
            text = ", ".join(f"{name} {number:g}" for name, number in value.items())
        print_escaped(f"{key.replace('_', ' '):{width}}{text}")
    for kind, file in files.items():
        state = "whole" if file["whole"] else "damaged" if file["here"] else "not here"
        print_escaped(f"{kind + ' file':{width}}{file['path']} ({state})")


def _print_labels(labels: Sequence[Mapping[str, object]]) -> None:
    width = max(len(str(label["name"])) for label in labels)
    print_escaped(f"\n{'LABEL':{width}}  THRESHOLD  CLASS ID")
    for label in labels:
        remark = "  (background: not reported unless asked for)" if label["background"] else ""
        print_escaped(f"{label['name']!s:{width}}  {label['threshold']!s:>9}  {label['class_id']}{remark}")


def list_groups(name: str | None = None, *, as_json: bool = False) -> int:
    """Print each group of labels, and what is reported of it; None is the model that runs by default.

    Alarms that are known by their pattern are named beside the model's labels.

    As JSON, `kinds` are the group's labels that are reported under another one, or only if asked for by name.
    """
    catalogue = ModelCatalogue()
    model = default_model(catalogue) if name is None else name
    heads = found_heads(catalogue, model) if name is None else ()
    labels = (*select(catalogue, model, heads).spec.labels, *PATTERN_LABELS)
    facts = []
    for group in GROUPS:
        held = [label for label in labels if group.holds(label)]
        reported = list(dict.fromkeys(label.name for label in held if label.reported_as is None))
        kinds = list(dict.fromkeys(label.name for label in held if label.reported_as is not None))
        facts.append({"name": group.name, "about": group.about, "labels": reported, "kinds": kinds})
        if not as_json:
            print_escaped(f"{group.name:14}{group.about}")
            for line in textwrap.wrap("; ".join(reported) or "nothing that this model knows", 80 - 16):
                print_escaped(f"{'':16}{line}")
    if as_json:
        print_json(facts)
    return 0


def pull_model(name: str, *, from_file: str | None = None, quiet: bool = False) -> int:
    """Bring one model to this machine; prints where its files lie, tells progress on standard error.

    What stands behind a name with + is brought part by part, and with a head its base; of these, `from_file`
    serves the one that it belongs to.
    """
    if installed_folder(Path(sys.prefix)) == models_folder():
        os.umask(0o022)  # the service and its users read what root brings
    networks = _with_files(ModelCatalogue(), name)
    brought = None if from_file is None else Path(from_file)
    owner = networks[0] if len(networks) == 1 else _owner(networks, brought)
    bar = _Bar(enabled=not quiet and sys.stderr.isatty())
    try:
        for network in networks:
            pull(
                network,
                from_file=brought if network is owner else None,
                say=bar.say,
                progress=bar.progress,
            )
    finally:
        bar.close()
    for network in networks:
        for kind in network.files:
            if is_whole(network, kind):
                print_escaped(f"{network.spec.name}: {store.file_path(network, kind)} is here and verified")
    return 0


def _owner(networks: Sequence[Bundle], brought: Path | None) -> Bundle | None:
    """Which of several models a file belongs to, by its size and sha256; ModelError where to none."""
    if brought is None:
        return None
    files = [(network, file) for network in networks for file in network.files.values() if file.sha256]
    try:
        content = read_file(brought, max_bytes=max(file.size for _, file in files))
    except OSError as error:
        raise ModelError(f"{brought}: {error.strerror}") from error
    given = (len(content), sha256_of(content))
    owner = next((network for network, file in files if (file.size, file.sha256) == given), None)
    if owner is None:
        names = " nor ".join(file.name for _, file in files)
        raise ModelError(f"{brought}: is neither {names}: its size and sha256 are those of none of them")
    return owner


def verify_models(names: list[str]) -> int:
    """Check size and sha256 of every file of these models, or of all that are here; 1 where one is wrong."""
    catalogue = ModelCatalogue()
    bundles = [bundle for name in names or available() for bundle in bundles_of(catalogue, name)]
    networks = {member.folder: member for bundle in bundles for member in _members(catalogue, bundle)}
    bad = 0
    for bundle in networks.values():
        for kind in bundle.files:
            path = store.file_path(bundle, kind)
            fixed = bundle.files[kind].derived_from is None
            if not is_file(path) and not (names and fixed):
                continue
            try:
                store.read_model_file(bundle, kind)
            except ModelError as error:
                bad += 1
                print_escaped(f"BAD  {error}")
            else:
                print_escaped(f"ok   {path}")
    return 1 if bad else 0


def _members(catalogue: ModelCatalogue, bundle: Bundle) -> list[Bundle]:
    """The bundles that hold a model's own files: itself, or its members."""
    return [bundle] if bundle.head else catalogue.networks(bundle)


def _with_files(catalogue: ModelCatalogue, name: str) -> list[Bundle]:
    """Every bundle whose files a model needs."""
    selection = select(catalogue, name)
    networks = [network for base in selection.bases for network in catalogue.networks(base)]
    return [*networks, *selection.heads]


def _row(catalogue: ModelCatalogue, bundle: Bundle) -> tuple[str, ...]:
    spec = bundle.spec
    state = ", ".join(runs_on(catalogue, bundle))
    if not state:
        is_whole_model = all(map(_is_here, _with_files(catalogue, str(bundle.folder))))
        state = "no runtime" if is_whole_model else "not pulled"
    about = f"head on {bundle.head.base}: {bundle.description}" if bundle.head else bundle.description
    seconds = f"{spec.window / spec.sample_rate:.3f} s"
    return spec.name, f"{spec.sample_rate} Hz", seconds, str(len(spec.labels)), state, about


def _is_here(network: Bundle) -> bool:
    return any(is_file(store.file_path(network, runtime)) for runtime in store.runtimes(network))


class _Bar:
    """A progress bar that exists only while there are bytes to show, and lines that do not tear it."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._bar: ProgressBar | None = None

    def progress(self, done: int, size: int) -> None:
        """Show how far the transfer is."""
        if not self._enabled:
            return
        if self._bar is None:
            self._bar = ProgressBar(size, BAR_FORMAT, in_bytes=True, leave=False)
        self._bar.show(done)

    def say(self, line: str) -> None:
        """Print one line on standard error."""
        self.close()
        print_escaped(line, sys.stderr)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
