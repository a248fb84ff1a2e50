"""The page's settings: the checks of `check-config`, comments kept, undo, and what is refused."""

import os
from datetime import datetime, timedelta

import pytest

from detector.config import yamltext
from tests.support.fake_daemon import FakeDaemon
from tests.support.history_stores import make_message, make_store
from tests.support.page_desks import ask, parts_with_desk
from tests.support.web_pages import make_doorkeeper, open_page

NOON = datetime(2026, 8, 1, 12)
TEXT = """\
# mine
events:
  threshold_on: 0.5   # chosen in May
  exclude: [Chainsaw]
  labels:
    Dog bark: {threshold_on: 0.4}
model:
  name: esc10
source:
  input: night.flac
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def page(tmp_path, config):
    with open_page(parts_with_desk(tmp_path, clock=NOON.timestamp)) as client:
        yield client


def get(page):
    return page.get("/api/v1/settings").json()


def put(page, changes, **more):
    return ask(page, "PUT", "/api/v1/settings", {"changes": changes, **more})


def test_the_settings_are_shown_with_their_limits_and_defaults(page, config):
    found = get(page)
    assert (found["path"], found["exists"], found["writable"], found["faults"]) == (
        str(config),
        True,
        True,
        [],
    )
    assert found["values"]["events.threshold_on"] == 0.5
    assert found["values"]["events.labels.Dog bark.threshold_on"] == 0.4
    assert found["defaults"]["events.threshold_on"] is None and found["defaults"]["clips.speech"] == "drop"
    assert found["labels"]["Dog bark"]["threshold_on"] == 0.4
    assert {field["key"] for field in found["fields"]} == found["defaults"].keys()
    assert found["undo"] is None and found["default_threshold"] > 0


def test_a_change_is_written_with_all_comments_and_can_be_undone(page, config):
    status, answer = put(page, {"events.threshold_on": 0.45, "events.labels.Rooster.threshold_on": 0.6})
    assert (status, sorted(answer["applied"])) == (
        200,
        ["events.labels.Rooster.threshold_on", "events.threshold_on"],
    )
    assert not answer["reloaded"] and "not in force yet" in answer["message"]
    text = config.read_text()
    assert "threshold_on: 0.45   # chosen in May" in text and text.startswith("# mine")
    assert yamltext.parse(text)[0].data["events"]["labels"] == {
        "Dog bark": {"threshold_on": 0.4},
        "Rooster": {"threshold_on": 0.6},
    }
    assert get(page)["undo"]["available"]
    status, answer = ask(page, "POST", "/api/v1/settings/undo")
    assert (status, answer["undo"]) == (200, None)
    assert config.read_text() == TEXT
    status, answer = ask(page, "POST", "/api/v1/settings/undo")
    assert (status, answer["error"]) == (409, "there is nothing to undo")


def test_a_rule_of_notifications_is_switched_off_and_on(page, config):
    text = "  rules:\n    - {name: alarms, labels: [Rooster]}  # loud\n"
    config.write_text(f"{TEXT}notify:\n  commands: [{{name: say, argv: [/bin/true]}}]\n{text}")
    key = "notify.rules.alarms.enabled"
    assert get(page)["values"][key] is True
    assert put(page, {key: False})[0] == 200
    assert "{name: alarms, labels: [Rooster], enabled: false}  # loud" in config.read_text()
    assert get(page)["values"][key] is False and get(page)["rules"][0]["enabled"] is False
    assert put(page, {key: None})[0] == 200
    assert get(page)["values"][key] is True
    status, answer = put(page, {"notify.rules.cats.enabled": False})
    assert status == 422 and "cannot be changed here" in answer["error"]


def test_null_goes_back_to_the_default(page, config):
    put(
        page, {"events.labels.Dog bark.threshold_on": None, "events.threshold_on": None, "clips.labels": None}
    )
    found = get(page)
    assert found["values"]["events.threshold_on"] is None and found["labels"] == {}
    assert "# chosen in May" in config.read_text() and "clips" not in config.read_text()


def test_a_file_that_was_changed_by_hand_is_not_overwritten(page, config):
    seen = get(page)["version"]
    config.write_text(TEXT.replace("0.5", "0.55"))
    status, answer = put(page, {"events.threshold_on": 0.3}, version=seen)
    assert status == 409 and "changed meanwhile" in answer["error"] and "\n" not in answer["error"]
    put(page, {"events.threshold_on": 0.3})
    config.write_text(TEXT)
    status, answer = ask(page, "POST", "/api/v1/settings/undo")
    assert status == 409 and "by hand" in answer["error"]
    assert get(page)["undo"]["why_not"] == answer["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events.threshold_on": 2}, "more than 0, at most 1"),
        ({"events.threshold_off": 0.9}, "threshold_off below threshold_on"),
        ({"events.include": ["Nonsense"]}, "no reported label is called 'Nonsense'"),
        ({"events.labels.Nonsense.threshold_on": 0.3}, "Nonsense"),
        ({"sinks": []}, "cannot be changed from the page"),
        ({"clips.folder": "/tmp"}, "cannot be changed from the page"),
        ({"sources.porch.threshold_on": 0.3}, "no source 'porch'"),
        ({"events.exclude": ["<script>\x1b[2J"]}, "no reported label"),
    ],
)
def test_what_check_config_would_refuse_is_refused_and_nothing_is_written(page, config, changes, words):
    status, answer = put(page, changes)
    assert status == 422 and words in answer["error"] and answer["faults"]
    assert "\x1b" not in answer["error"] and "\n" not in answer["error"]
    assert str(config) not in answer["error"]
    assert config.read_text() == TEXT and get(page)["undo"] is None


@pytest.mark.slow
def test_without_a_file_one_is_made(page, config):
    config.unlink()
    found = get(page)
    assert (found["exists"], found["version"], found["writable"]) == (False, "", True)
    assert put(page, {"events.preset": "quiet"}, version="")[0] == 200
    assert config.read_text() == "events:\n  preset: quiet\n"
    ask(page, "POST", "/api/v1/settings/undo")
    assert not config.exists()


def test_a_file_with_faults_is_shown_with_them_and_can_be_undone(page, config):
    put(page, {"events.preset": "quiet"})
    config.write_text(config.read_text() + "nonsense: 1\n")
    found = get(page)
    assert found["values"] == {} and "unknown key" in found["faults"][0] and str(config) in found["faults"][0]
    status, answer = put(page, {"events.preset": "home"})
    assert status == 409 and answer["faults"] == found["faults"]


def test_a_read_only_page_and_a_disk_that_is_full_say_so(tmp_path, config, monkeypatch):
    from dataclasses import replace

    with open_page(
        replace(
            parts_with_desk(tmp_path, read_only=True), doorkeeper=make_doorkeeper(tmp_path, read_only=True)
        )
    ) as page:
        assert get(page)["read_only"]
        assert put(page, {"events.preset": "quiet"})[0] == 403
        assert ask(page, "POST", "/api/v1/settings/undo")[0] == 403
        assert ask(page, "POST", "/api/v1/settings/preview", {"changes": {}})[0] == 200
    with open_page(parts_with_desk(tmp_path)) as page:

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        status, answer = put(page, {"events.preset": "quiet"})
        assert status == 507 and "No space left" in answer["error"]
        assert config.read_text() == TEXT


@pytest.mark.parametrize("body", ["[]", "{", '{"changes": []}', '{"changes": {}, "version": 5}'])
def test_what_is_no_change_is_refused(page, body):
    from tests.support.web_pages import changing

    headers = dict(changing(page)) | {"Content-Type": "application/json"}
    answer = page.put("/api/v1/settings", headers=headers, content=body)
    assert answer.status_code == 400 and list(answer.json()) == ["error"]


def test_the_preview_counts_yesterdays_events(page, tmp_path):
    yesterday, older = ((NOON - timedelta(days=days)).timestamp() for days in (1, 3))
    store = make_store(tmp_path / "history.db")
    scores = [("Dog bark", 0.42), ("Dog bark", 0.6), ("Siren", 0.5), ("Siren", 0.7), ("Cat", 0.9)]
    messages = [
        make_message(n, label=label, top_score=score, start=yesterday + n)
        for n, (label, score) in enumerate(scores, 1)
    ]
    store.write([*messages, make_message(9, label="Dog bark", top_score=0.9, start=older)])
    store.close()

    def preview(changes, **more):
        status, answer = ask(page, "POST", "/api/v1/settings/preview", {"changes": changes, **more})
        assert status == 200
        return answer

    found = preview({"events.threshold_on": 0.65})
    assert found["text"] == "with 0.65, 4 of yesterday's 5 events would remain"  # dogs have one of their own
    assert (found["before"], found["after"], found["note"]) == (5, 4, None)
    assert {"label": "Dog bark", "before": 2, "after": 2, "scores": [0.42, 0.6]} in found["by_label"]
    found = preview({"events.labels.Dog bark.threshold_on": 0.45})
    assert found["text"] == "with 0.45, 4 of yesterday's 5 events would remain"
    assert "never stored" in preview({"events.threshold_on": 0.3})["note"]
    assert preview({"events.include": ["Dog bark"]})["after"] == 2
    assert preview({"events.exclude": ["vehicles", "alarms", "Speech"]})["after"] == 3
    assert preview({"events.threshold_on": 0.65}, days=7)["before"] == 6
    assert preview({"events.threshold_on": 7})["faults"]
    assert "cannot be counted" in preview({"events.preset": "quiet"})["note"]


def test_after_a_day_without_events_the_last_24_hours_count(page, tmp_path):
    store = make_store(tmp_path / "history.db")
    store.write([make_message(n, top_score=n / 10, start=NOON.timestamp() - 30 * n) for n in (5, 7)])
    store.close()
    changes = {"events.threshold_on": 0.65}
    _, found = ask(page, "POST", "/api/v1/settings/preview", {"changes": changes})
    assert found["text"] == "with 0.65, 1 of the last 24 hours' 2 events would remain"


def test_without_a_history_there_is_nothing_to_count(page):
    status, found = ask(page, "POST", "/api/v1/settings/preview", {"changes": {"events.threshold_on": 0.6}})
    assert (status, found["text"]) == (200, "there were no events lately that could be counted")
    assert found["note"] is None  # it is higher than the one in force


def test_pause_and_reload_go_to_the_daemon(tmp_path, config):
    with (
        FakeDaemon(tmp_path / "events.sock") as daemon,
        open_page(parts_with_desk(tmp_path, [daemon.uri])) as page,
    ):
        assert ask(page, "POST", "/api/v1/pause", {"paused": True}) == (
            200,
            {"paused": True, "message": "paused"},
        )
        assert daemon.paused
        assert ask(page, "POST", "/api/v1/pause", {"paused": False})[0] == 200
        assert not daemon.paused
        status, answer = put(page, {"events.preset": "quiet", "clips.enabled": False})
        assert (status, answer["reloaded"], answer["needs_restart"]) == (200, True, ["clips.enabled"])
        assert {"control": {"reload": True}} in daemon.requests
        assert get(page)["needs_restart"] == ["clips.enabled"]
        ask(page, "POST", "/api/v1/settings/undo")
        assert get(page)["needs_restart"] == []
        daemon.control = False
        status, answer = ask(page, "POST", "/api/v1/pause", {"paused": True})
        assert status == 502 and "takes no orders" in answer["error"]
    assert ask(page, "POST", "/api/v1/pause", {})[0] == 400


def test_without_a_daemon_pausing_says_so(page):
    assert ask(page, "POST", "/api/v1/pause", {"paused": True})[0] == 503


def test_models_are_listed_with_size_and_licence(page):
    found = page.get("/api/v1/models").json()
    assert found["running"] is None
    esc10 = next(model for model in found["models"] if model["name"] == "esc10")
    assert esc10["kind"] == "network" and esc10["licence"] == "CC-BY-3.0"
    assert esc10["bytes"] > 100_000 and esc10["labels"] == 10 and not esc10["runs"]
    assert {model["kind"] for model in found["models"]} >= {"network", "combination"}


def test_a_test_notice_goes_to_each_target(page, config, tmp_path):
    assert ask(page, "POST", "/api/v1/notify/test", {})[0] == 422
    program = tmp_path / "say"
    program.write_text("#!/bin/sh\ncat > /dev/null\n")
    program.chmod(0o700)
    config.write_text(
        f"model: {{name: esc10}}\nnotify:\n  commands:\n    - {{name: speak, argv: [{program}]}}\n"
    )
    assert page.get("/api/v1/notify").json() == {"targets": ["speak"], "rules": []}
    status, answer = ask(page, "POST", "/api/v1/notify/test", {"targets": ["speak"]})
    assert status == 200
    assert [(one["name"], one["delivered"]) for one in answer["results"]] == [("speak", True)]
    assert ask(page, "POST", "/api/v1/notify/test", {"targets": ["phone"]})[0] == 422
