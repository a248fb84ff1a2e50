"""The folder of one class: a clip is written whole or not at all, and none is ever overwritten."""

from __future__ import annotations

import glob
import io
import os
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from detector.datasets.clip_names import clip_name, session_text
from detector.datasets.labelled_clips import read_dataset
from detector.errors import ConfigError, DatasetError


class ClipFolder:
    """`dataset`/`label`, created where it does not exist, and removed again if it stays empty.

    `began` [UTC seconds since 1970] gives its clips their common name. Raises DatasetError where it cannot be
    made or written to, before anything is recorded.
    """

    def __init__(self, dataset: Path, label: str, *, began: float, sample_rate: int) -> None:
        self.path = dataset / label
        self._dataset = dataset
        self._label = label
        self._sample_rate = sample_rate
        self._soundfile = _soundfile()
        self._made: list[Path] = []
        try:
            _check_other_spellings(dataset, label)
            self._session = self._new_session(began)
            self._made = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            self._write(self._temporary("trial"), b"")
            self._temporary("trial").unlink()
        except OSError as error:
            self.close()
            raise DatasetError(
                f"cannot keep clips in {self.path}: {error.strerror}; choose another folder with --out"
            ) from error

    def keep(self, samples: NDArray[np.int16], number: int, part: int | None) -> Path:
        """Write one clip and return its path; raises DatasetError and leaves nothing behind."""
        path = self.path / clip_name(self._label, self._session, number, part)
        temporary = self._temporary(path.name)
        try:
            self._write(temporary, self._encoded(samples))
            if path.exists():
                raise FileExistsError(17, "it is there already")
            temporary.rename(path)
        except OSError as error:
            raise DatasetError(
                f"cannot write {path}: {error.strerror}; the clips before it are kept"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def other_classes(self) -> list[str]:
        """The dataset's other classes that hold clips."""
        try:
            return [name for name in read_dataset(self._dataset, "folders").classes if name != self._label]
        except DatasetError:
            return []

    def close(self) -> None:
        """Remove the folders that were made and are still empty."""
        with suppress(OSError):
            for path in self._made:
                path.rmdir()

    def _new_session(self, began: float) -> str:
        """The second it began, or the next one that no clip of the folder has in its name."""
        names = [path.name for path in self.path.glob(f"{glob.escape(self._label)}-*")]
        while any(name.startswith(f"{self._label}-{session_text(began)}-") for name in names):
            began += 1
        return session_text(began)

    def _temporary(self, name: str) -> Path:
        return self.path / f".{self._session}-{name}.part"

    def _write(self, path: Path, data: bytes) -> None:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _encoded(self, samples: NDArray[np.int16]) -> bytes:
        """FLAC, encoded in memory: so a full disk is a plain OSError."""
        file = io.BytesIO()
        self._soundfile.write(file, samples, self._sample_rate, format="FLAC", subtype="PCM_16")
        return file.getvalue()


def _check_other_spellings(dataset: Path, label: str) -> None:
    """ConfigError where the class is there in other letters: Doorbell and doorbell would be two classes."""
    if not dataset.is_dir() or (dataset / label).exists():
        return
    for path in dataset.iterdir():
        if path.is_dir() and path.name.casefold() == label.casefold():
            raise ConfigError(f"LABEL {label!r}: {path} is there already; write it the same way")


def _soundfile() -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, libsndfile is not
        raise DatasetError(f"clips need the package soundfile ({error}): pip install soundfile") from error
    module: ModuleType = soundfile
    return module
