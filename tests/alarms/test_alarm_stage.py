"""One sound, one event: what the network makes of an alarm becomes the pattern's event."""

from detector.alarms.alarm_stage import CHIRP, CO_ALARM, PATTERN_LABELS, SMOKE_ALARM, AlarmStage
from detector.alarms.pattern_detector import PatternSound
from detector.audio.level import Level
from detector.records import Event, Pattern, Span
from tests.support.fakes import make_label

NETWORK = make_label("Smoke detector, smoke alarm")
BEEP = make_label("Beep, bleep")
DOG = make_label("Dog")


class Script:
    """Stands for the detector: what it finds in each frame is written down."""

    def __init__(self, sounds):
        self._sounds = sounds

    def push(self, level):
        return self._sounds.get(level.span.stop, [])

    def flush(self):
        return self._sounds.get("flush", [])


def found(phase, decided, *, name="T3", cycles=2, onset=0, offset=65, number=1):
    pattern = Pattern(name, cycles, 3100.0)
    return PatternSound(phase, number, pattern, onset, offset, decided, 0.9, -40.0)


def network(phase, decided, *, id=1, label=NETWORK, onset=0, offset=None):
    return Event(phase, id, label, onset, offset, decided, 0.5, 0.7, -30.0)


def play(sounds, events, *, labels=PATTERN_LABELS, update=0, first_id=100):
    """Frames of one sample; both scripts are by the sample at which they come."""
    ids = iter(range(first_id, first_id + 100))
    stage = AlarmStage(Script(sounds), labels, lambda: next(ids), update=update)
    told = []
    for stop in range(1, 200):
        level = Level(Span(stop - 1, stop), -60.0, (0.0,) * 4, 0.0)
        told += stage.push(level, events.get(stop, []))
    return told + stage.flush(events.get("flush", []))


def story(told):
    return [(event.phase, event.id, event.label.name) for event in told]


ALARM = {80: [found("start", 80)], 120: [found("update", 120, cycles=3, offset=105)]}
OVER = {160: [found("end", 160, cycles=3, offset=105)]}


def test_an_alarm_that_no_network_hears_is_an_event_of_its_own():
    told = play(ALARM | OVER, {})
    assert story(told) == [("start", 100, "Smoke alarm (T3)"), ("end", 100, "Smoke alarm (T3)")]
    assert told[0].onset == 0 and told[0].pattern == Pattern("T3", 2, 3100.0)
    assert told[1].offset == 105 and told[1].pattern.cycles == 3


def test_updates_come_as_often_as_asked():
    assert [event.phase for event in play(ALARM | OVER, {}, update=30)] == ["start", "update", "end"]


def test_the_networks_event_is_corrected_and_ends_with_the_pattern():
    heard = {10: [network("start", 10)], 110: [network("end", 110, offset=104)]}
    told = play(ALARM | OVER, heard)
    assert story(told) == [
        ("start", 1, "Smoke detector, smoke alarm"),
        ("update", 1, "Smoke alarm (T3)"),
        ("end", 1, "Smoke alarm (T3)"),
    ]
    corrected = told[1]
    assert corrected.earlier == (NETWORK,)
    assert corrected.alternatives[0].label == NETWORK
    assert corrected.top_score == 0.9


def test_it_goes_on_as_long_as_either_hears_it():
    heard = {10: [network("start", 10)], 180: [network("end", 180, offset=170)]}
    assert play(ALARM | OVER, heard)[-1].offset == 170


def test_what_the_network_hears_of_it_later_is_the_same_sound():
    heard = {
        100: [network("start", 100, id=2, label=BEEP, onset=95)],
        110: [network("end", 110, id=2, label=BEEP, onset=95, offset=105)],
    }
    assert story(play(ALARM | OVER, heard)) == [
        ("start", 100, "Smoke alarm (T3)"),
        ("end", 100, "Smoke alarm (T3)"),
    ]


def test_what_proves_to_be_another_sound_is_told():
    heard = {
        100: [network("start", 100, id=2, label=BEEP)],
        105: [network("update", 105, id=2, label=DOG)],
        150: [network("end", 150, id=2, label=DOG, offset=140)],
    }
    told = play(ALARM | OVER, heard)
    assert [one for one in story(told) if one[1] == 2] == [("start", 2, "Dog"), ("end", 2, "Dog")]


def test_other_sounds_pass():
    heard = {100: [network("start", 100, id=2, label=DOG)], "flush": [network("end", 199, id=2, label=DOG)]}
    assert ("start", 2, "Dog") in story(play(ALARM | OVER, heard))


def test_an_old_event_is_another_sound():
    sounds = {150: [found("start", 150, onset=80, offset=145)]}
    heard = {5: [network("start", 5)], 190: [network("end", 190, offset=180)]}
    assert story(play(sounds, heard))[1] == ("start", 100, "Smoke alarm (T3)")


def test_a_chirp_hides_no_alarm():
    sounds = {50: [found("start", 50, name="chirp", cycles=3)]}
    heard = {40: [network("start", 40, id=1)], 60: [network("start", 60, id=2)]}
    assert story(play(sounds, heard))[:3] == [
        ("start", 1, NETWORK.name),
        ("start", 100, "Low-battery chirp"),
        ("start", 2, NETWORK.name),
    ]


def test_only_chosen_labels_are_told():
    assert play(ALARM | OVER, {}, labels=(CO_ALARM, CHIRP)) == []
    assert play(ALARM | OVER, {}, labels=(SMOKE_ALARM,)) != []
