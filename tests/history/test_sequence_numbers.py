"""Numbers rise and are never given twice, whatever became of the file."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from detector.history.sequence_numbers import SequenceNumbers
from tests.support.history_stores import T0

MILLISECONDS = int(T0 * 1000)


def make_numbers(ahead=10):
    return SequenceNumbers(utc=lambda: T0, ahead=ahead)


def opened(newest=0, reserved=1, ahead=10):
    """The numbers of a run whose file could be opened and reserved in."""
    numbers = make_numbers(ahead)
    numbers.meet(newest, reserved)
    numbers.grant(numbers.wanted())
    numbers.begin()
    return numbers


def test_the_first_number_of_a_new_file_is_1():
    assert [opened().take() for _ in range(1)] == [1]


def test_a_run_goes_on_after_the_newest_event():
    assert opened(newest=41, reserved=42).take() == 42


def test_after_a_run_that_did_not_end_well_everything_reserved_counts_as_used():
    assert opened(newest=41, reserved=100).take() == 100


def test_without_a_file_numbers_begin_at_the_clocks_milliseconds():
    numbers = make_numbers()
    numbers.begin()
    assert [numbers.take(), numbers.take()] == [MILLISECONDS + 1, MILLISECONDS + 2]


def test_a_reservation_is_renewed_when_half_is_used():
    numbers = opened(ahead=10)
    for _ in range(4):
        numbers.take()
    assert numbers.wanted() is None
    numbers.take()
    numbers.take()
    assert numbers.wanted() == 6 + 1 + 10


def test_a_reservation_that_cannot_be_renewed_ends_in_a_lift_and_not_in_anothers_numbers():
    numbers = opened(ahead=10)
    given_out = [numbers.take() for _ in range(15)]
    assert given_out[:10] == list(range(1, 11))
    assert given_out[10:] == list(range(MILLISECONDS + 1, MILLISECONDS + 6))


def test_opening_ones_own_file_again_skips_nothing():
    numbers = opened()
    last = numbers.take()
    numbers.meet(newest=1, reserved=numbers.last + 10)
    assert numbers.take() == last + 1


def test_what_is_lost_in_the_middle_of_a_run_changes_nothing():
    numbers = opened()
    numbers.take()
    numbers.lose()
    assert numbers.take() == 2


def test_a_damaged_file_at_the_start_lifts():
    numbers = make_numbers()
    numbers.lose()
    numbers.meet(0, 1)
    numbers.grant(numbers.wanted())
    numbers.begin()
    assert numbers.take() == MILLISECONDS + 1


class Disk(RuleBasedStateMachine):
    """Runs that end well or badly on a disk that works or does not; the clock goes on."""

    def __init__(self):
        super().__init__()
        self.now = T0
        self.newest, self.reserved = 0, 1
        self.well = True
        self.given_out = []
        self.start()

    def start(self):
        self.numbers = SequenceNumbers(utc=lambda: self.now, ahead=6)
        if self.well:
            self.numbers.meet(self.newest, self.reserved)
            self.renew()
        self.numbers.begin()

    def renew(self):
        wanted = self.numbers.wanted()
        if wanted is not None:
            self.reserved = wanted
            self.numbers.grant(wanted)

    @rule(count=st.integers(1, 5))
    def publish(self, count):
        self.now += 1.0
        for _ in range(count):
            number = self.numbers.take()
            self.given_out.append(number)
            if self.well:
                self.newest = max(self.newest, number)
                self.renew()

    @rule(well=st.booleans())
    def disk(self, well):
        self.well = well

    @rule()
    def kill(self):
        self.now += 1.0
        self.start()

    @rule()
    def stop(self):
        self.now += 1.0
        if self.well:
            self.reserved = self.numbers.last + 1
        self.start()

    @invariant()
    def never_twice(self):
        assert len(set(self.given_out)) == len(self.given_out)


TestDisk = Disk.TestCase


@given(st.lists(st.integers(0, 20)), st.integers(0, 10**6))
def test_numbers_rise_within_a_run(meetings, newest):
    numbers = opened(newest, newest + 1)
    taken = []
    for meeting in meetings:
        numbers.meet(newest + meeting, newest + meeting)
        taken.append(numbers.take())
    assert taken == sorted(set(taken))
