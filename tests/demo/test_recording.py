"""The bundled recording is what its table says, and the daemon names each part of it."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import soundfile

from detector.demo import PARTS, SECONDS, Part, recording_path
from tests.support import ROOT


def levels_dbfs(start_seconds: float, stop_seconds: float) -> np.ndarray:
    """The level of each 50 ms between two times."""
    samples, rate = soundfile.read(recording_path(), dtype="float64")
    piece = samples[round(start_seconds * rate) : round(stop_seconds * rate)]
    step = rate // 20
    frames = piece[: len(piece) // step * step].reshape(-1, step)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)


def test_it_is_small_and_in_the_models_own_format() -> None:
    info = soundfile.info(recording_path())
    assert (info.format, info.samplerate, info.channels, info.subtype) == ("FLAC", 16000, 1, "PCM_16")
    assert info.duration == SECONDS
    assert recording_path().stat().st_size < 500_000


def test_the_script_that_makes_it_is_in_the_tree() -> None:
    assert os.access(ROOT / "scripts" / "make_demo.sh", os.X_OK)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.labels[0])
def test_each_part_begins_and_ends_where_the_table_says(part: Part) -> None:
    """Loud in its first and last 150 ms, and silent on both sides."""
    start, stop = part.start_seconds, part.stop_seconds
    assert levels_dbfs(start, start + 0.15).max() > -45
    assert levels_dbfs(stop - 0.15, stop).max() > -45
    assert levels_dbfs(start - 0.5, start).max() < -55
    assert levels_dbfs(stop, stop + 0.5).max() < -55


@pytest.fixture(scope="module")
def messages() -> list[dict[str, Any]]:
    """What the daemon says of the recording, read from its standard output."""
    if run("models", "verify", "yamnet").returncode != 0:
        pytest.skip("the model is not on this machine: sound-detector models pull yamnet")
    result = run("--input", str(recording_path()), "--sink", "stdout", "--format", "json")
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "detector", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.labels[0])
def test_the_daemon_names_each_part(part: Part, messages: list[dict[str, Any]]) -> None:
    """One event begins and ends with it, within 0.3 s of the table's times as counted from the first word."""
    zero = datetime.fromisoformat(messages[0]["start_time"]) - timedelta(seconds=PARTS[0].start_seconds)
    ends = [message for message in messages if message["type"] == "end" and message["label"] in part.labels]
    assert len(ends) == 1, [(message["type"], message["label"]) for message in messages]
    assert ends[0]["id"] in [message["id"] for message in messages if message["type"] == "start"]
    start = (datetime.fromisoformat(ends[0]["start_time"]) - zero).total_seconds()
    stop = (datetime.fromisoformat(ends[0]["end_time"]) - zero).total_seconds()
    assert (start, stop) == pytest.approx((part.start_seconds, part.stop_seconds), abs=0.3)


@pytest.mark.slow
def test_the_daemon_names_nothing_between_the_parts(messages: list[dict[str, Any]]) -> None:
    """Every event begins inside a part, and the first is the speech."""
    zero = datetime.fromisoformat(messages[0]["start_time"]) - timedelta(seconds=PARTS[0].start_seconds)
    starts = [datetime.fromisoformat(m["start_time"]) - zero for m in messages if m["type"] == "start"]
    for start in starts:
        assert any(p.start_seconds - 0.3 < start.total_seconds() < p.stop_seconds for p in PARTS)
    assert messages[0]["label"] in PARTS[0].labels
