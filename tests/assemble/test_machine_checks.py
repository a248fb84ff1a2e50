"""What a machine lacks for good settings, one line each; nothing is made by looking."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from detector.assemble.machine_checks import what_is_missing
from detector.config.settings import ClipSettings, HistorySettings, ModelSettings, Settings, SourceSettings
from detector.errors import SourceError
from detector.sinks.logfile import LogSettings
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.socket.socket_settings import SocketSettings
from detector.sinks.stdout import StdoutSettings
from detector.sources.device_list import Device
from tests.support.closed_folders import skip_where_others_cannot_read
from tests.support.small_models import logistic_tflite, write_bundle

MICROPHONE = Device(0, "Mic", 16000, (), 1, True, "ALSA")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A small model that is here, a microphone, and standard output alone."""
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path / "home"))
    folder = write_bundle(tmp_path / "home" / "models" / "small", logistic_tflite())
    (folder / "small.tflite").write_bytes(logistic_tflite())
    return Settings(
        model=ModelSettings("small"),
        sinks=(StdoutSettings(),),
        history=HistorySettings(path=str(tmp_path / "state" / "history.db")),
    )


def missing(settings: Settings) -> list[str]:
    return what_is_missing(settings, os.environ, lambda: (MICROPHONE,))


def test_where_all_is_there_nothing_is_said_and_nothing_made(settings: Settings, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    before = sorted(tmp_path.rglob("*"))
    sinks = (LogSettings(str(tmp_path / "logs" / "x")), SocketSettings(f"unix://{tmp_path}/run/s"))
    assert missing(replace(settings, sinks=sinks)) == []
    assert sorted(tmp_path.rglob("*")) == before


def test_classes_of_a_broker_that_no_event_has(settings: Settings) -> None:
    pytest.importorskip("paho")
    pytest.importorskip("ai_edge_litert")
    right = MqttSettings("mqtt://localhost", classes=("dog",))
    wrong = MqttSettings("mqtt://localhost", classes=("Dog", "Dogg"))
    assert missing(replace(settings, sinks=(StdoutSettings(), right))) == []
    (line,) = missing(replace(settings, sinks=(StdoutSettings(), wrong)))
    assert line.startswith("sinks[1].classes: ") and "Dogg" in line


def test_a_model_that_is_not_here(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "home/models/small/small.tflite").unlink()
    (line,) = missing(settings)
    assert line.startswith("model.name: model small is not on this machine; ")


def test_a_damaged_model(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "home/models/small/small.tflite").write_bytes(b"damaged")
    (line,) = missing(settings)
    assert "small.tflite: is damaged: expected " in line


def test_a_microphone_that_is_not_here(settings: Settings) -> None:
    (line,) = missing(replace(settings, source=SourceSettings(device="USB")))
    assert line == "source.device: no microphone has 'USB' in its name; expected one of 0 'Mic'"

    def nothing() -> tuple[Device, ...]:
        raise SourceError("a microphone needs PyAudio")

    assert what_is_missing(settings, os.environ, nothing) == ["source.device: a microphone needs PyAudio"]


def test_a_recording_that_is_not_here(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "kitchen.wav").touch()
    (line,) = missing(replace(settings, source=SourceSettings(input=str(tmp_path / "kitchn.wav"))))
    assert line.endswith(f"kitchn.wav is not there; did you mean `{tmp_path}/kitchen.wav`?")


def test_files_that_cannot_be_written_and_secrets_that_cannot_be_read(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    sinks = (
        LogSettings(str(tmp_path / "file" / "x.jsonl")),
        SocketSettings("tcp://127.0.0.1:0", token_file=str(tmp_path / "absent")),
    )
    log, token = missing(replace(settings, sinks=sinks))
    assert log == f"sinks[0]: {tmp_path}/file/x.jsonl cannot be made: {tmp_path}/file is not a folder"
    assert token.startswith("sinks[1]: ")
    assert "absent" in token


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another")
def test_rights_that_this_user_lacks(settings: Settings) -> None:
    skip_where_others_cannot_read()
    changed = replace(settings, model=ModelSettings("yamnet"), sinks=(LogSettings("/x.jsonl"),))
    os.seteuid(1234)
    try:
        lines = missing(changed)
    finally:
        os.seteuid(0)
    assert "sinks[0]: /x.jsonl: this user may not write to /" in lines


def test_a_folder_of_clips_that_others_may_write_to_and_a_judge_that_is_not_here(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    folder.chmod(0o777)
    lines = missing(replace(settings, clips=ClipSettings(str(folder))))
    assert lines[0].startswith(f"clips.folder: others may write to {folder}, or it is theirs: close it")
    assert lines[1].startswith("clips.folder: no clip can be searched for speech; run: ")
    folder.chmod(0o750)
    assert missing(replace(settings, clips=ClipSettings(str(folder), speech="keep"))) == []
