"""How labels are told apart where people read."""

from detector.events.naming import shared_names, shown, told_apart
from detector.records import Label


def test_only_names_of_several_labels_come_with_their_model():
    shared = shared_names(["Rain", "Dog", "rain", "Siren"])
    assert told_apart("Rain", "yamnet", shared) == "Rain (yamnet)"
    assert told_apart("rain", "esc10", shared) == "rain (esc10)"
    assert told_apart("Dog", "yamnet", shared) == "Dog"
    assert shown(Label("Rain", "esc10/Rain", "esc10"), shared) == "Rain (esc10)"
    assert shown(Label("Rain", "esc10/Rain", "esc10"), shared_names(["Rain", "Dog"])) == "Rain"
