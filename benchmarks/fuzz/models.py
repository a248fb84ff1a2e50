"""A model from a stranger: its description, its tables, and bytes that are not what was promised."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path

from benchmarks import ROOT
from benchmarks.fuzz.target import Finding, Run, Target
from detector.backends.bundle import load_bundle
from detector.modelstore.store import read_model_file

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


def _write_bundle(folder: Path) -> None:
    (folder / "model.yaml").write_text(_DESCRIPTION)
    (folder / "labels.csv").write_text(_LABELS)
    (folder / "ontology.csv").write_text(_ONTOLOGY)
    (folder / "fuzz.tflite").write_bytes(_NETWORK)


def _descriptions() -> Sequence[bytes]:
    return (_DESCRIPTION.encode(), (ROOT / "models" / "yamnet" / "model.yaml").read_bytes())


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
    Target("model side-car", 20, _side_car_seeds, _side_cars, (b'"sha256"', b'"origin_sha256"', b"{", b"[")),
)
