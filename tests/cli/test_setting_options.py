"""What a command line says about settings: the flags, and which of them win."""

from __future__ import annotations

import os

import pytest

from detector.cli.parser import make_parser, with_command
from detector.cli.setting_flags import FLAGS
from detector.cli.setting_options import SettingOptions, setting_options
from detector.config.named_source import NamedSource
from detector.errors import ConfigError


def options(*arguments: str) -> SettingOptions:
    return setting_options(make_parser().parse_args(with_command(arguments)))


def test_flags_that_were_not_given_are_left_out():
    assert options() == SettingOptions()
    assert options("devices") == SettingOptions()


def test_a_flag_is_a_setting():
    given = options("--hop", "0.5", "--sink", "stdout", "--config", "a.yaml", "--set", "gate.mode=off")
    assert given == SettingOptions(
        "a.yaml",
        {"windows.hop_seconds": 0.5, "sinks": ["stdout"]},
        ("gate.mode=off",),
        flags={"windows.hop_seconds": "--hop", "sinks": "--sink"},
    )


@pytest.mark.parametrize("command", [["run"], ["check-config"], ["record", "bell"], ["calibrate"]])
def test_a_microphone_wins_over_a_recording_that_the_file_names(command):
    given = options(*command, "--device", "1").overrides
    assert given == {"source.device": 1, "source.input": None, "sources": {}}


@pytest.mark.parametrize("single", [["--device", "1"], ["--input", "a.wav"], ["--demo"]])
def test_one_source_wins_over_several_that_the_file_names(single, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("sources: {porch: mic, yard: rtsp://camera.local/}")
    assert options(*single, "--config", str(path)).load().settings.sources == {}


def test_several_sources_win_over_those_that_the_file_names(tmp_path):
    path = tmp_path / "config.yaml"
    for text in ("source: {device: 3}", "source: {input: a.wav}", "sources: {cellar: mic}"):
        path.write_text(text)
        given = options("--source", "porch=mic:1", "--source", "yard=file:b=c.wav", "--config", str(path))
        assert given.load().settings.sources == {
            "porch": NamedSource(device=1),
            "yard": NamedSource(file="b=c.wav"),
        }


@pytest.mark.parametrize("single", [["--device", "1"], ["--input", "a.wav"], ["--demo"]])
def test_one_source_without_a_name_beside_several_is_refused(single):
    with pytest.raises(ConfigError, match="--source cannot be combined with --"):
        options("--source", "porch=mic", *single)


@pytest.mark.parametrize("flag", [["--rate", "8000"], ["--realtime"], ["--name", "hall"]])
def test_a_flag_for_the_single_source_is_refused_beside_several(flag):
    with pytest.raises(ConfigError, match=f"--source cannot be combined with {flag[0]}: "):
        options("--source", "porch=pipe:-", *flag)


def test_two_sources_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="two sources are called 'porch'"):
        options("--source", "porch=mic", "--source", "porch=mic:1")


@pytest.mark.parametrize("text", ["rtsp://admin:zaunkoenig@h/1", "rtsp://admin:zaunkoenig@h/?a=b", "porch"])
def test_a_source_without_a_name_is_refused_and_no_password_quoted(text):
    with pytest.raises(ConfigError, match=r"^--source: expected NAME=SOUND, such as porch=rtsp") as fault:
        options("--source", text)
    assert "zaunkoenig" not in str(fault.value)


@pytest.mark.parametrize("other", [["--input", "a.wav"], ["--demo"]])
def test_a_microphone_and_another_source_are_refused(other):
    with pytest.raises(ConfigError, match="choose one of them"):
        options("--device", "1", *other)


def test_the_demo_is_a_recording_in_real_time():
    overrides = options("--demo").overrides
    assert overrides["source.realtime"] is True
    assert overrides["source.name"] == "demo"


def test_the_demo_and_a_recording_are_refused():
    with pytest.raises(ConfigError, match="--demo cannot be combined with --input: choose one of them"):
        options("--demo", "--input", "a.wav")


def test_the_demo_takes_another_name():
    given = options("--demo", "--name", "hall")
    assert given.overrides["source.name"] == "hall"
    assert given.flags["source.name"] == "--name"
    assert given.flags["source.input"] == "--demo"


WRONG = {
    "source.device": "-1",
    "source.input": " ",
    "source.rate": "1",
    "source.channels": "many",
    "source.name": "",
    "sources": "porch=usb",
    "model.name": "",
    "model.runtime": "jax",
    "gate.mode": "loud",
    "windows.hop_seconds": "99",
    "events.preset": "loud",
    "events.threshold_on": "7",
    "events.include": "",
    "events.exclude": "",
    "sinks": "carrier-pigeon",
    "clips.folder": "",
}
"""Setting -> a value that its flag does not take."""

SWITCHES = {"source.realtime", "level.enabled", "events.background"}
"""Settings whose flags take no value, so that none is wrong."""


def test_all_flags_of_settings_are_tried_below():
    assert WRONG.keys() | SWITCHES == FLAGS.keys()


@pytest.mark.parametrize("key", WRONG)
def test_a_fault_names_the_flag_and_its_setting(key):
    with pytest.raises(ConfigError) as fault:
        options(FLAGS[key], WRONG[key], "--config", os.devnull).load()
    assert str(fault.value).startswith(f"{FLAGS[key]} ({key}")


def test_a_fault_that_settings_show_together_names_the_flag():
    given = options("--exclude", "Dog", "--include", "Dog", "--config", os.devnull)
    with pytest.raises(ConfigError, match=r"^--exclude \(events\.exclude\): 'Dog' is in `include` too"):
        given.load()


def test_a_fault_of_set_names_the_setting():
    with pytest.raises(ConfigError, match=r"^--set gate\.mode: expected"):
        options("--set", "gate.mode=loud", "--config", os.devnull).load()
