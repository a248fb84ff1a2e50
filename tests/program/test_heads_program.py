"""Heads in the real program: dropped into the models folder of a running daemon, and in every command."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.support.program import RATE, fault
from tests.support.small_heads import write_base, write_head

pytestmark = pytest.mark.slow


def loud(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 5000, round(seconds * RATE)).astype(np.int16)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.int16)


@pytest.fixture
def models(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A models folder with one small network."""
    environment["SOUND_DETECTOR_HOME"] = str(tmp_path / "store")
    write_base(tmp_path / "store" / "models")
    return tmp_path / "store" / "models"


def told(lines: list[str]) -> set[tuple[str, str, str]]:
    return {(f["label"], f["class_id"], f["model"]) for f in map(json.loads, lines) if f["type"] == "start"}


NETWORKS = ("Loud", "/m/loud", "ear")
HEADS = ("Dog", "doorbell/Dog", "doorbell")


def model_told(run) -> str:
    """What `status` says of the daemon at events.sock."""
    return json.loads(run("status", "unix://events.sock", "--json").out.seen[0])["model"]


def test_a_head_dropped_into_the_folder_listens_after_a_hang_up(start, run, models):
    """The stream goes on: same run, no sample lost; who connects then is told of the new labels."""
    program = start(
        *("--model", "ear", "--input", "-", "--gate", "off", "--no-gain", "--preset", "alert"),
        *("--sink", "stdout", "--sink", "socket:unix://events.sock"),
    )
    program.feed(loud(1.5))
    begun = program.event("start", "Loud")
    assert model_told(run) == "ear"
    write_head(models)
    program.send(signal.SIGHUP)
    program.says("reload.model name=ear+doorbell labels=4")
    program.says("daemon.reloaded")
    assert model_told(run) == "ear+doorbell"
    listener = start("listen", "unix://events.sock", "--json")
    listener.says("with ear+doorbell")
    program.feed(silence(2.0))
    program.feed(loud(2.0))  # a new sound: what went on and did not rise needs a higher score
    started = program.event("start", "Dog")
    assert started["model"] == "doorbell"
    assert started["id"].rpartition("-")[0] == begun["id"].rpartition("-")[0]
    assert program.end() == 0
    assert any("samples_lost=0" in line for line in program.err.seen)
    listener.end()
    assert HEADS in told(listener.out.seen)


def test_a_broken_one_is_one_line_and_the_daemon_goes_on(start, models):
    write_head(models)
    program = start("--model", "ear", "--input", "-", "--gate", "off", "--no-gain")
    program.says("daemon.model name=ear+doorbell labels=4")
    program.feed(loud(1.5))
    assert [rival["label"] for rival in program.event("start", "Dog")["alternatives"]] == ["Loud"]
    (models / "doorbell" / "doorbell.tflite").write_bytes(b"half a file")
    program.send(signal.SIGHUP)
    line = program.says("daemon.reload_refused")
    assert "doorbell.tflite: is damaged" in line
    assert program.end() == 0


@pytest.mark.parametrize(
    ("model", "preset", "expected"),
    [
        ("ear", "alert", {NETWORKS, HEADS}),
        ("ear+doorbell", "alert", {NETWORKS, HEADS}),
        ("doorbell", "alert", {HEADS}),
        ("ear", "home", {HEADS}),
    ],
)
def test_analyze_hears_what_the_daemon_hears(start, models, model, preset, expected):
    """One sound has one event, under the taught label; with the preset `alert` one under each."""
    write_head(models)
    daemon = start("--model", model, "--preset", preset, "--input", "-", "--gate", "off", "--no-gain")
    daemon.feed(loud(3.0))
    assert daemon.end() == 0
    assert told(daemon.out.seen) == expected
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(models.parent.parent / "clip.wav", loud(3.0), RATE)
    wanted = (
        *("--model", model, "--preset", preset, "--gate", "off", "--no-gain", "clip.wav"),
        *("--format", "scores", "--out", "found"),
    )
    analyzing = start("analyze", *wanted, "--format", "jsonl")
    assert analyzing.end() == 0, analyzing.err.seen
    found = (models.parent.parent / "found" / "clip.jsonl").read_text().splitlines()
    assert told(found) == expected
    with np.load(models.parent.parent / "found" / "clip.scores.npz") as scores:
        assert scores["scores"].shape[1] == {"ear": 4, "ear+doorbell": 4, "doorbell": 2}[model]


def test_faults_are_one_line(run, models):
    write_head(models, base="yamnet", window=15600)
    message = "model yamnet is not on this machine; run: sound-detector models pull yamnet"
    assert fault(run("--model", "doorbell", "--input", "-"), 1) == message
    message = "doorbell is a head on yamnet; use yamnet+doorbell or doorbell alone"
    assert fault(run("check-config", "--model", "ear+doorbell"), 2) == message
