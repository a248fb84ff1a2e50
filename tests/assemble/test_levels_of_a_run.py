"""A whole run from the settings: nothing of its sound levels is missing after a clean stop."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.assemble.endpoints import SINK_KINDS
from detector.assemble.service import make_daemon
from detector.config.loading import load_settings
from detector.config.named_source import NamedSource
from detector.config.settings import HistorySettings, ModelSettings, Settings
from detector.history.level_table import level_minutes
from detector.sinks.logfile import LogSettings
from tests.support.small_heads import RATE, write_base

SECONDS = {"porch": 70, "yard": 20}


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Noise of some length for each source, and a small network that hears it."""
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path))
    write_base(tmp_path / "models")
    paths = {}
    for name, seconds in SECONDS.items():
        noise = np.random.default_rng(0).normal(0, 327, seconds * RATE).astype("<i2")
        paths[name] = str(tmp_path / f"{name}.wav")
        with wave.open(paths[name], "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(noise.tobytes())
    return paths


def run(folder: Path, recordings: dict[str, str], *, levels: bool) -> Path:
    """Run until both recordings have ended; returns the history."""
    path = folder / "history.db"
    loaded = load_settings(environ={}, sink_kinds=SINK_KINDS, system_file="")
    settings = Settings(
        model=ModelSettings("ear"),
        sources={name: NamedSource(file=path) for name, path in recordings.items()},
        history=HistorySettings(enabled=True, path=str(path), levels=levels),
        sinks=(LogSettings(target=str(folder / "events.jsonl")),),
    )
    make_daemon(lambda: replace(loaded, settings=settings)).run()
    return path


def test_every_second_of_each_source_is_in_the_history(tmp_path: Path, recordings: dict[str, str]) -> None:
    path = run(tmp_path, recordings, levels=True)
    for name, seconds in SECONDS.items():
        minutes = [*level_minutes(path, source=name)]
        assert sum(each.heard_seconds for each in minutes) == pytest.approx(seconds, abs=0.1)
        assert sum(each.lost_seconds for each in minutes) == 0
        assert all(-42 < each.leq_dbfs < -39 for each in minutes if each.leq_dbfs is not None)
        assert len(minutes) <= seconds // 60 + 2


def test_one_setting_turns_them_off(tmp_path: Path, recordings: dict[str, str]) -> None:
    assert [*level_minutes(run(tmp_path, recordings, levels=False))] == []
