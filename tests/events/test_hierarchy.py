"""Which labels are of one line or family, and which of them speaks for a sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.events.hierarchy import FAMILY_SIZE, SURE_LOG_ODDS, Hierarchy
from detector.records import Label
from tests.support.drawn_scenes import ANIMAL, BARK, CAT, DOG, GROWL, SIREN
from tests.support.fakes import make_label

CREATURES = tuple(make_label(f"Creature {n}", ANIMAL) for n in range(FAMILY_SIZE))
LABELS = (ANIMAL, DOG, BARK, GROWL, CAT, SIREN, *CREATURES)
"""Animal is a large branch here; Dog is a family."""
UNHEARD = -6.0


def tree(labels=LABELS):
    return Hierarchy(labels, [frozenset({label.class_id}) for label in labels])


def speaking(name, **excess):
    """Who speaks for the label of this name, by what each scores over its threshold [log-odds]."""
    names = [label.name for label in LABELS]
    values = np.array([excess.get(other, UNHEARD) for other in names])
    return names[tree().most_specific(names.index(name), values)]


def test_one_bark_is_one_label():
    assert speaking("Animal", Animal=2.0, Dog=1.5, Bark=0.5) == "Bark"


def test_a_general_label_stands_where_nothing_below_is_sure():
    assert speaking("Animal", Animal=2.0, Dog=-1.0, Bark=-2.0) == "Animal"


def test_a_label_over_its_threshold_speaks_for_those_above_it_however_sure_they_are():
    assert speaking("Animal", Animal=5.0, Dog=0.1) == "Dog"


@pytest.mark.parametrize(("dog", "expected"), [(-0.51, "Animal"), (-0.49, "Dog")])
def test_below_its_threshold_a_specific_label_must_be_nearly_as_sure_as_the_general_one(dog, expected):
    assert speaking("Animal", Animal=0.0, Dog=dog) == expected
    assert SURE_LOG_ODDS == 0.5


def test_of_two_below_the_surer_one_speaks():
    assert speaking("Dog", Dog=1.0, Bark=0.6, Growl=0.7) == "Growl"
    assert speaking("Dog", Dog=1.0, Bark=0.7, Growl=0.7) == "Bark"


def relatives(label, labels=LABELS):
    return {labels[place].name for place in tree(labels).relatives[labels.index(label)]}


def test_relatives_are_those_above_and_below_and_the_family():
    assert relatives(BARK) == {"Animal", "Dog", "Growl", "Bark"}
    assert relatives(DOG) == {"Animal", "Dog", "Bark", "Growl"}
    assert relatives(SIREN) == {"Siren"}


def test_siblings_under_a_large_branch_are_no_relatives():
    assert "Cat" not in relatives(BARK)
    assert "Cat" not in relatives(DOG)


def group(name, *members):
    ancestors = frozenset().union(*(label.ancestors for label in members))
    own = frozenset(label.class_id for label in members)
    return Label(name, f"group:{name}", "fake", ancestors - own), own


def test_two_groups_above_each_other_are_side_by_side():
    """Each holds something above a member of the other, as {Animal, Bark} and {Dog}."""
    (mixed, mixed_ids), (dogs, dog_ids) = group("Mixed", ANIMAL, BARK), group("Dogs", DOG)
    both = Hierarchy([mixed, dogs], [mixed_ids, dog_ids])
    assert [places.tolist() for places in both.relatives] == [[0], [1]]


def test_a_label_in_two_groups_is_above_what_is_below_it_in_both():
    (pets, pet_ids), (hounds, hound_ids) = group("Pets", DOG, CAT), group("Hounds", DOG)
    three = Hierarchy([pets, hounds, BARK], [pet_ids, hound_ids, frozenset({BARK.class_id})])
    assert three.ancestors[2] == {0, 1}


@given(st.lists(st.floats(-6, 6), min_size=len(LABELS), max_size=len(LABELS)))
def test_whoever_speaks_is_of_the_line_and_relatives_are_mutual(values):
    excess, hierarchy = np.array(values), tree()
    for place in range(len(LABELS)):
        speaker = hierarchy.most_specific(place, excess)
        assert speaker == place or speaker in hierarchy.descendants[place]
        assert speaker in hierarchy.relatives[place]
        assert all(place in hierarchy.relatives[other] for other in hierarchy.relatives[place])
