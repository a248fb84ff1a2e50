"""Groups that people think in, over AudioSet's labels: `alarms`, `baby`, `vehicles`, ...

A group's name is written in small letters, exactly: `dog` is the group, `Dog` is the label. A label that is
written just so (a head's `dog`) and a group of the user's own settings come before these.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from detector.records import Label


@dataclass(frozen=True, slots=True)
class LabelGroup:
    """One group; labels are named as AudioSet names them, in any case of letters."""

    name: str
    about: str
    """What it is for, in a few words."""
    labels: tuple[str, ...]
    """Each stands for itself and for all labels below it in AudioSet's tree."""
    alone: tuple[str, ...] = ()
    """Each stands for itself only, since other things lie below it as well."""

    def holds(self, label: Label) -> bool:
        """Whether a label belongs to the group."""
        return _wanted(self.name).hold((label.name, label.class_id), label.ancestor_names)


GROUPS: tuple[LabelGroup, ...] = (
    LabelGroup(
        "alarms",
        "smoke and fire alarms, sirens, car alarms, alarm clocks",
        (
            "Smoke detector, smoke alarm",
            "Fire alarm",
            "Siren",
            "Emergency vehicle",
            "Car alarm",
            "Alarm clock",
        ),
        alone=("Alarm",),
    ),
    LabelGroup("animals", "all animals, pets among them", ("Animal", "Dog bark", "Rooster")),
    LabelGroup(
        "appliances",
        "machines in a home",
        (
            "Vacuum cleaner",
            "Hair dryer",
            "Microwave oven",
            "Blender",
            "Sewing machine",
            "Mechanical fan",
            "Air conditioning",
            "Printer",
            "Electric shaver, electric razor",
            "Electric toothbrush",
            "Toothbrush",
        ),
    ),
    LabelGroup("baby", "a baby that cries, and crying that may be a baby", ("Crying, sobbing", "Baby cry")),
    LabelGroup(
        "bathroom",
        "toilet, bath, basin",
        (
            "Toilet flush",
            "Water tap, faucet",
            "Sink (filling or washing)",
            "Bathtub (filling or washing)",
            "Hair dryer",
            "Toothbrush",
            "Electric toothbrush",
            "Electric shaver, electric razor",
        ),
    ),
    LabelGroup("birds", "birds, poultry among them", ("Bird", "Fowl", "Rooster")),
    LabelGroup(
        "body",
        "coughs, sneezes, snoring, breathing",
        (
            "Cough",
            "Throat clearing",
            "Sneeze",
            "Person sneeze",
            "Sniff",
            "Breathing",
            "Sigh",
            "Burping, eructation",
            "Hiccup",
            "Fart",
            "Gargling",
            "Stomach rumble",
            "Heart sounds, heartbeat",
        ),
    ),
    LabelGroup("cat", "cats", ("Cat",)),
    LabelGroup("dog", "dogs", ("Dog", "Canidae, dogs, wolves", "Dog bark")),
    LabelGroup(
        "door",
        "doorbells, knocks, slams",
        ("Doorbell", "Sliding door", "Slam", "Knock", "Buzzer"),
        alone=("Door",),
    ),
    LabelGroup("explosions", "gunshots, fireworks and other bangs", ("Explosion",), alone=("Bang",)),
    LabelGroup("farm", "farm animals", ("Livestock, farm animals, working animals", "Rooster")),
    LabelGroup("glass", "glass, and things that break", ("Glass", "Shatter", "Smash, crash", "Breaking")),
    LabelGroup(
        "kitchen",
        "cooking and washing up",
        (
            "Dishes, pots, and pans",
            "Cutlery, silverware",
            "Chopping (food)",
            "Frying (food)",
            "Sizzle",
            "Boiling",
            "Microwave oven",
            "Blender",
            "Cupboard open or close",
            "Drawer open or close",
            "Water tap, faucet",
            "Sink (filling or washing)",
        ),
    ),
    LabelGroup("media", "television and radio, where the model names them", ("Television", "Radio")),
    LabelGroup("music", "music, instruments (bells are some), singing", ("Music", "Singing", "Humming")),
    LabelGroup(
        "office", "typing, writing, printing", ("Typing", "Writing", "Printer", "Clicking", "Shuffling cards")
    ),
    LabelGroup(
        "people",
        "voices, steps, applause: somebody is there",
        (
            "Speech",
            "Shout",
            "Screaming",
            "Whispering",
            "Laughter",
            "Crying, sobbing",
            "Baby cry",
            "Wail, moan",
            "Singing",
            "Humming",
            "Whistling",
            "Whistle",
            "Cough",
            "Throat clearing",
            "Sneeze",
            "Person sneeze",
            "Sniff",
            "Sigh",
            "Breathing",
            "Burping, eructation",
            "Hiccup",
            "Fart",
            "Walk, footsteps",
            "Run",
            "Shuffle",
            "Clapping",
            "Applause",
            "Cheering",
            "Crowd",
            "Chatter",
            "Hubbub, speech noise, speech babble",
            "Children playing",
        ),
    ),
    LabelGroup("phone", "telephones", ("Telephone",)),
    LabelGroup("shouting", "shouts and screams", ("Shout", "Screaming", "Battle cry")),
    LabelGroup(
        "speech",
        "talking",
        ("Speech", "Whispering", "Chatter", "Hubbub, speech noise, speech babble"),
    ),
    LabelGroup(
        "tools",
        "hammers, saws, drills, garden machines",
        ("Tools", "Chainsaw", "Lawn mower"),
    ),
    LabelGroup(
        "vehicles",
        "cars, trains, aircraft, boats; no sirens",
        (
            "Car",
            "Truck",
            "Bus",
            "Motorcycle",
            "Traffic noise, roadway noise",
            "Vehicle horn, car horn, honking",
            "Rail transport",
            "Aircraft",
            "Boat, Water vehicle",
            "Bicycle",
            "Skateboard",
            "Idling",
            "Accelerating, revving, vroom",
            "Engine starting",
            "Engine knocking",
        ),
        alone=(
            "Vehicle",
            "Motor vehicle (road)",
            "Engine",
            "Light engine (high frequency)",
            "Medium engine (mid frequency)",
            "Heavy engine (low frequency)",
        ),
    ),
    LabelGroup(
        "water",
        "taps, drips, splashes in a home; no rain, no sea",
        (
            "Liquid",
            "Water tap, faucet",
            "Sink (filling or washing)",
            "Bathtub (filling or washing)",
            "Toilet flush",
            "Gurgling",
            "Plop",
        ),
        alone=("Water",),
    ),
    LabelGroup("weather", "wind, rain, thunder", ("Wind", "Rain", "Thunderstorm")),
)
"""In the order of their names."""

_BY_NAME = {group.name: group for group in GROUPS}


def named_group(name: str) -> LabelGroup | None:
    """The group of exactly this name, or None."""
    return _BY_NAME.get(name)


def nearest_groups(name: str) -> list[str]:
    """The group whose name is very like a name, or none."""
    return difflib.get_close_matches(name.casefold(), _BY_NAME, n=1, cutoff=0.8)


@dataclass(frozen=True, slots=True)
class WantedNames:
    """Names of labels, class ids and groups as somebody gave them, ready to compare; all casefolded."""

    names: frozenset[str] = frozenset()
    """Each stands for itself and for all that lies below it."""
    alone: frozenset[str] = frozenset()
    """Each stands for itself only."""

    @staticmethod
    def of(names: Iterable[str]) -> WantedNames:
        """Make them of labels, class ids and groups; a group's own name is kept, for a label called so."""
        wide: set[str] = set()
        alone: set[str] = set()
        for name in names:
            group = named_group(name)
            if group is None:
                wide.add(name.casefold())
            else:
                wide.update(label.casefold() for label in group.labels)
                alone.update(label.casefold() for label in (name, *group.alone))
        return WantedNames(frozenset(wide), frozenset(alone))

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return bool(self.names or self.alone)

    def hold(self, own: Collection[str], above: Collection[str] = ()) -> bool:
        """Whether what is called so, below classes called so, is wanted."""
        folded = {name.casefold() for name in own}
        if folded & self.names or folded & self.alone:
            return True
        return any(name.casefold() in self.names for name in above)


@cache
def _wanted(group: str) -> WantedNames:
    return WantedNames.of((group,))
