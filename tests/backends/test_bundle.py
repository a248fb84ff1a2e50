"""Bundles: what model.yaml and its tables become, and one line for whatever is wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from detector.backends.bundle import FileSource, HeadYaml, load_bundle
from detector.backends.labelfiles import MAX_TABLE_BYTES
from detector.errors import ModelError
from detector.modelstore.folders import shipped_folder
from detector.records import Label
from tests.support.small_models import write_bundle

YAMNET = shipped_folder() / "yamnet"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "small", b"weights", sources="{url: https://host/small.tflite}")


def label(bundle_folder: Path, name: str) -> Label:
    return next(label for label in load_bundle(bundle_folder).spec.labels if label.name == name)


def test_a_small_bundle_is_read(small: Path) -> None:
    bundle = load_bundle(small)
    assert bundle.spec.name == "small"
    assert [x.name for x in bundle.spec.labels] == ["Dog", "Rain", "Silence", "Clock tick"]
    assert [x.background for x in bundle.spec.labels] == [False, False, True, False]
    assert bundle.spec.labels[0].ancestors == frozenset()
    assert bundle.files["tflite"].sources == (FileSource(url="https://host/small.tflite"),)
    assert bundle.front_end is None


def test_yamnet_hears_975_milliseconds_and_names_521_labels() -> None:
    spec = load_bundle(YAMNET).spec
    assert spec.window / spec.sample_rate == 0.975
    assert (
        len(spec.labels)
        == len({x.name for x in spec.labels})
        == len({x.class_id for x in spec.labels})
        == 521
    )
    assert sum(x.background for x in spec.labels) == 26
    assert label(YAMNET, "Silence").background
    assert not label(YAMNET, "Dog").background


def test_yamnets_patches_fill_its_window_exactly() -> None:
    bundle = load_bundle(YAMNET)
    assert bundle.front_end is not None
    assert bundle.front_end.frames(bundle.spec.window) == 96
    assert bundle.front_end.frames(bundle.spec.window - 1) == 95


def test_labels_can_be_told_apart_in_a_set() -> None:
    assert len(set(load_bundle(YAMNET).spec.labels)) == 521


def test_ancestors_are_all_labels_above_and_bridge_classes_that_yamnet_lacks() -> None:
    names = {x.class_id: x.name for x in load_bundle(YAMNET).spec.labels}

    def above(name: str) -> set[str]:
        return {names[mid] for mid in label(YAMNET, name).ancestors}

    assert above("Bark") == {"Dog", "Domestic animals, pets", "Animal"}
    assert above("Smoke detector, smoke alarm") == {"Alarm"}
    assert above("Environmental noise") == {"Noise"}  # by way of Background noise, which is no output
    assert above("Speech") == set()  # by way of Human voice and Human sounds alone
    assert above("Police car (siren)") >= {"Siren", "Emergency vehicle", "Vehicle", "Alarm"}  # two parents


def edited(folder: Path, old: str, new: str) -> Path:
    text = (folder / "model.yaml").read_text()
    assert old in text
    (folder / "model.yaml").write_text(text.replace(old, new))
    return folder


FRONT_END = "front_end: {frame: 4, hop: 2, fft: 4, bands: 2, low_hz: 0, high_hz: 8000, log_offset: 0.1}"
BIG_FRAME = FRONT_END.replace("frame: 4", "frame: 5")
TOO_HIGH = FRONT_END.replace("high_hz: 8000", "high_hz: 9000")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sample_rate: 16000", "sample_rate: fast", "model.yaml:5: sample_rate: "),
        ("sample_rate: 16000", "sample_rate: 0", "model.yaml:5: sample_rate: expected at least 1, got 0"),
        ("licence: MIT", "license: MIT", "model.yaml:3: license: "),
        ("window: 4\n", "", "model.yaml: window: "),
        ("name: small\n", "name: ../small\n", "model.yaml:1: name: expected letters, digits"),
        ("name: small.tflite", "name: ../../small.tflite", "files.tflite.name: expected letters, digits"),
        ("labels: labels.csv", "labels: other.csv", "other.csv: cannot be read as UTF-8 CSV"),
        (
            "window: 4\n",
            "window: 4\nthreshold_on: 1.5\n",
            "threshold_on: expected a score above 0 and at most 1",
        ),
        (
            "window: 4\n",
            "window: 4\nthresholds: {Dgo: 0.5}\n",
            "thresholds.Dgo: expected a name from labels.csv",
        ),
        ("window: 4\n", f"window: 4\n{BIG_FRAME}\n", "front_end.frame: expected at most fft and the model's"),
        ("window: 4\n", f"window: 4\n{TOO_HIGH}\n", "front_end.high_hz: expected above low_hz, at most 8000"),
        ("window: 4\n", "window: 4\nfront_end: {frame: 4}\n", "front_end"),
        (
            "input: waveform",
            "input: logmel",
            "files.tflite.input: is logmel, so the model needs a `front_end`",
        ),
        ("input: waveform", "input: picture", "files.tflite.input: "),
        ("size: 7", "size: 0", "files.tflite.size: expected the file's size in bytes, got 0"),
        (
            "size: 7",
            f"size: {1 << 40}",
            f"files.tflite.size: expected the file's size in bytes, at most {1 << 28}",
        ),
        ("sha256: ", "sha256: x", "files.tflite.sha256: expected 64 hexadecimal digits"),
        ("https://host", "ftp://host", "files.tflite.sources[0]: expected an https:// or http:// address"),
        (
            "{url:",
            "{pip: a==1, url:",
            "files.tflite.sources[0]: expected either `url`, or `pip` and `member`",
        ),
        ("{url: https://host/small.tflite}", "{pip: --pre, member: a}", "expected `project==version`"),
        ("{url: https://host", "{sha256: 7, url: https://host", "expected text, got 7"),
        (
            "{url: https://host/small.tflite}",
            "{pip: a==1, member: a, sha256: abc}",
            "files.tflite.sources[0]: expected the wheel's sha256, 64 hexadecimal digits, got 'abc'",
        ),
        ("    input: waveform\n", "    input: waveform\n    derived_from: onnx\n", "there is no onnx file"),
    ],
)
def test_a_fault_in_model_yaml_is_one_line_with_its_key(
    small: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        load_bundle(edited(small, old, new))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_model_yaml_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.yaml: not found; a model bundle is a folder"):
        load_bundle(tmp_path)


HEADER = "index,mid,display_name,background\n"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", ":1: expected the header index,mid,display_name,background"),
        (HEADER, "has no labels"),
        (f"{HEADER}0,/m/a,A\n", ":2: expected 4 columns, got 3"),
        (
            f"{HEADER}0,/m/a,A,0\n2,/m/b,B,0\n",
            ":3: index must count from 0 without a gap; expected 1, got '2'",
        ),
        (f"{HEADER}0,/m/a,A,no\n", ":2: background must be 0 or 1, got 'no'"),
        (f"{HEADER}0,,A,0\n", ":2: mid and display_name must not be empty"),
        (f"{HEADER}0,/m/a,A,0\n1,/m/a,B,0\n", "mid '/m/a' is given twice"),
        (f"{HEADER}0,/m/a,A,0\n1,/m/b,A,0\n", "display_name 'A' is given twice"),
        (f'{HEADER}0,/m/a,"A,0\n', "cannot be read as UTF-8 CSV"),
    ],
)
def test_a_fault_in_the_labels_is_one_line_with_its_place(small: Path, table: str, message: str) -> None:
    (small / "labels.csv").write_text(table)
    with pytest.raises(ModelError) as caught:
        load_bundle(small)
    assert f"labels.csv{message}" in str(caught.value).replace("labels.csv: ", "labels.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("mid,parents\n/m/dog,/m/pet\n", "parent '/m/pet' has no row of its own"),
        (
            "mid,parents\n/m/dog,/m/pet\n/m/pet,/m/dog\n",
            "is its own ancestor; classes must not contain each other",
        ),
        ("mid\n/m/dog\n", "expected the header mid,parents"),
    ],
)
def test_a_fault_in_the_ontology_is_one_line(small: Path, table: str, message: str) -> None:
    (small / "ontology.csv").write_text(table)
    with pytest.raises(ModelError) as caught:
        load_bundle(edited(small, "labels: labels.csv\n", "labels: labels.csv\nontology: ontology.csv\n"))
    assert message in str(caught.value)


HEAD = "head: {base: ear}\n"


@pytest.mark.parametrize(
    ("head", "old", "new", "message"),
    [
        (
            HEAD,
            "input: waveform",
            "input: waveform",
            "files.tflite.input: must be embedding for a model with a `head`",
        ),
        (
            "",
            "input: waveform",
            "input: embedding",
            "files.tflite.input: must be embedding for a model with a `head`",
        ),
        (HEAD.replace("ear", "../ear"), "waveform", "embedding", "head.base: expected letters, digits"),
        (
            HEAD.replace("ear", "small"),
            "waveform",
            "embedding",
            "head.base: expected another model: a head takes the embedding of its base",
        ),
        ("head: {}\n", "waveform", "embedding", "head.base"),
        ("head: {base: ear, contxt: 1}\n", "waveform", "embedding", "head.contxt: unknown key"),
        (
            "head: {base: ear, context_seconds: 0}\n",
            "waveform",
            "embedding",
            "context_seconds: expected above 0",
        ),
        ("head: {base: ear, context_seconds: 61}\n", "waveform", "embedding", "above 0, at most 60, got 61"),
        (
            HEAD + "prior: prior.csv\n",
            "waveform",
            "embedding",
            "prior: a model with a `head` takes this from its base",
        ),
        (
            HEAD + FRONT_END + "\n",
            "waveform",
            "embedding",
            "front_end: a model with a `head` takes this from its base",
        ),
        (
            HEAD + "metrics: {accuracy: good}\n",
            "waveform",
            "embedding",
            "metrics.accuracy: expected a number",
        ),
        ("", "input: waveform", "input: waveform\n    embedding: -1", "embedding: expected the number of a"),
    ],
)
def test_a_head_that_cannot_be_is_one_clear_line(
    small: Path, head: str, old: str, new: str, message: str
) -> None:
    edited(small, old, new)
    edited(small, "window: 4\n", f"window: 4\n{head}")
    with pytest.raises(ModelError) as caught:
        load_bundle(small)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_head_says_what_it_listens_to_and_how_good_it_is(small: Path) -> None:
    edited(small, "waveform", "embedding")
    edited(small, "window: 4\n", f"window: 4\n{HEAD}metrics: {{accuracy: 97.5}}\n")
    bundle = load_bundle(small)
    assert bundle.head == HeadYaml(base="ear", context_seconds=3.0)
    assert bundle.metrics == {"accuracy": 97.5}


@pytest.mark.parametrize(
    "wanted",
    [
        "evil @ file:///tmp/evil.tar.gz",
        "evil @ https://host/evil-1.0-py3-none-any.whl",
        "./evil-1.0-py3-none-any.whl",
        "/tmp/evil.tar.gz",
        "git+https://host/evil",
        "evil",
        "evil>=1",
        "evil==1.*",
        "evil==1,!=2",
        "evil[extra]==1",
        "evil==1; python_version > '3'",
        "evil==1 --index-url=https://host",
        "--index-url=https://host evil==1",
        "evil==1\n--index-url=https://host",
        "evil==1 other==2",
        "",
    ],
)
def test_pip_is_asked_for_a_name_and_one_version_and_for_nothing_else(small: Path, wanted: str) -> None:
    source = f"{{pip: {json.dumps(wanted)}, member: a}}"
    with pytest.raises(ModelError, match=r"files\.tflite\.sources\[0\]: expected `project==version` and"):
        load_bundle(edited(small, "{url: https://host/small.tflite}", source))


@pytest.mark.parametrize("name", ["model.yaml", "labels.csv", "ontology.csv", "prior.csv"])
@pytest.mark.parametrize("plant", ["pipe", "device", "folder", "too long"])
def test_every_file_of_a_bundle_is_a_regular_one_of_bounded_size(small: Path, name: str, plant: str) -> None:
    for key in ("ontology", "prior"):
        if name == f"{key}.csv":
            edited(small, "labels: labels.csv", f"labels: labels.csv\n{key}: {name}")
    (small / name).unlink(missing_ok=True)
    if plant == "pipe":
        os.mkfifo(small / name)
    elif plant == "device":
        (small / name).symlink_to("/dev/zero")
    elif plant == "folder":
        (small / name).mkdir()
    else:
        (small / name).write_text("#" * (MAX_TABLE_BYTES + 1))
    with pytest.raises(
        ModelError, match=rf"{name}: [^\n]*(not a regular file|Is a directory|at most \d+ bytes[^\n]*)$"
    ):
        load_bundle(small)


@pytest.mark.parametrize("name", ["model.yaml", "labels.csv"])
@pytest.mark.parametrize("target", ["nowhere", "itself", "x" * 300])
def test_a_link_that_leads_nowhere_is_told_in_one_line(small: Path, name: str, target: str) -> None:
    (small / name).unlink()
    (small / name).symlink_to(name if target == "itself" else target)
    with pytest.raises(ModelError, match=rf"{name}: cannot be read[^\n]*$"):
        load_bundle(small)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("name: small\n", f"name: {'x' * 300}\n", "name"),
        ("name: small.tflite", f"name: {'x' * 300}", "files.tflite.name"),
        ("labels: labels.csv", f"labels: {'x' * 300}", "labels"),
        ("sample_rate: 16000", "sample_rate: 1000000000", "sample_rate"),
        ("window: 4\n", "window: 1000000000\n", "window"),
    ],
)
def test_a_name_or_number_that_is_far_too_large_is_refused(small: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(ModelError, match=rf": {key}: expected [^\n]*at most [^\n]*$"):
        load_bundle(edited(small, old, new))


@pytest.mark.parametrize("key", ["frame", "hop", "fft", "bands"])
def test_a_front_end_that_would_take_all_memory_is_refused(small: Path, key: str) -> None:
    sizes = {"frame": 4, "hop": 2, "fft": 8, "bands": 3} | {key: 1_000_000_000}
    numbers = "".join(f"  {name}: {value}\n" for name, value in sizes.items())
    front_end = f"front_end:\n{numbers}  low_hz: 1\n  high_hz: 2\n  log_offset: 0.1\nfiles:"
    with pytest.raises(ModelError, match=rf"front_end\.{key}: expected at least 1 and at most \d+, got"):
        load_bundle(edited(small, "files:", front_end))
