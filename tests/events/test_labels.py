"""Which labels are reported, and with which scores."""

from dataclasses import replace

import numpy as np
import pytest

from detector.errors import ConfigError
from detector.events.labels import LabelMap
from tests.support.fakes import make_label

ANIMAL = make_label("Animal")
DOG = make_label("Dog", ANIMAL)
BARK = make_label("Bark", DOG)
SMOKE = make_label("Smoke detector, smoke alarm")
SILENCE = make_label("Silence", background=True)
LABELS = (ANIMAL, DOG, BARK, SMOKE, SILENCE)


def names(**settings):
    return [label.name for label in LabelMap(LABELS, **settings).reported]


def scores(label_map, *values):
    return dict(
        zip(
            [label.name for label in label_map.reported],
            label_map.apply(np.array(values, dtype=np.float32)).round(3).tolist(),
            strict=True,
        )
    )


def test_all_but_background_are_reported():
    assert names() == ["Animal", "Dog", "Bark", "Smoke detector, smoke alarm"]
    assert names(background=True)[-1] == "Silence"


def test_include_is_all_that_is_reported_background_too():
    assert names(include=["bark", "SILENCE"]) == ["Bark", "Silence"]


def test_labels_are_found_by_class_id_and_once():
    assert names(include=["/Dog", "Dog", "dog"]) == ["Dog"]


def test_exclude_takes_away_also_from_include():
    assert names(exclude=["Animal", "/Bark"]) == ["Dog", "Smoke detector, smoke alarm"]
    assert names(include=["Dog", "Bark"], exclude=["dog"]) == ["Bark"]


def test_a_groups_members_are_not_reported_by_themselves():
    assert names(groups={"Pet": ["Dog", "Bark"]}) == ["Animal", "Smoke detector, smoke alarm", "Pet"]


def test_a_member_that_is_asked_for_is_reported_beside_its_group():
    assert names(groups={"Pet": ["Dog", "Bark"]}, include=["Pet", "Bark"]) == ["Bark", "Pet"]


def test_groups_are_included_and_excluded_by_name():
    groups = {"Pet": ["Dog"], "Alarm": ["/Smoke detector, smoke alarm"]}
    assert names(groups=groups, include=["alarm"]) == ["Alarm"]
    assert names(groups=groups, exclude=["ALARM"]) == ["Animal", "Bark", "Pet"]


def test_a_group_has_the_highest_score_of_its_members():
    label_map = LabelMap(LABELS, groups={"Pet": ["Dog", "Bark"]})
    assert scores(label_map, 0.1, 0.2, 0.7, 0.4, 0.9) == pytest.approx(
        {"Animal": 0.1, "Smoke detector, smoke alarm": 0.4, "Pet": 0.7}
    )
    assert label_map.apply(np.zeros(5, dtype=np.float32)).dtype == np.float32


def test_a_group_stands_where_its_members_stood():
    group = LabelMap(LABELS, groups={"Pet": ["Dog", "Bark"]}).reported[-1]
    assert group == make_label("Pet", model="fake").__class__(
        name="Pet", class_id="group:Pet", model="fake", ancestors=frozenset({"/Animal"})
    )


def test_labels_of_one_name_in_two_models_go_together():
    twice = (DOG, make_label("Dog", model="mine"))
    assert len(LabelMap(twice, include=["Dog"]).reported) == 2


@pytest.mark.parametrize(
    ("settings", "key", "message"),
    [
        ({"include": ["Barq"]}, "events.include", "did you mean 'Bark'"),
        ({"exclude": ["smoke alarm"]}, "events.exclude", "did you mean 'Smoke detector, smoke alarm'"),
        ({"groups": {"G": ["Dgo"]}}, "events.groups.G", "did you mean 'Dog'"),
        ({"include": ["Zither"]}, "events.include", "models info"),
        ({"groups": {"G": []}}, "events.groups.G", "at least one label"),
        ({"groups": {"dog": ["Bark"]}}, "events.groups.dog", "choose another"),
        ({"include": ["Dog"], "exclude": ["Dog"]}, "events.exclude", "no label is left"),
    ],
)
def test_a_faulty_setting_is_named_with_what_would_be_right(settings, key, message):
    with pytest.raises(ConfigError, match=message) as caught:
        LabelMap(LABELS, **settings)
    assert caught.value.key == key


def test_find_gives_the_place_of_what_is_reported():
    label_map = LabelMap(LABELS, groups={"Pet": ["Dog", "Bark"]})
    assert label_map.find_all("events.labels.pet", "pet") == [2]
    with pytest.raises(ConfigError, match="no reported label is called 'Dog'"):
        label_map.find_all("events.labels.Dog", "Dog")


# --- everyday names

TRUMPET = make_label("Trumpet")
MUSIC = make_label("Music")
VAGUE = replace(make_label("Squeal"), reported_as="")
KINDS = (
    DOG,
    replace(BARK, reported_as=DOG.class_id),
    MUSIC,
    replace(TRUMPET, reported_as=MUSIC.class_id),
    VAGUE,
)


def everyday(**settings):
    return LabelMap(KINDS, **settings)


def names_of(label_map):
    return [label.name for label in label_map.reported]


def test_kinds_are_reported_under_everyday_names_and_vague_labels_not_at_all():
    assert names_of(everyday()) == ["Dog", "Music"]
    assert names_of(everyday(everyday=False)) == ["Dog", "Bark", "Music", "Trumpet", "Squeal"]


def test_the_odds_of_kinds_add_up():
    """0.5 and 0.5 are odds of 1 and 1: together 2, which is 2/3."""
    label_map = everyday()
    assert scores(label_map, 0.5, 0.5, 0.2, 0.0, 0.9) == pytest.approx({"Dog": 0.667, "Music": 0.2}, abs=1e-3)
    assert label_map.member_ids[0] == {DOG.class_id, BARK.class_id}


def test_a_label_that_the_settings_name_is_one_of_its_own():
    assert names_of(everyday(include=["Bark", "Squeal"])) == ["Bark", "Squeal"]
    assert names_of(everyday(groups={"Pets": ["Bark"]})) == ["Dog", "Music", "Pets"]
    apart = everyday(apart=["Bark"])
    assert names_of(apart) == ["Dog", "Bark", "Music"]
    assert scores(apart, 0.5, 0.5, 0.2, 0.0, 0.9)["Dog"] == pytest.approx(0.5)


def test_an_everyday_label_that_is_asked_for_brings_its_kinds():
    label_map = everyday(include=["Dog"])
    assert label_map.member_ids == ({DOG.class_id, BARK.class_id},)


def test_what_is_excluded_still_competes_but_is_not_reported():
    label_map = everyday(exclude=["Music"])
    assert names_of(label_map) == ["Dog"]
    assert [label.name for label in label_map.competing] == ["Dog", "Music"]
    assert label_map.apply(np.array([0.1, 0.0, 0.5, 0.5, 0.0], np.float32)).tolist() == pytest.approx(
        [0.1, 2 / 3], abs=1e-3
    )


# --- what a subscriber gets


def test_names_of_reported_labels_and_of_classes_above_them_need_no_word():
    bark = replace(BARK, ancestor_names=("Dog", "Animal"))
    asked = LabelMap([bark]).asked(["bark", "/Bark", "DOG", "Animal"])
    assert (asked.unknown, asked.reported_as, asked.message) == ((), {}, "")


def test_a_kind_is_told_as_what_it_is_reported_and_how_to_change_that():
    asked = everyday().asked(["Dog", "bark", TRUMPET.class_id])
    assert asked.unknown == ()
    assert asked.reported_as == {"bark": "Dog", "/Trumpet": "Music"}
    bark, trumpet = asked.message.split("; this daemon")
    assert bark.startswith("this daemon reports 'bark' as 'Dog'")
    assert "add it to events.labels" in bark
    assert "'/Trumpet' as 'Music'" in trumpet


def test_what_the_settings_name_is_reported_by_its_own_name():
    assert everyday(apart=["Bark"]).asked(["Bark"]).message == ""


def test_a_member_of_a_group_comes_with_the_group():
    asked = everyday(groups={"Pets": ["Bark"]}).asked(["Bark", "Pets"])
    assert asked.reported_as == {"Bark": "Pets"}
    assert asked.message == "'Bark' is in the group 'Pets' of this daemon: the events of the group come"


@pytest.mark.parametrize(
    ("settings", "name"),
    [({}, "Squeal"), ({"exclude": ["Music"]}, "Trumpet"), ({"include": ["Dog"]}, "music")],
)
def test_a_label_that_the_settings_leave_out_is_told_as_such(settings, name):
    asked = everyday(**settings).asked([name])
    assert (asked.unknown, asked.reported_as) == ((name,), {})
    assert asked.message.startswith(f"this daemon does not report {name!r}: see include, exclude")


def test_a_name_that_no_label_has_is_told_with_the_nearest():
    asked = everyday().asked(["Dgo", "Dog"])
    assert asked.unknown == ("Dgo",)
    assert asked.message == "no label of this daemon is called 'Dgo'; did you mean 'Dog'?"
