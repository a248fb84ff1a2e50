"""Annotated recordings: sound files, and the annotations that belong to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.datasets.annotation_files import find_annotations, read_annotations
from detector.datasets.annotation_table import is_table_of_many, read_table
from detector.datasets.annotations import Annotation
from detector.errors import AnnotationError, DatasetError
from detector.files.sound_files import files_in


@dataclass(frozen=True, slots=True)
class Truth:
    """A recording and what sounds in it."""

    path: Path
    annotated_in: Path
    annotations: tuple[Annotation, ...]


def find_sound_files(paths: Sequence[Path]) -> list[Path]:
    """Return files as they are, folders by all recordings in them and below; DatasetError for none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += files_in(path)
        elif path.is_file():
            found.append(path)
        else:
            raise DatasetError(f"{path} {_lacks(path)}; expected a recording or a folder of recordings")
    if not found:
        raise DatasetError(f"no recording found in {', '.join(map(str, paths))}; expected sound files")
    return found


def read_truths(paths: Sequence[Path], annotations: Path) -> list[Truth]:
    """Find each recording's annotations: in a folder, a table that names them, or its one file."""
    if annotations.is_dir():
        sources = _sources(paths, annotations)
        found = [read_annotations(source) for source in sources]
    elif not annotations.is_file():
        raise AnnotationError(
            f"{annotations} {_lacks(annotations)}; expected a folder of annotations or a table"
        )
    else:
        sources = [annotations] * len(paths)
        if is_table_of_many(annotations):
            found = read_table(annotations, paths)
        elif len(paths) == 1:
            found = [read_annotations(annotations)]
        else:
            raise AnnotationError(
                f"{annotations} annotates one recording, got {len(paths)}; "
                "give a folder, or a .csv or .tsv table with a column filename"
            )
    return [
        Truth(path, source, tuple(sounds)) for path, source, sounds in zip(paths, sources, found, strict=True)
    ]


def _lacks(path: Path) -> str:
    return "is not a regular file" if path.exists() else "does not exist"


def _sources(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Each recording's file of annotations: in the subfolder called like its own folder, else in the folder.

    AnnotationError where two recordings of one name would be judged by one file.
    """
    sources: dict[Path, Path] = {}
    for path in paths:
        below = folder / path.absolute().parent.name
        source = find_annotations(below if below.is_dir() else folder, path.stem)
        if source in sources:
            raise AnnotationError(
                f"{source} would annotate both {sources[source]} and {path}; put the annotations of each "
                f"into a folder of its own: {below / source.name}, or evaluate one of them at a time"
            )
        sources[source] = path
    return list(sources)
