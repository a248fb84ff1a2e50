"""What a command line says about settings: the flags, and which of them win."""

from __future__ import annotations

import pytest

from detector.cli.parser import make_parser, with_command
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
        "a.yaml", {"windows.hop_seconds": 0.5, "sinks": ["stdout"]}, ("gate.mode=off",)
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
