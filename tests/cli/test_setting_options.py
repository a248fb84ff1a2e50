"""What a command line says about settings: the flags, and which of them win."""

from __future__ import annotations

import os

import pytest

from detector.cli.parser import make_parser, with_command
from detector.cli.setting_flags import FLAGS
from detector.cli.setting_options import SettingOptions, setting_options
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
    assert options(*command, "--device", "1").overrides == {"source.device": 1, "source.input": None}


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
