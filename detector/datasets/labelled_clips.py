"""Datasets of clips: the layouts of ESC-50 and UrbanSound8K, and a folder for each class; their folds.

A clip knows the recording it was cut from where the layout says so: a model trained on one part of a
recording and tested on another part looks better than it is, so a source in two folds is an error.
"""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.errors import DatasetError
from detector.files.guarded import is_file, is_folder
from detector.files.sound_files import SOUND_SUFFIXES, files_in, is_hidden
from detector.files.terminal import escape

log = logging.getLogger(__name__)

BACKGROUND = "background"
BACKGROUND_NAMES = {BACKGROUND, "negatives", "negative", "unknown", "_background_", "_unknown_"}
"""Classes whose clips hold no event, in any case of letters; all are BACKGROUND."""

_ESC_NAME = re.compile(r"(?P<fold>\d+)-(?P<source>\d+)-(?P<take>[A-Z]+)(-\d+)?")
_RECORDED_NAME = re.compile(r"(?P<stretch>.+-\d{8}T\d{6}Z-\d+)(-\d+)?")
"""What `record` calls clips: LABEL-SESSION-NN, and LABEL-SESSION-NN-PP the parts of one stretch of sound."""
_NUMBERED = re.compile(r"\d+\s*-\s*")


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled sound file."""

    path: Path
    label: str
    """Its class, as the dataset calls it."""
    fold: str | None
    """None where the dataset defines none."""
    source: str
    """The recording it was cut from; the file's own name where that is not known."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Clips of one folder."""

    layout: str
    """`esc50`, `urbansound8k` or `folders`."""
    clips: tuple[Clip, ...]

    @property
    def classes(self) -> list[str]:
        """Every class, sorted."""
        return sorted({clip.label for clip in self.clips})

    @property
    def folds(self) -> list[str]:
        """Every fold, sorted; empty where there are none."""
        return sorted({clip.fold for clip in self.clips if clip.fold is not None}, key=lambda f: (len(f), f))


def class_of(label: str) -> str:
    """The class that a folder or a table's entry stands for."""
    return BACKGROUND if label.casefold() in BACKGROUND_NAMES else label


def read_dataset(root: Path, layout: str | None = None) -> Dataset:
    """Find the clips; `layout` None recognises the layout; raises DatasetError."""
    if not root.is_dir():
        raise DatasetError(
            f"{root} {'is a file' if root.exists() else 'does not exist'}; expected a folder of clips"
        )
    chosen = layout or _layout(root)
    dataset = Dataset(chosen, tuple(LAYOUTS[chosen](root)))
    if not dataset.clips:
        raise DatasetError(f"{root}: no clip found; expected a folder for each class, with sound files in it")
    if missing := [clip.path for clip in dataset.clips if not is_file(clip.path)]:
        first = escape(str(missing[0]))
        raise DatasetError(f"{root}: {len(missing)} clips of the table are missing, first {first}")
    check_folds(dataset.clips)
    return dataset


def check_folds(clips: Sequence[Clip]) -> None:
    """DatasetError where clips of one source lie in two folds."""
    first: dict[str, Clip] = {}
    for clip in clips:
        other = first.setdefault(clip.source, clip)
        if clip.fold != other.fold:
            raise DatasetError(
                f"folds leak: {other.path.name} in fold {other.fold} and {clip.path.name} in fold "
                f"{clip.fold} are from the same source {clip.source}; put all clips of a source into one fold"
            )


def _layout(root: Path) -> str:
    if (root / "meta" / "esc50.csv").is_file():
        return "esc50"
    if (root / "metadata" / "UrbanSound8K.csv").is_file():
        return "urbansound8k"
    return "folders"


def _esc50(root: Path) -> list[Clip]:
    rows = _rows(root / "meta" / "esc50.csv", ("filename", "fold", "category"))
    return [
        Clip(
            root / "audio" / row["filename"],
            row["category"],
            row["fold"],
            row.get("src_file") or Path(row["filename"]).stem,
        )
        for row in rows
    ]


def _urbansound8k(root: Path) -> list[Clip]:
    """The clips whose folds are there; a file may have been encoded anew, so its suffix is not fixed."""
    rows = _rows(root / "metadata" / "UrbanSound8K.csv", ("slice_file_name", "fsID", "fold", "class"))
    return [
        Clip(
            _encoded(root / "audio" / f"fold{row['fold']}" / row["slice_file_name"]),
            row["class"],
            row["fold"],
            row["fsID"],
        )
        for row in rows
        if is_folder(root / "audio" / f"fold{row['fold']}")
    ]


def _folders(root: Path) -> list[Clip]:
    paths: list[Path] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not is_hidden(path.name)):
        found = files_in(folder)
        paths += found
        if not found:
            log.warning("%s: no class, since it holds no recording", folder)
    paths.sort()
    matches = [_ESC_NAME.fullmatch(path.stem) for path in paths]
    folded = bool(matches) and all(match is not None for match in matches)
    return [
        Clip(
            path,
            _class_name(path.relative_to(root).parts[0]),
            match["fold"] if folded and match else None,
            match["source"] if folded and match else _recording(path.relative_to(root)),
        )
        for path, match in zip(paths, matches, strict=True)
    ]


def _recording(path: Path) -> str:
    """The stretch of sound that a file of `record` was cut from, else the file itself."""
    match = _RECORDED_NAME.fullmatch(path.stem)
    return str(path.with_name(match["stretch"])) if match else str(path)


def _class_name(folder: str) -> str:
    """`001 - Dog bark` is the class Dog bark; what is no text in a folder's name becomes an escape."""
    return escape(_NUMBERED.sub("", folder, count=1) or folder)


def _encoded(path: Path) -> Path:
    if is_file(path):
        return path
    stem = path.name.removesuffix(".wav")
    others = (path.with_name(stem + suffix) for suffix in sorted(SOUND_SUFFIXES))
    return next(filter(is_file, others), path)


def _rows(path: Path, columns: Sequence[str]) -> list[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            headings = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    missing = [column for column in columns if column not in headings]
    if missing:
        raise DatasetError(
            f"{path}: expected the columns {', '.join(columns)}; {', '.join(missing)} is missing"
        )
    for number, row in enumerate(rows, 2):
        if not all(row[column] for column in columns):
            raise DatasetError(f"{path}, line {number}: expected a value in each of {', '.join(columns)}")
    return list(rows)


LAYOUTS: Mapping[str, Callable[[Path], list[Clip]]] = {
    "esc50": _esc50,
    "urbansound8k": _urbansound8k,
    "folders": _folders,
}
"""Name -> reader."""
