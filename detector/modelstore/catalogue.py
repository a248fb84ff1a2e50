"""Which models there are: where a name leads, and the bundles behind it, each read once."""

from __future__ import annotations

import os
from pathlib import Path

from detector.backends.bundle import Bundle, HeadYaml, load_bundle
from detector.config.wording import did_you_mean, show
from detector.errors import ModelError, WrongModel
from detector.modelstore.folders import check_closed, is_closed, searched_folders, shipped_folder


class ModelCatalogue:
    """Reads bundles and keeps them; make one for each command and each reload, since files may change."""

    def __init__(self) -> None:
        self._bundles: dict[Path, Bundle] = {}

    def bundle(self, name_or_path: str) -> Bundle:
        """Give the bundle of this name; ModelError where there is none, or a damaged one."""
        return self.read(find(name_or_path))

    def read(self, folder: Path) -> Bundle:
        """Give the bundle in this folder; ModelError where it is damaged, or root may not rely on it."""
        if folder not in self._bundles:
            check_closed(folder)
            self._bundles[folder] = load_bundle(folder)
        return self._bundles[folder]

    def networks(self, bundle: Bundle) -> list[Bundle]:
        """Give the bundles that hold a model's networks: itself, or its members; ModelError for a head."""
        if bundle.head is not None:
            base, name = bundle.head.base, bundle.spec.name
            raise WrongModel(f"model {name} is a head on {base}, not a network")
        if not bundle.members:
            return [bundle]
        found = [self.bundle(member.model) for member in bundle.members]
        for network in found:
            if network.members or network.head:
                raise ModelError(
                    f"model {bundle.spec.name}: its member {network.spec.name} is not a network: "
                    "it has members or a base itself"
                )
        return found

    def base_of(self, head: Bundle) -> Bundle:
        """Give the model that a head listens to; ModelError where there is none, or it is a head too."""
        name, wanted = head.spec.name, require_head(head).base
        try:
            base = self.bundle(wanted)
        except ModelError as error:
            raise ModelError(f"head {name}: its base: {error}") from error
        if base.head is not None:
            raise ModelError(f"head {name}: its base {base.spec.name} is a head itself")
        return base

    def networks_under(self, head: Bundle) -> tuple[str, ...]:
        """Name the networks whose embeddings a head takes, in order; ModelError where that cannot be."""
        return tuple(network.spec.name for network in self.networks(self.base_of(head)))


def require_head(bundle: Bundle) -> HeadYaml:
    """Return the `head` section of a bundle; ModelError where it has none."""
    if bundle.head is None:
        name = bundle.spec.name
        raise WrongModel(f"model {name} is not a head: name it in model.name, alone or after a +")
    return bundle.head


def available() -> list[str]:
    """Name the bundles in the user's folder and those that ship with the program, sorted."""
    return sorted({folder.name for folder in (*own_bundles(), *_bundles_in(shipped_folder()))})


def own_bundles() -> list[Path]:
    """The folders of the bundles that do not come with the program, of each name the one that is used."""
    found: dict[str, Path] = {}
    for folder in searched_folders():
        for bundle in _bundles_in(folder):
            found.setdefault(bundle.name, bundle)
    return [found[name] for name in sorted(found)]


def ignored_folders() -> list[Path]:
    """List the models folders that root does not read, since others may change them."""
    return [folder for folder in searched_folders() if not is_closed(folder) and folder.is_dir()]


def find(name_or_path: str) -> Path:
    """Return a bundle's folder: a path to one, else by name, the user's own before the program's."""
    folder = bundle_folder(name_or_path)
    if folder is not None:
        return folder
    if _is_path(name_or_path):
        raise WrongModel(f"{name_or_path}: expected the folder of a model, with a model.yaml in it")
    here = [Path(name_or_path), Path("models", name_or_path)]
    if folder := next(filter(_holds_bundle, here), None):
        raise WrongModel(f"there is no model {show(name_or_path)}; for the folder write ./{folder}")
    for folder in searched_folders():
        if _holds_bundle(folder / name_or_path):
            check_closed(folder / name_or_path)
    names = available()
    hint = did_you_mean(name_or_path, names) or f"the known models are {', '.join(names)}"
    raise WrongModel(f"there is no model {show(name_or_path)}; {hint}")


def bundle_folder(name_or_path: str) -> Path | None:
    """Return the folder that `find` finds, or None."""
    if _is_path(name_or_path):
        folder = Path(os.path.expanduser(name_or_path))  # noqa: PTH111  # which never raises
        return folder if _holds_bundle(folder) else None
    folders = [folder / name_or_path for folder in (*searched_folders(), shipped_folder())]
    return next((folder for folder in folders if _holds_bundle(folder) and is_closed(folder)), None)


def _bundles_in(folder: Path) -> list[Path]:
    try:
        return [path.parent for path in sorted(folder.glob("*/model.yaml")) if is_closed(path.parent)]
    except OSError:  # a folder that this user may not read
        return []


def _holds_bundle(folder: Path) -> bool:
    """Whether there is a description of whatever kind: a pipe or folder of that name is refused when read."""
    return os.path.lexists(folder / "model.yaml")


def _is_path(name_or_path: str) -> bool:
    return Path(name_or_path).name != name_or_path or name_or_path in {"", ".", ".."}
