"""What each command line asks for, as plain values; and which flags are refused together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from detector.analysis.task import AnalyzeRequest, Wanted
from detector.cli.commands.devices import DevicesRequest
from detector.cli.commands.models import ModelsRequest
from detector.cli.commands.run import RunRequest
from detector.cli.parser import COMMANDS, make_parser, with_command
from detector.collecting.record_request import RecordRequest, with_default_count
from detector.errors import ConfigError, SinkError
from detector.evaluation.command import EvaluateRequest
from detector.training.head_recipe import HeadOptions
from detector.training.perceptron import PerceptronPlan
from detector.training.recipe import NetworkOptions


def request(*arguments: str) -> Any:
    options = make_parser().parse_args(with_command(arguments))
    (command,) = [command for command in COMMANDS if command.name == options.command]
    return command.request(options)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([], RunRequest()),
        (["--format", "json", "-v"], RunRequest("json", verbose=True)),
        (["--no-status-line"], RunRequest(status_line=False)),
        (["devices", "--device", "1"], DevicesRequest(1)),
        (["devices", "--device", "USB"], DevicesRequest("USB")),
        (["models", "list"], ModelsRequest("list")),
        (["models", "verify"], ModelsRequest("verify")),
        (["models", "info"], ModelsRequest("info")),
        (["models", "info", "mn04"], ModelsRequest("info", ("mn04",))),
        (["models", "pull", "mn04", "--from", "f"], ModelsRequest("pull", ("mn04",), from_file="f")),
        (["analyze", "a.wav", "--out", "d"], AnalyzeRequest(("a.wav",), out=Path("d"))),
        (
            ["analyze", "a.wav", "--out", "d", "--format", "csv", "--format", "rttm", "--format", "csv"],
            AnalyzeRequest(("a.wav",), Wanted(("csv", "rttm")), out=Path("d")),
        ),
        (["evaluate", "esc"], EvaluateRequest((Path("esc"),))),
        (
            ["evaluate", "a", "--annotations", "b", "--verdicts", "5,20"],
            EvaluateRequest((Path("a"),), Path("b"), verdicts=(5, 20)),
        ),
        (["record", "bell"], RecordRequest("bell", Path("sounds"), "countdown", 3.0, None)),
        (["record", "bell", "--triggered"], RecordRequest("bell", Path("sounds"), "triggered", 10.0, None)),
        (["record", "background"], RecordRequest("background", Path("sounds"), "background", 3.0, None)),
        (["record", "--background", "1"], RecordRequest("background", Path("sounds"), "background", 3.0, 20)),
    ],
)
def test_a_command_line_is_a_request(line, expected):
    assert request(*line) == expected


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (["record", "bell"], 10),
        (["record", "bell", "--triggered"], 10),
        (["record", "background"], 60),
        (["record", "background", "--seconds", "9"], 20),
        (["record", "background", "--count", "7"], 7),
        (["record", "background", "--triggered"], 10),
    ],
)
def test_a_microphone_gives_a_fixed_number_of_clips(line, count):
    assert with_default_count(request(*line)).count == count


@pytest.mark.parametrize(
    ("flags", "model"),
    [
        ([], HeadOptions()),
        (["--base", "mn04", "--window", "5"], HeadOptions("mn04", context_seconds=5.0)),
        (
            ["--head", "mlp", "--hidden", "8,4", "--epochs", "2", "--seed", "3"],
            HeadOptions(
                kind="mlp", context_seconds=3.0, plan=PerceptronPlan(hidden=(8, 4), epochs=2, seed=3)
            ),
        ),
        (["--arch", "vgg", "--augment", "gain"], NetworkOptions("vgg", augment=("gain",))),
        (["--arch", "image", "--weights", "w"], NetworkOptions("image", weights=Path("w"))),
    ],
)
def test_train_is_asked_for_a_head_or_a_network(flags, model):
    assert request("train", "sounds", "--out", "m", *flags).model == model


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("analyze a --plot", "--plot writes files"),
        ("analyze a --report", "--report writes files"),
        ("analyze a --format scores", "--format scores writes files"),
        ("analyze a --format csv --format rttm", "standard output takes one --format"),
        ("analyze a --overwrite", "--overwrite needs --out DIR"),
        ("evaluate a --ignore Dog", "add --annotations"),
        ("evaluate a --verdicts 5", "add --annotations"),
        ("evaluate a --annotations b --layout esc50", "leave it out"),
        ("calibrate --device 1 --input a", "choose one of them"),
        ("calibrate --input a --input -", "cannot be combined with other inputs"),
        ("record", "expected LABEL"),
        ("record a --background 1 --count 2", "choose one of them"),
        ("train a --out m --hidden 3", "works with --head mlp only"),
        ("train a --out m --epochs 3", "works with --head mlp only"),
        ("train a --out m --augment gain", "applies to whole networks only: add --arch"),
        ("train a --out m --tensorboard d", "applies to whole networks only: add --arch"),
        ("train a --out m --arch cnn --base mn04", "applies to heads only"),
        ("train a --out m --arch cnn --hidden 3", "applies to heads only"),
        ("train a --out m --arch cnn --weights w", "works with --arch image only"),
    ],
)
def test_flags_that_contradict_each_other_are_one_clear_line(line, says):
    with pytest.raises(ConfigError) as caught:
        request(*line.split())
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX owners and modes")
@pytest.mark.parametrize("command", ["listen", "status"])
def test_a_subscriber_does_not_go_to_a_socket_that_others_could_have_put_there(
    tmp_path, monkeypatch, command
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "sound-detector"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(SinkError, match="the socket could be theirs; remove"):
        request(command)
    assert request(command, f"unix://{folder}/events.sock").uris == (f"unix://{folder}/events.sock",)
