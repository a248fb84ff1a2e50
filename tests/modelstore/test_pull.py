"""Pulling: sources in their order, a wheel, a file by hand; what is whole is left alone."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from detector.backends.bundle import load_bundle
from detector.errors import ModelError
from detector.modelstore import load_classifier
from detector.modelstore.pull import pull
from tests.modelstore.conftest import Server
from tests.support.small_models import convolutional_tflite, logistic_tflite, write_bundle

CONTENT = logistic_tflite()
WHEEL = "small_model-1.0-py3-none-any.whl"
WHEEL_SOURCE = "{pip: small-model==1.0, member: small_model/small.tflite}"


class Puller:
    """A bundle outside the user's folder, pulled into it; keeps what was said."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self.file = models / "small" / "small.tflite"
        self.said: list[str] = []

    def pull(self, *sources: str, from_file: Path | None = None) -> None:
        bundle = load_bundle(write_bundle(self.folder, CONTENT, sources=", ".join(sources)))
        pull(bundle, from_file=from_file, say=self.said.append, progress=lambda done, size: None)


@pytest.fixture
def puller(tmp_path: Path, models: Path) -> Puller:
    return Puller(tmp_path / "bundle", models)


def url(address: str) -> str:
    return f"{{url: '{address}'}}"


def test_sources_are_tried_in_order_and_each_failure_is_one_line(server: Server, puller: Puller) -> None:
    server.content = CONTENT
    addresses = [server.url(manner) for manner in ("missing", "flipped", "right", "truncated")]
    puller.pull(*map(url, addresses))
    assert puller.file.read_bytes() == CONTENT
    assert [line.split(": ")[0] for line in puller.said[:2]] == addresses[:2]
    assert puller.said[2:] == [f"small.tflite from {addresses[2]}"]
    assert not any("\n" in line for line in puller.said)


def test_one_source_goes_on_where_another_broke_off(server: Server, puller: Puller) -> None:
    server.content = CONTENT
    puller.pull(url(server.url("truncated")), url(server.url("right")))
    assert puller.file.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


def test_a_file_that_is_whole_is_left_alone(server: Server, puller: Puller) -> None:
    server.content = CONTENT
    puller.pull(url(server.url("right")))
    puller.pull(url(server.url("right")))
    assert len(server.ranges) == 1
    assert len(puller.said) == 1


def test_a_damaged_file_is_replaced(server: Server, puller: Puller) -> None:
    server.content = CONTENT
    puller.file.parent.mkdir(parents=True)
    puller.file.write_bytes(CONTENT[:-1] + b"?")
    puller.pull(url(server.url("right")))
    assert puller.file.read_bytes() == CONTENT


def test_no_source_at_all_says_what_else_can_be_done(server: Server, puller: Puller) -> None:
    with pytest.raises(ModelError, match=r"no source gave small.tflite; .* models pull small --from FILE$"):
        puller.pull(url(server.url("missing")))
    assert not puller.file.exists()


def test_a_file_by_hand_needs_no_network(tmp_path: Path, puller: Puller) -> None:
    copy = tmp_path / "brought.bin"
    copy.write_bytes(CONTENT)
    puller.pull(url("http://127.0.0.1:1/"), from_file=copy)
    assert puller.file.read_bytes() == CONTENT
    assert list(puller.file.parent.iterdir()) == [puller.file]


@pytest.mark.parametrize("content", [b"", b"text", CONTENT[:-1] + b"?", CONTENT + b"?"])
def test_a_wrong_file_by_hand_is_one_clear_line_and_not_taken(
    tmp_path: Path, puller: Puller, content: bytes
) -> None:
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(content)
    with pytest.raises(ModelError, match=r"wrong\.bin: is not small\.tflite: [^\n]*expected"):
        puller.pull(from_file=wrong)
    assert list(puller.file.parent.iterdir()) == []


def test_a_file_by_hand_that_is_not_there_is_one_clear_line(tmp_path: Path, puller: Puller) -> None:
    with pytest.raises(
        ModelError, match=r"absent: No such file or directory; expected a copy of small.tflite$"
    ):
        puller.pull(from_file=tmp_path / "absent")


def test_a_folder_that_cannot_be_written_to_is_one_clear_line(puller: Puller) -> None:
    puller.file.parent.parent.parent.mkdir()
    puller.file.parent.parent.write_text("a file where the folder should be")
    with pytest.raises(
        ModelError, match=r"cannot be written to; set SOUND_DETECTOR_HOME to a folder of your own$"
    ):
        puller.pull(url("http://127.0.0.1:1/"))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows of the world."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed in this environment")
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def write_wheel(folder: Path, content: bytes) -> None:
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("small_model/small.tflite", content)
        wheel.writestr(
            "small_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small-model\nVersion: 1.0\n"
        )
        wheel.writestr("small_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("small_model-1.0.dist-info/RECORD", "")


def test_a_wheel_gives_its_member(wheels: Path, puller: Puller) -> None:
    write_wheel(wheels, CONTENT)
    puller.pull(WHEEL_SOURCE)
    assert puller.file.read_bytes() == CONTENT
    assert list(puller.file.parent.iterdir()) == [puller.file]
    assert puller.said == ["small.tflite from pip download small-model==1.0"]


@pytest.mark.parametrize(
    ("content", "member", "reason"),
    [
        (None, "small_model/small.tflite", "No matching distribution found for small-model==1.0"),
        (CONTENT[:-1] + b"?", "small_model/small.tflite", "it is another file: expected sha256"),
        (CONTENT, "small_model/other.tflite", "does not give small_model/other.tflite"),
    ],
)
def test_a_wheel_that_does_not_help_is_one_line(
    wheels: Path, puller: Puller, content: bytes | None, member: str, reason: str
) -> None:
    if content is not None:
        write_wheel(wheels, content)
    with pytest.raises(ModelError, match=r"no source gave small\.tflite"):
        puller.pull(f"{{pip: small-model==1.0, member: {member}}}")
    (line,) = puller.said
    assert line.startswith("pip download small-model==1.0: ")
    assert reason in line
    assert "\n" not in line


DERIVED = """
  onnx: {name: small.onnx, input: logmel, derived_from: tflite}
front_end: {frame: 400, hop: 160, fft: 512, bands: 12, low_hz: 125, high_hz: 7500, log_offset: 0.001}
"""


def test_the_onnx_file_is_built_checked_and_rebuilt(tmp_path: Path, models: Path) -> None:
    pytest.importorskip("onnx", reason="needs the [onnx] extra")
    pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")
    content = convolutional_tflite(frames=9, bands=12, labels=4)
    folder = write_bundle(models / "small", content)
    text = (folder / "model.yaml").read_text().replace("window: 4", f"window: {400 + 8 * 160}")
    (folder / "model.yaml").write_text(text.replace("input: waveform", "input: logmel") + DERIVED)
    bundle = load_bundle(folder)
    origin = tmp_path / "origin.tflite"
    origin.write_bytes(content)
    said: list[str] = []

    def pull_again() -> None:
        pull(bundle, from_file=origin, say=said.append, progress=lambda done, size: None)

    pull_again()
    built = folder / "small.onnx"
    assert said[-1] == "small.onnx built from small.tflite"
    load_classifier("small", runtime="onnx").close()

    whole = built.read_bytes()
    built.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(
        ModelError, match=r"small.onnx: is damaged: .*; run: sound-detector models pull small$"
    ):
        load_classifier("small", runtime="onnx")
    pull_again()
    assert built.read_bytes() == whole

    side_car = folder / "small.onnx.json"
    side_car.write_text(json.dumps(json.loads(side_car.read_text()) | {"origin_sha256": "0" * 64}))
    with pytest.raises(ModelError, match=r"was built from another version of the model; run: "):
        load_classifier("small", runtime="onnx")
    side_car.unlink()
    with pytest.raises(ModelError, match=r"small.onnx.json: is missing or damaged; run: "):
        load_classifier("small", runtime="onnx")
    pull_again()
    load_classifier("small", runtime="onnx").close()


def write_sdist_that_runs_code(folder: Path, ran: Path) -> Path:
    """A source distribution whose setup.py leaves a mark."""
    sdist = folder / "small-model-1.0.tar.gz"
    setup = (
        f"open({str(ran)!r}, 'w')\nfrom setuptools import setup\nsetup(name='small-model', version='1.0')\n"
    )
    with tarfile.open(sdist, "w:gz") as archive:
        entry = tarfile.TarInfo("small-model-1.0/setup.py")
        entry.size = len(setup)
        archive.addfile(entry, io.BytesIO(setup.encode()))
    return sdist


def test_no_source_distribution_is_taken_and_no_code_of_it_runs(
    wheels: Path, tmp_path: Path, puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    sdist = write_sdist_that_runs_code(wheels, ran)
    with pytest.raises(ModelError, match="expected `project==version` and nothing more"):
        puller.pull(f"{{pip: 'small-model @ file://{sdist}', member: setup.py}}")
    monkeypatch.setenv("PIP_NO_BINARY", "small-model")
    with pytest.raises(ModelError, match=r"no source gave small\.tflite"):
        puller.pull(WHEEL_SOURCE)
    assert "No matching distribution found" in puller.said[0]
    assert not ran.exists()


def test_a_wheel_of_another_hash_is_not_opened(wheels: Path, puller: Puller) -> None:
    write_wheel(wheels, CONTENT)
    right = hashlib.sha256((wheels / WHEEL).read_bytes()).hexdigest()
    with pytest.raises(ModelError, match=r"no source gave small\.tflite"):
        puller.pull(WHEEL_SOURCE.replace("}", f", sha256: '{'0' * 64}'}}"))
    assert "DO NOT MATCH THE HASHES" in puller.said[0]
    assert not puller.file.exists()
    puller.pull(WHEEL_SOURCE.replace("}", f", sha256: '{right}'}}"))
    assert puller.file.read_bytes() == CONTENT


def test_what_lies_where_the_part_file_goes_is_not_written_through(
    server: Server, tmp_path: Path, puller: Puller
) -> None:
    server.content = CONTENT
    precious = tmp_path / "precious"
    part = puller.file.with_name("small.tflite.part")
    puller.file.parent.mkdir(parents=True)

    def plant_link() -> None:
        part.symlink_to(precious)

    def plant_second_name() -> None:
        part.hardlink_to(precious)

    def plant_pipe() -> None:
        os.mkfifo(part)

    for plant in (plant_link, plant_second_name, plant_pipe):
        precious.write_bytes(b"precious")
        plant()
        puller.pull(url(server.url("right")))
        assert precious.read_bytes() == b"precious"
        assert puller.file.read_bytes() == CONTENT
        assert not puller.file.is_symlink()
        puller.file.unlink()
    assert server.ranges == [None] * 3


def test_a_pipe_brought_by_hand_is_refused_instead_of_waited_for(tmp_path: Path, puller: Puller) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match=r"pipe: is not a regular file; expected a copy of small\.tflite$"):
        puller.pull(from_file=tmp_path / "pipe")
