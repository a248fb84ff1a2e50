"""The real program learns two sounds from clips and then hears them; what it cannot do is one line."""

from __future__ import annotations

import json

import pytest
import soundfile
import yaml

from tests.support.program import DEMO, fault

pytestmark = pytest.mark.slow

CLIPS = 4
"""Of each class: stretches of the bundled recording that begin a little later each."""


@pytest.fixture(autouse=True)
def what_training_needs():
    """Seconds to import: only for these tests, not whenever tests are collected."""
    for package in ("sklearn", "onnx", "onnxruntime"):
        pytest.importorskip(package)


@pytest.fixture
def clips(tmp_path):
    """The demo's speech, its alarm, and its pauses as a background."""
    sound, rate = soundfile.read(DEMO)
    for name, start, seconds in (("talk", 1.0, 2.0), ("beeps", 7.0, 2.5), ("background", 19.3, 1.0)):
        folder = tmp_path / "sounds" / name
        folder.mkdir(parents=True)
        for number in range(CLIPS):
            first = round((start + 0.13 * number) * rate)
            soundfile.write(folder / f"{number}.wav", sound[first : first + round(seconds * rate)], rate)
    return tmp_path / "sounds"


@pytest.mark.usefixtures("model")
def test_it_learns_what_it_then_hears_and_the_same_seed_the_same(run, clips, tmp_path):
    flags = ("--base", "yamnet", "--jobs", "1", "--licence", "CC0-1.0")
    program = run("train", "sounds", "--out", "models/one", *flags)
    assert program.status == 0, program.err.seen
    assert "sound-detector --model yamnet+./models/one" in program.out.seen[-1]
    program = run("train", "sounds", "--out", "models/two", *flags, "--json")
    assert program.status == 0, program.err.seen
    *steps, last = [json.loads(line) for line in program.out.seen]
    assert {step["step"] for step in steps} >= {"embedding"}
    assert all(0 <= step["done"] <= step["total"] for step in steps)
    assert last["result"]["classes"].keys() == {"talk", "beeps"}
    assert 0 <= last["result"]["scenes"]["found"] <= 1 and last["result"]["notes"]
    one, two = (yaml.safe_load((tmp_path / "models" / n / "model.yaml").read_text()) for n in ("one", "two"))
    assert (one["metrics"], one["thresholds"]) == (two["metrics"], two["thresholds"])
    assert one["licence"] == "CC0-1.0"
    assert set(one["thresholds"]) == {"talk", "beeps"}
    alone = run("--model", "./models/one", "--input", DEMO, "-q")
    assert {"beeps", "talk"} <= {json.loads(line)["label"] for line in alone.out.seen}
    beside = run("--model", "yamnet+./models/one", "--input", DEMO, "-q")
    told = [json.loads(line) for line in beside.out.seen]
    assert "beeps" in {fields["label"] for fields in told if fields["model"] == "one"}
    assert {fields["model"] for fields in told} == {"yamnet", "one", "patterns"}


@pytest.mark.usefixtures("model")
def test_faults_are_one_line(run, clips, tmp_path):
    for arguments, status, told in [
        (["absent", "--out", "models/x"], 1, "absent does not exist; expected a folder of clips"),
        (["sounds/talk", "--out", "models/x"], 1, "no clip found"),
        (["sounds", "--out", "models/a b"], 2, "expected a name of letters"),
        (
            ["sounds", "--out", "models/x", "--augment", "pitch"],
            2,
            "--augment applies to whole networks only",
        ),
    ]:
        assert told in fault(run("train", *arguments), status)
    (clips / "beeps").rename(tmp_path / "beeps")
    (clips / "background").rename(tmp_path / "background")
    assert "there is one class only, 'talk'" in fault(run("train", "sounds", "--out", "models/x"), 1)
    (tmp_path / "beeps").rename(clips / "beeps")
    for number in range(1, CLIPS):
        (clips / "beeps" / f"{number}.wav").unlink()
    assert "one clip is too few" in fault(run("train", "sounds", "--out", "models/x"), 1)
