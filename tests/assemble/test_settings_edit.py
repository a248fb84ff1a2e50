"""Laws of the written settings: the user's own plus changes, complete and valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.assemble.settings_edit import changed_from_default, read_back, with_changes
from detector.assemble.stages import make_label_map
from detector.calibration.proposal import Change, ChangeKind
from detector.config.config_text import config_text
from detector.config.named_source import NamedSource
from detector.config.notify_settings import CommandSettings, NotifyRuleSettings, NotifySettings
from detector.config.settings import (
    EventSettings,
    GateSettings,
    LabelSettings,
    ModelSettings,
    Settings,
    SourceSettings,
)
from detector.errors import ConfigError, DetectorError
from detector.sinks.logfile import LogSettings
from detector.sinks.stdout import StdoutSettings
from tests.support.fakes import make_spec

SPEC = make_spec("Dog", "Rain, heavy", "Hum", "Siren")
USERS = Settings(
    source=SourceSettings(device="USB: 'é' #1"),
    model=ModelSettings(threads=2),
    gate=GateSettings(min_level_dbfs=-70.0),
    events=EventSettings(
        preset="sure",
        exclude=("Siren",),
        groups={"Wet": ("Rain, heavy",)},
        labels={"dog": LabelSettings(threshold_on=0.3, min_duration_seconds=0.5)},
    ),
    sinks=(StdoutSettings(format="json"), LogSettings("/tmp/x y.jsonl", max_bytes=10)),
    notify=NotifySettings(
        commands=(CommandSettings("lamp", ("/bin/true", "on")),),
        rules=(NotifyRuleSettings("fire", labels=("Siren",), urgent=True), NotifyRuleSettings("all")),
    ),
)


def change(place, labels, kind=ChangeKind.RAISED, now=0.8, off=None):
    return Change(place, labels.reported[place], 0.3, 0.5, kind, now, off)


def written(settings):
    return read_back(config_text(["a word"], changed_from_default(settings, Settings()), {}))


def labels_of(settings):
    return make_label_map(settings.events, SPEC)


def test_settings_read_back_as_they_were():
    assert written(USERS) == USERS
    assert written(Settings()) == Settings()
    several = Settings(
        sources={
            "porch": NamedSource(url="rtsp://camera/", labels={"Dog": LabelSettings(0.5)}),
            "kitchen": NamedSource(device="USB", include=("Dog",)),
        }
    )
    assert written(several) == several


def test_a_change_leaves_the_rest_of_the_users_settings():
    labels = labels_of(USERS)
    changed, keys = with_changes(USERS, labels, [change(0, labels, off=0.6)])
    assert changed.events.labels == {"dog": LabelSettings(0.8, 0.6, 0.5)}
    assert keys == {0: ("events", "labels", "dog")}
    assert written(changed) == changed
    assert replace(changed, events=USERS.events) == USERS


def test_groups_are_changed_like_labels():
    labels = labels_of(USERS)
    place = [label.name for label in labels.reported].index("Wet")
    changed, _ = with_changes(USERS, labels, [change(place, labels)])
    assert changed.events.labels["Wet"] == LabelSettings(0.8)


def test_a_label_that_goes_takes_its_settings_along():
    labels = labels_of(USERS)
    changed, keys = with_changes(USERS, labels, [change(0, labels, ChangeKind.EXCLUDED, None)])
    assert changed.events.labels == {}
    assert changed.events.exclude == ("Siren", "Dog")
    assert keys == {}
    assert [label.name for label in labels_of(changed).reported] == ["Hum", "Wet"]


def test_a_label_that_goes_leaves_the_included_too():
    users = Settings(events=EventSettings(include=("DOG", "Hum")))
    labels = labels_of(users)
    changed, _ = with_changes(users, labels, [change(0, labels, ChangeKind.EXCLUDED, None)])
    assert changed.events.include == ("Hum",)
    assert [label.name for label in labels_of(written(changed)).reported] == ["Hum"]


def test_something_must_be_left_to_report():
    users = Settings(events=EventSettings(include=("dog",)))
    labels = labels_of(users)
    with pytest.raises(DetectorError, match="--keep"):
        with_changes(users, labels, [change(0, labels, ChangeKind.EXCLUDED, None)])


def test_comments_stand_above_their_keys():
    text = config_text(["Head"], {"events": {"labels": {"A, b": {"threshold_on": 0.5}}}}, {
        ("events", "labels", "A, b"): ["heard", "a lot"],
    })  # fmt: skip
    assert text.splitlines() == [
        "# Head",
        "",
        "events:",
        "  labels:",
        "    # heard",
        "    # a lot",
        '    "A, b":',
        "      threshold_on: 0.5",
    ]


def test_what_cannot_be_settings_is_refused():
    with pytest.raises(ConfigError, match="threshold_on"):
        read_back("events: {threshold_on: 7}\n")
