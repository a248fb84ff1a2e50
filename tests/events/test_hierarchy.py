"""Of nested labels that sound together, which are reported."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.events.hierarchy import FAMILY_SIZE, Hierarchy
from detector.records import Label
from tests.support.drawn_scenes import ANIMAL, BARK, CAT, DOG, GROWL, SIREN
from tests.support.fakes import make_label

CREATURES = tuple(make_label(f"Creature {n}", ANIMAL) for n in range(FAMILY_SIZE))
LABELS = (ANIMAL, DOG, BARK, GROWL, CAT, SIREN, *CREATURES)
"""Animal is a large branch here; Dog is a family."""
THRESHOLD = 0.5


def nesting(labels=LABELS):
    return Hierarchy(labels, [frozenset({label.class_id}) for label in labels])


def chosen(labels=LABELS, thresholds=None, **scores):
    """Names of the labels chosen; those at or over their threshold are confirmed."""
    values = np.array([scores.get(label.name, 0) for label in labels], dtype=np.float32)
    limits = np.array([(thresholds or {}).get(label.name, THRESHOLD) for label in labels], np.float32)
    confirmed = [int(place) for place in np.flatnonzero(values >= limits)]
    return {labels[place].name for place in nesting(labels).choose(confirmed, values, limits)}


def test_nothing_confirmed_nothing_chosen():
    assert chosen(Dog=0.4) == set()


def test_one_bark_is_one_label():
    assert chosen(Animal=0.9, Dog=0.85, Bark=0.6) == {"Bark"}


def test_a_general_label_stands_where_nothing_below_is_sure():
    assert chosen(Animal=0.9, Dog=0.3, Bark=0.2) == {"Animal"}


@pytest.mark.parametrize(("dog", "expected"), [(0.39, "Animal"), (0.41, "Dog")])
def test_below_its_threshold_a_specific_label_needs_four_fifths_of_the_general_one(dog, expected):
    assert chosen(Animal=0.5, Dog=dog) == {expected}


@pytest.mark.parametrize(("threshold", "expected"), [(0.83, "Animal"), (0.81, "Dog")])
def test_and_half_of_its_own_threshold(threshold, expected):
    assert chosen(Animal=0.5, Dog=0.41, thresholds={"Dog": 2 * threshold * 0.5}) == {expected}


def test_unrelated_sounds_are_both_chosen():
    assert chosen(Bark=0.6, Siren=0.9) == {"Bark", "Siren"}


def test_siblings_in_a_family_are_one():
    assert chosen(Dog=0.9, Bark=0.6, Growl=0.7) == {"Growl"}


def test_siblings_under_a_large_branch_are_two():
    assert chosen(Animal=0.9, Bark=0.6, Cat=0.7) == {"Bark", "Cat"}


def test_siblings_are_two_where_their_family_is_not_heard():
    assert chosen(Bark=0.6, Growl=0.7) == {"Bark", "Growl"}


def test_of_equal_siblings_the_first_is_chosen():
    assert chosen(Dog=0.9, Bark=0.7, Growl=0.7) == {"Bark"}


def test_relatives_are_those_above_and_the_family():
    relatives = nesting().relatives(LABELS.index(BARK))
    assert {LABELS[place].name for place in relatives} == {"Animal", "Dog", "Growl"}
    assert not nesting().relatives(LABELS.index(SIREN))


def test_the_labels_below_are_no_relatives_since_they_may_take_over():
    assert {LABELS[place].name for place in nesting().relatives(LABELS.index(DOG))} == {"Animal"}


def group(name, *members):
    ancestors = frozenset().union(*(label.ancestors for label in members))
    own = frozenset(label.class_id for label in members)
    return Label(name, f"group:{name}", "fake", ancestors - own), own


def test_two_groups_above_each_other_are_side_by_side():
    """Each holds something above a member of the other, as {Animal, Bark} and {Dog}."""
    (mixed, mixed_ids), (dogs, dog_ids) = group("Mixed", ANIMAL, BARK), group("Dogs", DOG)
    both = Hierarchy([mixed, dogs], [mixed_ids, dog_ids])
    values = np.array([0.9, 0.8], dtype=np.float32)
    assert both.choose([0, 1], values, np.full(2, 0.5, np.float32)) == [0, 1]


def test_a_label_in_two_groups_is_above_what_is_below_it_in_both():
    (pets, pet_ids), (hounds, hound_ids) = group("Pets", DOG, CAT), group("Hounds", DOG)
    three = Hierarchy([pets, hounds, BARK], [pet_ids, hound_ids, frozenset({BARK.class_id})])
    assert three.ancestors[2] == {0, 1}


@given(st.lists(st.floats(0, 1, width=32), min_size=len(LABELS), max_size=len(LABELS)))
def test_whatever_is_confirmed_something_is_chosen_and_no_two_are_nested(values):
    scores, tree = np.array(values, dtype=np.float32), nesting()
    confirmed = [int(place) for place in np.flatnonzero(scores >= THRESHOLD)]
    places = tree.choose(confirmed, scores, np.full(len(LABELS), THRESHOLD, np.float32))
    assert bool(places) == bool(confirmed)
    assert len(set(places)) == len(places)
    assert not any(tree.ancestors[place] & set(places) for place in places)
    for place in confirmed:
        line = {place} | tree.ancestors[place] | tree.descendants[place] | tree.relatives(place)
        assert line & set(places), "each confirmed label is spoken for"
