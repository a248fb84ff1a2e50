"""Which settings the page may change: none that could start a program or send anything elsewhere."""

import re

import pytest

from detector.config import yamltext
from detector.config.page_settings import (
    OF_LABELS,
    OF_SOURCES,
    PLAIN,
    needs_restart,
    page_fault,
    page_fields,
    path_of,
)
from tests.support import ROOT

HARMLESS = {
    "events": {
        *("preset", "threshold_on", "threshold_off", "min_duration_seconds", "refractory_seconds"),
        *("include", "exclude", "background", "everyday"),
    },
    "gate": {"min_level_dbfs"},
    "alarms": {"patterns"},
    "model": {"heads"},
    "verdicts": {"use"},
    "clips": {"enabled", "speech", "labels"},
    "notify": {"quiet_hours"},
}


def test_the_list_is_the_one_that_was_thought_through():
    assert {*PLAIN} == {f"{section}.{name}" for section, names in HARMLESS.items() for name in names}
    assert {*OF_LABELS} == {"threshold_on", "threshold_off", "min_duration_seconds", "refractory_seconds"}
    assert {*OF_SOURCES} == {
        "threshold_on",
        "threshold_off",
        "include",
        "exclude",
        "quiet_hours",
        "quiet_keep",
    }


def test_no_other_key_of_the_shipped_file_can_be_changed():
    document, _ = yamltext.read(ROOT / "config.yaml")
    leaves = [
        key for key in document.lines if not any(other.startswith(f"{key}.") for other in document.lines)
    ]
    others = [key for key in leaves if key not in PLAIN]
    others += ["notify.rules", "notify.rules.enabled", "notify.rules.dogs", "notify.rules.dogs.to"]
    assert len(others) > 30
    refused = [
        *others,
        *(
            "sinks[0].target",
            "sources.porch.url",
            "sources.porch.file",
            "sources.porch.url_file",
            "clips.folder",
        ),
        *(
            "notify.commands[0].argv",
            "notify.webhooks[0].url",
            "web.password_file",
            "model.name",
            "events",
            "",
        ),
        *(
            "events.labels",
            "events.labels.Dog",
            "events.labels.threshold_on",
            "events.groups.Smoke",
            "sources.porch",
        ),
    ]
    assert [key for key in refused if path_of(key) is not None] == []
    assert all("cannot be changed from the page" in page_fault(key, 1) for key in refused)


def test_security_md_has_the_list():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = re.search(r"## What the page may change\n(.*?)\n## ", text, re.DOTALL)[1]
    named = set(re.findall(r"`([a-z_.A-Z]+)`", section))
    assert {*PLAIN} <= named
    assert {f"events.labels.LABEL.{name}" for name in OF_LABELS} <= named
    assert {f"sources.NAME.{name}" for name in OF_SOURCES} <= named
    assert "notify.rules.NAME.enabled" in named


def test_a_label_may_have_dots_and_commas_in_its_name():
    assert path_of("events.labels.Dr. Who, no. 2.threshold_on") == (
        "events",
        "labels",
        "Dr. Who, no. 2",
        "threshold_on",
    )
    assert path_of("sources.porch.quiet_hours") == ("sources", "porch", "quiet_hours")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("events.threshold_on", 0.45),
        ("events.threshold_on", 1),
        ("events.threshold_on", None),
        ("events.preset", "quiet"),
        ("events.include", ["Dog", "Baby cry, infant cry"]),
        ("events.labels.Dog.threshold_on", 0.3),
        ("model.heads", ["my-sounds"]),
        ("model.heads", None),
        ("clips.enabled", False),
        ("notify.quiet_hours", "22:00-07:00"),
        ("sources.porch.quiet_keep", ["alarms"]),
        ("notify.rules.by the door. 2.enabled", False),
    ],
)
def test_right_values_are_right(key, value):
    assert page_fault(key, value) == ""


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("events.threshold_on", 0, "more than 0, at most 1"),
        ("events.threshold_on", "0.4", "expected a number"),
        ("events.threshold_on", True, "expected a number"),
        ("events.threshold_on", float("nan"), "finite"),
        ("events.preset", "loud", "alert"),
        ("events.include", "Dog", "list"),
        ("events.include", [1], "text"),
        ("events.include", {"a": 1}, "list"),
        ("events.labels.Dog.refractory_seconds", -1, "0..86400"),
        ("clips.speech", "publish", "drop or keep"),
        ("clips.enabled", "yes", "true or false"),
        ("notify.rules.dogs.enabled", 0, "true or false, got 0"),
        ("model.heads", ["/tmp/evil"], "names of heads"),
        ("model.heads", ["..", "a"], "names of heads"),
        ("model.heads", ["~root"], "names of heads"),
    ],
)
def test_wrong_values_are_refused_in_one_line(key, value, words):
    fault = page_fault(key, value)
    assert words in fault and "\n" not in fault


def test_every_field_says_what_it_takes():
    fields = {field.key: field for field in page_fields()}
    assert list(fields) == list(PLAIN)
    assert fields["events.preset"].kind == "choice" and "home" in fields["events.preset"].choices
    assert (fields["events.threshold_on"].low, fields["events.threshold_on"].above) == (0, True)
    assert fields["events.include"].kind == fields["model.heads"].kind == "list"
    assert fields["events.background"].kind == "flag"
    assert fields["notify.quiet_hours"].kind == "hours"
    assert fields["gate.min_level_dbfs"].unit == "dBFS" and fields["gate.min_level_dbfs"].nullable


def test_only_what_a_reload_does_not_take_needs_a_restart():
    assert [key for key in PLAIN if needs_restart(key)] == [
        key for key in PLAIN if key.split(".")[0] in ("gate", "alarms", "clips")
    ]
    assert needs_restart("sources.porch.quiet_hours") and not needs_restart("sources.porch.threshold_on")
    assert not needs_restart("events.labels.gate.threshold_on")
