"""Which AudioSet labels count as a class of ESC-50 or UrbanSound8K: the map behind "zero-shot".

All classes stand for choice, also those of which no clip is at hand: telling ten sounds apart is easier than
telling sixty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LABELS: Mapping[str, tuple[str, ...]] = {
    "dog": ("Dog", "Bark", "Yip", "Howl", "Bow-wow", "Growling", "Whimper (dog)"),
    "rooster": ("Chicken, rooster", "Crowing, cock-a-doodle-doo", "Fowl"),
    "pig": ("Pig", "Oink"),
    "cow": ("Cattle, bovinae", "Moo"),
    "frog": ("Frog", "Croak"),
    "cat": ("Cat", "Purr", "Meow", "Caterwaul"),
    "hen": ("Cluck",),
    "insects": ("Mosquito", "Fly, housefly", "Buzz", "Bee, wasp, etc."),
    "sheep": ("Sheep", "Goat", "Bleat"),
    "crow": ("Crow", "Caw"),
    "rain": ("Rain", "Raindrop", "Rain on surface"),
    "sea waves": ("Ocean", "Waves, surf"),
    "crackling fire": ("Fire", "Crackle"),
    "crickets": ("Cricket",),
    "chirping birds": ("Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "water drops": ("Drip", "Water tap, faucet"),
    "wind": ("Wind", "Wind noise (microphone)", "Rustling leaves"),
    "pouring water": ("Pour", "Trickle, dribble", "Fill (with liquid)", "Gush"),
    "toilet flush": ("Toilet flush",),
    "thunderstorm": ("Thunderstorm", "Thunder"),
    "crying baby": ("Baby cry, infant cry", "Crying, sobbing", "Whimper"),
    "sneezing": ("Sneeze",),
    "clapping": ("Clapping", "Applause"),
    "breathing": ("Breathing", "Gasp", "Pant", "Sigh"),
    "coughing": ("Cough", "Throat clearing"),
    "footsteps": ("Walk, footsteps", "Run"),
    "laughing": ("Laughter", "Baby laughter", "Giggle", "Belly laugh", "Chuckle, chortle", "Snicker"),
    "brushing teeth": ("Toothbrush", "Electric toothbrush"),
    "snoring": ("Snoring", "Snort"),
    "drinking, sipping": ("Gargling", "Chewing, mastication", "Biting"),
    "door knock": ("Knock",),
    "mouse click": ("Mouse",),
    "keyboard typing": ("Computer keyboard", "Typing", "Typewriter"),
    "door creaks": ("Creak", "Squeak"),
    "can opening": ("Crushing", "Tearing"),
    "washing machine": ("Washing machine",),
    "vacuum cleaner": ("Vacuum cleaner",),
    "clock alarm": ("Alarm clock", "Beep, bleep"),
    "clock tick": ("Tick", "Tick-tock", "Clock"),
    "glass breaking": ("Glass", "Shatter", "Breaking"),
    "helicopter": ("Helicopter", "Propeller, airscrew"),
    "chainsaw": ("Chainsaw", "Light engine (high frequency)"),
    "siren": (
        *("Siren", "Civil defense siren", "Police car (siren)", "Ambulance (siren)"),
        *("Fire engine, fire truck (siren)", "Emergency vehicle"),
    ),
    "car horn": ("Vehicle horn, car horn, honking", "Toot", "Air horn, truck horn"),
    "engine": (
        *("Idling", "Medium engine (mid frequency)", "Heavy engine (low frequency)"),
        *("Engine starting", "Engine knocking", "Accelerating, revving, vroom"),
    ),
    "train": ("Train", "Rail transport", "Railroad car, train wagon", "Train whistle", "Train horn"),
    "church bells": ("Church bell", "Bell", "Jingle bell", "Change ringing (campanology)"),
    "airplane": ("Fixed-wing aircraft, airplane", "Jet engine"),
    "fireworks": ("Fireworks", "Firecracker", "Burst, pop"),
    "hand saw": ("Sawing", "Filing (rasp)", "Sanding"),
    "air conditioner": ("Air conditioning", "Mechanical fan"),
    "children playing": ("Children playing", "Children shouting", "Child speech, kid speaking"),
    "drilling": ("Drill", "Dental drill, dentist's drill", "Power tool"),
    "gun shot": ("Gunshot, gunfire", "Machine gun", "Fusillade", "Artillery fire", "Cap gun"),
    "jackhammer": ("Jackhammer",),
    "street music": ("Music", "Musical instrument", "Street music"),
}
"""Class -> the labels that count as it; those that a model lacks are passed over.

A label that is above another class's label counts as no class: an `Aircraft` may be a helicopter.
"""

ALSO_CALLED = {
    "Dog bark": "dog",
    "Rain": "rain",
    "Sea waves": "sea waves",
    "Baby cry": "crying baby",
    "Clock tick": "clock tick",
    "Person sneeze": "sneezing",
    "Helicopter": "helicopter",
    "Chainsaw": "chainsaw",
    "Rooster": "rooster",
    "Fire crackling": "crackling fire",
    "air_conditioner": "air conditioner",
    "car_horn": "car horn",
    "children_playing": "children playing",
    "dog_bark": "dog",
    "drilling": "drilling",
    "engine_idling": "engine",
    "gun_shot": "gun shot",
    "jackhammer": "jackhammer",
    "siren": "siren",
    "street_music": "street music",
}
"""The data sets' own names -> ours."""


class ClassMap:
    """Picks the class of a clip from the scores of a model's labels."""

    def __init__(self, names: Sequence[str]) -> None:
        pairs = [
            (names.index(label), kind)
            for kind, labels in LABELS.items()
            for label in labels
            if label in names
        ]
        self._columns = np.array([column for column, _ in pairs])
        self._kinds = [kind for _, kind in pairs]
        self._known = {name: kind for kind, labels in LABELS.items() for name in labels}

    def best(self, scores: NDArray[np.float32]) -> str:
        """The class whose best label scores highest."""
        return self._kinds[int(scores[self._columns].argmax())]

    def of(self, label: str) -> str | None:
        """The class that a label counts as."""
        return self._known.get(label)
