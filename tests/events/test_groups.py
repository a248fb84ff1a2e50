"""The shipped groups of labels: every name exists, and a name means one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.alarms.alarm_stage import PATTERN_LABELS
from detector.errors import ConfigError
from detector.events.groups import GROUPS, WantedNames, named_group
from detector.events.labels import LabelMap
from detector.modelstore import ModelCatalogue
from tests.support.fakes import make_label

CATALOGUE = ModelCatalogue()
YAMNET = CATALOGUE.bundle("yamnet").spec.labels
SHIPPED = [label for name in ("yamnet", "mn04", "esc10") for label in CATALOGUE.bundle(name).spec.labels]
BY_ID = {label.class_id: label for label in YAMNET}


def reported(**settings):
    return [label.name for label in LabelMap(YAMNET, **settings).reported]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_name_is_a_label_of_a_shipped_model(group):
    known = {label.name for label in SHIPPED}
    assert [name for name in (*group.labels, *group.alone) if name not in known] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_group_is_written_in_small_letters_and_reports_something(group):
    assert group.name.isalpha() and group.name.islower()
    assert reported(include=[group.name]) != []


def test_groups_stand_in_order_each_once():
    names = [group.name for group in GROUPS]
    assert names == sorted(set(names))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_label_of_the_same_name_is_in_the_group(group):
    assert [
        label.name for label in SHIPPED if label.name.casefold() == group.name and not group.holds(label)
    ] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_what_a_named_kind_is_reported_as_is_in_the_group_too(group):
    """Otherwise the group would lose its sounds without a word."""
    named = [label for label in YAMNET if label.name in (*group.labels, *group.alone) and label.reported_as]
    assert [label.name for label in named if not group.holds(BY_ID[label.reported_as])] == []


def test_small_letters_are_the_group_and_capitals_the_label():
    assert reported(include=["water"])[:2] == ["Water tap, faucet", "Toilet flush"]
    assert reported(include=["Water"]) == ["Water"]
    assert reported(include=["dog"]) == reported(include=["Dog"]) == ["Dog"]


def test_a_groups_labels_are_reported_as_they_would_be_without_it():
    usual = reported()
    alarms = reported(include=["alarms"])
    assert set(alarms) == set(usual) - set(reported(exclude=["alarms"]))
    assert "Smoke detector, smoke alarm" in alarms and "Alarm" not in alarms
    assert "Police car (siren)" in reported(include=["alarms"], everyday=False)


def test_a_label_beside_a_group_is_still_one_of_its_own():
    assert set(reported(include=["dog", "Bark"])) == {"Bark", "Dog"}


def test_a_label_that_is_written_just_so_comes_first():
    heads = [*YAMNET, replace(make_label("alarms"), taught=True)]
    assert [label.name for label in LabelMap(heads, include=["alarms"]).reported] == ["alarms"]


def test_a_group_of_the_users_own_comes_first():
    groups = {"Alarms": ["Buzzer"]}
    assert reported(include=["alarms"], groups=groups) == ["Alarms"]
    labels = LabelMap(YAMNET, groups=groups)
    assert labels.find_all("", "alarms") == [len(labels.reported) - 1]
    assert not labels.is_shipped_group("alarms")


def test_a_group_of_the_users_own_may_hold_a_shipped_one():
    alert = LabelMap(YAMNET, groups={"Alert": ["alarms", "Shatter"]}, include=["Alert"])
    assert alert.member_ids[0] == {
        label.class_id for label in YAMNET if named_group("alarms").holds(label)
    } | {label.class_id for label in YAMNET if label.name == "Shatter"}


def test_settings_of_a_group_are_those_of_its_labels():
    labels = LabelMap(YAMNET, apart=["alarms"])
    names = [labels.reported[index].name for index in labels.find_all("events.labels.alarms", "alarms")]
    assert sorted(names) == sorted(reported(include=["alarms"]))
    assert labels.is_shipped_group("alarms") and not labels.is_shipped_group("Dog")


def test_a_group_of_which_the_model_knows_nothing_is_refused():
    with pytest.raises(ConfigError, match="no label of the group 'weather'"):
        LabelMap([make_label("Dog")], include=["weather"])


@pytest.mark.parametrize(("name", "nearest"), [("Alarms", "'alarms'"), ("vehicels", "'vehicles'")])
def test_a_group_is_suggested(name, nearest):
    with pytest.raises(ConfigError, match=f"did you mean .*{nearest}"):
        LabelMap(YAMNET, include=[name])


def test_who_asks_for_a_group_is_told_where_nothing_of_it_comes():
    assert LabelMap(YAMNET).asked(["alarms", "dog"]).message == ""
    without = LabelMap(YAMNET, exclude=["alarms"]).asked(["alarms"])
    assert without.unknown == ("alarms",) and "does not report 'alarms'" in without.message
    grouped = LabelMap(YAMNET, groups={"Alert": ["alarms"]}).asked(["alarms"])
    assert grouped.reported_as == {"alarms": "Alert"}


@pytest.mark.parametrize(
    ("wanted", "own", "above", "held"),
    [
        ("alarms", "Siren", ("Alarm",), True),
        ("alarms", "Police car (siren)", ("Siren", "Alarm"), True),
        ("alarms", "Alarm", (), True),
        ("alarms", "Doorbell", ("Alarm",), False),
        ("alarms", "alarms", (), True),
        ("water", "Rain", ("Water",), False),
        ("Water", "Rain", ("Water",), True),
        ("water", "Drip", ("Liquid",), True),
        ("vehicles", "Siren", ("Alarm",), False),
        ("baby", "Baby cry, infant cry", ("Crying, sobbing",), True),
    ],
)
def test_a_group_holds_labels_and_what_is_below_most_of_them(wanted, own, above, held):
    assert WantedNames.of([wanted]).hold([own], above) is held


def test_alarms_holds_those_that_are_known_by_their_pattern_and_no_chirp():
    """A low battery is no alarm, and chirps for days."""
    held = [label.name for label in PATTERN_LABELS if named_group("alarms").holds(label)]
    assert held == ["Smoke alarm (T3)", "CO alarm (T4)"]


def test_nothing_is_wanted_where_nothing_is_named():
    assert not WantedNames.of([])
    assert WantedNames.of(["alarms"]) and WantedNames.of(["Dog"])
