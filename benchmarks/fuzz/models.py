"""A model from a stranger: its description, its tables, and bytes that are not what was promised."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from benchmarks import ROOT
from benchmarks.fuzz.target import Finding, Run, Target
from detector.backends.bundle import load_bundle
from detector.errors import ModelError
from detector.files.guarded import replace_file
from detector.modelstore.catalogue import ModelCatalogue, available, find
from detector.modelstore.store import read_model_file

_SECRET = b"a file of somebody else"
_PLACES = (
    *("model.yaml", "labels.csv", "ontology.csv", "fuzz.tflite", "fuzz.tflite.part", "fuzz.tflite.json"),
    *("fuzz.onnx", "fuzz.onnx.part", "fuzz.onnx.json"),
)
"""Where something may be planted."""
_KINDS = ("pipe", "folder", "socket", "huge", "link", "twin", "text", "none")
"""What may be planted; `none` takes the file away."""
_WRONG_VALUES = (
    *("[1]", "{a: 1}", "null", "true", "''", "-1", "0", "1.5", ".inf", ".nan", "1e308", "1e-46"),
    *("9" * 30, "9" * 5000, "'" + "x" * 300 + "'", "2026-11-20", "!!binary AAAA", "0x7fffffffffffffff"),
)

_NETWORK = bytes(range(256)) * 8
_DERIVED = b"derived " + _NETWORK
_SIDECAR = {"sha256": sha256(_DERIVED).hexdigest(), "origin_sha256": sha256(_NETWORK).hexdigest()}

_LABELS = """index,mid,display_name,background
0,/m/0bt9lr,Dog,0
1,/m/06mb1,Rain,0
2,/m/028v0c,Silence,1
"""
_ONTOLOGY = "mid,parents\n/m/0bt9lr,/m/0jbk\n/m/0jbk,\n/m/06mb1,/m/0jbk /m/028v0c\n/m/028v0c,\n"
_DESCRIPTION = f"""name: fuzz
description: nothing that can be run
licence: MIT
attribution: nobody
sample_rate: 16000
window: 15600
labels: labels.csv
ontology: ontology.csv
threshold_on: 0.3
thresholds: {{Dog: 0.4}}
front_end: {{frame: 400, hop: 160, fft: 512, bands: 64, low_hz: 125.0, high_hz: 7500.0, log_offset: 0.001}}
files:
  tflite:
    name: fuzz.tflite
    input: waveform
    size: {len(_NETWORK)}
    sha256: {sha256(_NETWORK).hexdigest()}
    sources: [{{url: "https://example.org/fuzz.tflite"}}, {{pip: fuzz==1, member: a/fuzz.tflite}}]
  onnx: {{name: fuzz.onnx, input: logmel, derived_from: tflite}}
"""
_YAML_WORDS = (
    *(b"name", b"sample_rate", b"window", b"labels", b"ontology", b"thresholds", b"front_end", b"frame"),
    *(b"hop", b"fft", b"bands", b"low_hz", b"high_hz", b"files", b"tflite", b"onnx", b"input", b"logmel"),
    *(b"waveform", b"size", b"sha256", b"sources", b"url", b"pip", b"member", b"derived_from", b"/dev/zero"),
    *(
        b"../",
        b"labels.csv",
        b"ontology.csv",
        b"model.yaml",
        b": ",
        b"- ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\n",
        b"~",
    ),
)
_PLAN_WORDS = (
    *(name.encode() for name in (*_PLACES, *_KINDS)),
    *(
        b" ",
        b"\n",
        b". open",
        b".. open",
        b". closed",
        b"OUTSIDE",
        b"/dev/zero",
        b"/dev/tty",
        b"/proc/self/mem",
    ),
    *(b"../fuzz/labels.csv", b"/proc/self/fd/0", b"/dev/stdin", b"fuzz.tflite", b"../../../outside"),
)
_CSV_WORDS = (b",", b"\n", b'"', b"0", b"1", b"/m/0bt9lr", b"/m/0jbk", b" ", b"Dog", b"\r", b"mid,parents")


def _file_in_bundle(name: str) -> Callable[[Path], AbstractContextManager[Run]]:
    """Inputs take the place of one file of a bundle, which is then loaded."""

    @contextmanager
    def target(folder: Path) -> Iterator[Run]:
        _write_bundle(folder)

        def run(data: bytes) -> None:
            (folder / name).write_bytes(data)
            load_bundle(folder)

        yield run

    return target


@contextmanager
def _networks(folder: Path) -> Iterator[Run]:
    _write_bundle(folder)
    bundle = load_bundle(folder)

    def run(data: bytes) -> None:
        (folder / "fuzz.tflite").write_bytes(data)
        if read_model_file(bundle, "tflite") != _NETWORK:
            raise Finding("a model file with another hash was handed to the runtime")

    yield run


@contextmanager
def _side_cars(folder: Path) -> Iterator[Run]:
    _write_bundle(folder)
    bundle = load_bundle(folder)
    (folder / "fuzz.onnx").write_bytes(_DERIVED)

    def run(data: bytes) -> None:
        (folder / "fuzz.onnx.json").write_bytes(data)
        read_model_file(bundle, "onnx")

    yield run


@contextmanager
def _planted_folders(folder: Path) -> Iterator[Run]:
    """Inputs say, a line for each file of a bundle, what somebody put in its place; then it is used.

    A line is NAME WHAT [TARGET]; `.` names the folder of the bundle, `..` the folder of models.
    """
    home, outside = folder / "home", folder / "outside"
    before = os.environ.get("SOUND_DETECTOR_HOME")
    os.environ["SOUND_DETECTOR_HOME"] = str(home)
    outside.write_bytes(_SECRET)

    def run(data: bytes) -> None:
        shutil.rmtree(home, ignore_errors=True)
        bundle = home / "models" / "fuzz"
        bundle.mkdir(parents=True)
        _write_bundle(bundle)
        (bundle / "fuzz.onnx").write_bytes(_DERIVED)
        (bundle / "fuzz.onnx.json").write_text(json.dumps(_SIDECAR))
        for line in data.decode("utf-8", "surrogateescape").splitlines()[:20]:
            name, _, what = line.partition(" ")
            _plant(bundle, name, what, outside)
        try:
            _use_folder(bundle)
        finally:
            for planted in (bundle, bundle.parent):
                planted.chmod(0o755)
        if outside.read_bytes() != _SECRET:
            raise Finding("a file outside of the bundle was written to")

    try:
        yield run
    finally:
        if before is None:
            del os.environ["SOUND_DETECTOR_HOME"]
        else:
            os.environ["SOUND_DETECTOR_HOME"] = before


def _plant(bundle: Path, name: str, what: str, outside: Path) -> None:
    """Put something in the place of one of a bundle's files; words that mean nothing stand for some."""
    kind, _, target = what.partition(" ")
    if name in (".", ".."):
        (bundle / name).chmod(0o000 if kind == "closed" else 0o777)
        return
    path, kind = bundle / _one_of(_PLACES, name), _one_of(_KINDS, kind)
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.relpath(path))
        elif kind == "huge":
            with path.open("wb") as file:
                file.truncate(1 << 40)
        elif kind == "link":
            path.symlink_to(target.replace("OUTSIDE", str(outside)) or "nowhere")
        elif kind == "twin":
            path.hardlink_to(outside)
        elif kind == "text":
            path.write_text(target, errors="surrogateescape")
    except (OSError, ValueError):
        return  # the input asks for what cannot be


def _one_of(known: Sequence[str], word: str) -> str:
    return word if word in known else known[crc32(os.fsencode(word)) % len(known)]


def _use_folder(bundle: Path) -> None:
    """What `models list`, a start and `models pull` do with it."""
    available()
    catalogue = ModelCatalogue()
    found = catalogue.bundle("fuzz")
    if find("fuzz") != bundle:
        raise Finding(f"fuzz was found in {find('fuzz')}")
    for kind in found.files:
        content = read_model_file(found, kind)
        if content not in (_NETWORK, _DERIVED):
            raise Finding("a model file with another hash was handed to the runtime")
        try:
            replace_file(bundle / found.files[kind].name, content)
        except OSError as error:
            raise ModelError(f"cannot be written: {error.strerror}") from error


def _plans() -> Sequence[bytes]:
    every = [f"{name} {kind} OUTSIDE".encode() for name in _PLACES for kind in _KINDS]
    devices = [f"{name} link {device}".encode() for name in _PLACES for device in ("/dev/zero", "/dev/tty")]
    return (
        b"",
        *every,
        *devices,
        b". open\nlabels.csv link /etc/passwd",
        b".. open\nmodel.yaml link OUTSIDE",
        b"labels.csv link labels.csv\nontology.csv link ../fuzz/model.yaml",
    )


def _write_bundle(folder: Path) -> None:
    (folder / "model.yaml").write_text(_DESCRIPTION)
    (folder / "labels.csv").write_text(_LABELS)
    (folder / "ontology.csv").write_text(_ONTOLOGY)
    (folder / "fuzz.tflite").write_bytes(_NETWORK)


def _descriptions() -> Sequence[bytes]:
    """Two good ones, and for each key of the first one it with values of the wrong type or size."""
    lines = _DESCRIPTION.splitlines()
    wrong = []
    for number, line in enumerate(lines):
        key, colon, _ = line.partition(": ")
        if colon:
            for value in _WRONG_VALUES:
                changed = [*lines[:number], f"{key}: {value}", *lines[number + 1 :]]
                wrong.append("\n".join(changed).encode())
    return (_DESCRIPTION.encode(), (ROOT / "models" / "yamnet" / "model.yaml").read_bytes(), *wrong)


def _label_tables() -> Sequence[bytes]:
    many = "".join(f"{i},m{i},n{i},0\n" for i in range(3, 4000))
    return (_LABELS.encode(), (_LABELS + many).encode())


def _ontologies() -> Sequence[bytes]:
    chain = "".join(f"c{i},c{i + 1}\n" for i in range(4000))
    return (_ONTOLOGY.encode(), f"{_ONTOLOGY}{chain}c4000,\n".encode(), b"mid,parents\na,b\nb,a\n")


def _side_car_seeds() -> Sequence[bytes]:
    return (json.dumps(_SIDECAR).encode(), b"[" * 5000, b'{"sha256": 1, "origin_sha256": []}')


TARGETS = (
    Target("model.yaml", 100, _descriptions, _file_in_bundle("model.yaml"), _YAML_WORDS),
    Target("labels.csv", 70, _label_tables, _file_in_bundle("labels.csv"), _CSV_WORDS),
    Target("ontology.csv", 50, _ontologies, _file_in_bundle("ontology.csv"), _CSV_WORDS),
    Target("model file", 30, lambda: (_NETWORK,), _networks, guided=False),
    Target("model's folder", 60, _plans, _planted_folders, _PLAN_WORDS),
    Target("model side-car", 20, _side_car_seeds, _side_cars, (b'"sha256"', b'"origin_sha256"', b"{", b"[")),
)
