"""`notify`: the rules, a test notice to each target, and what check-config says of both."""

from __future__ import annotations

import sys

import pytest

from detector.assemble.machine_checks import what_is_missing
from detector.cli.main import main
from detector.config.notify_settings import (
    AppriseSettings,
    CommandSettings,
    NotifyRuleSettings,
    NotifySettings,
    WebhookSettings,
)
from detector.config.settings import Settings
from tests.support.web_server import status, web_server


@pytest.fixture
def config(tmp_path):
    """Write a config file and return the arguments that name it."""

    def config(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return ["--config", str(path)]

    return config


def test_without_rules_it_says_where_to_begin(config, capsys):
    assert main(["notify", *config("")]) == 0
    assert "docs/notifications.md" in capsys.readouterr().out
    assert main(["notify", "--test", *config("")]) == 2


def test_it_lists_the_rules_and_where_their_notices_go(config, capsys):
    text = """\
notify:
  commands: [{name: log, argv: [/bin/true]}, {name: speak, argv: [/bin/true]}]
  rules:
    - {name: a, labels: [alarms, Dog], exclude: [Siren], min_score: 0.5, hours: "22:00-07:00", urgent: true}
    - {name: b, to: [speak], source: porch, first_of_day: true}
  health: [log]
"""
    assert main(["notify", *config(text)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a: alarms, Dog; without Siren; from 0.5; 22:00-07:00; urgent -> log, speak",
        "b: all labels; source porch; first of the day -> speak",
        "health: sources, overload, history, clips, outputs -> log",
    ]


def test_a_test_notice_goes_to_each_target(config, capsys):
    with web_server(status(500)) as server:
        text = f"""\
notify:
  webhooks: [{{name: phone, url: "{server.url}"}}]
  commands: [{{name: good, argv: [/bin/true]}}, {{name: bad, argv: [/nowhere]}}]
  apprise: [{{name: family, config_file: /nowhere/apprise.conf}}]
"""
        assert main(["notify", "--test", *config(text)]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["phone", "FAILED"],
            ["good", "delivered"],
            ["bad", "FAILED"],
            ["family", "FAILED"],
        ]
        assert "the server answered 500" in lines[0]
        assert "apprise file /nowhere/apprise.conf cannot be read" in lines[3]
        assert main(["notify", "--target", "good", *config(text)]) == 0
        assert main(["notify", "--target", "godo", *config(text)]) == 2
        assert "did you mean `good`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ("[Dgo]", "notify.rules[0].labels[0]: no label of this daemon is called 'Dgo'; did you mean 'Dog'"),
        ("[Dog, Bark]", "notify.rules[0].labels[1]: 'Bark' is reported as 'Dog': write that"),
        ("[dogs]", "did you mean 'Dog' or 'dog'?"),
        ("[Silence]", "this daemon does not report 'Silence'"),
    ],
)
def test_a_label_that_no_event_has_is_one_line(config, capsys, labels, line):
    text = f"""\
notify:
  commands: [{{name: log, argv: [/bin/true]}}]
  rules: [{{name: a, labels: {labels}}}]
"""
    assert main(["check-config", "--model", "yamnet", *config(text)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert line in told and "config.yaml:3" in told


def test_alarms_that_are_known_by_their_pattern_may_be_named(config):
    text = """\
notify:
  commands: [{name: log, argv: [/bin/true]}]
  rules: [{name: a, labels: [alarms, "Smoke alarm (T3)", "CO alarm (T4)", "Low-battery chirp"]}]
"""
    assert main(["check-config", "--model", "yamnet", *config(text)]) == 0


def test_what_this_machine_lacks_is_a_line_for_each(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s" * 20)
    secret.chmod(0o644)
    own = tmp_path / "apprise.conf"
    own.touch(mode=0o600)
    notify = NotifySettings(
        webhooks=(
            WebhookSettings("sign", url="https://x.example/", secret_file=str(secret)),
            WebhookSettings("plain", url="http://x.example/"),
        ),
        commands=(CommandSettings("gone", ("/bin/trve",)), CommandSettings("folder", (str(tmp_path),))),
        apprise=(AppriseSettings("family", config_file=str(own), program="/nowhere/apprise"),),
        rules=(NotifyRuleSettings("all"),),
    )
    lines = what_is_missing(Settings(notify=notify), {}, devices=lambda: ())
    found = [line for line in lines if line.startswith("notify.")]
    assert [line.partition(": ")[0] for line in found] == [
        "notify.commands[0].argv",
        "notify.commands[1].argv",
        "notify.apprise[0].program",
        "notify.webhooks[1].url",
        "notify.sign",
    ]


def test_the_program_apprise_is_looked_for_beside_python(monkeypatch, tmp_path):
    from detector.sinks.notify.apprise_target import apprise_program

    program = tmp_path / "apprise"
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert apprise_program(AppriseSettings("family")) == str(program)
    assert apprise_program(AppriseSettings("family", program="/opt/apprise")) == "/opt/apprise"
