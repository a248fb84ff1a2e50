"""The sink: events and states in, notices out; a target that hangs holds up nobody."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from detector.config.notify_settings import NotifyRuleSettings, NotifySettings
from detector.errors import AccessError
from detector.sinks.context import SinkContext
from detector.sinks.notify.notify_sink import (
    OVERLOAD_OVER_SECONDS,
    NotifySink,
    make_engine,
    make_notify_sink,
    unhealthy,
)
from detector.sinks.notify.retry_queue import Attempt
from detector.sinks.notify.target_thread import TargetThread
from detector.wire.encoding import encode
from detector.wire.message import HeartbeatBody, HelloBody, ReportBody, StatusBody
from tests.support.fakes import LONG
from tests.support.wire_messages import make_message


class FakeTarget:
    """Keeps the notices; each attempt waits for `goes_on`."""

    def __init__(self, name="phone", error=None):
        self.name = name
        self.notices = []
        self.tried = threading.Semaphore(0)
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.error = error
        self.opened = 0

    def open(self):
        self.opened += 1
        if self.error:
            raise self.error

    def deliver(self, notice, stopping):
        self.notices.append(notice)
        self.tried.release()
        assert self.goes_on.wait(LONG)
        return Attempt(True, "ok")

    def next(self):
        assert self.tried.acquire(timeout=LONG)
        return self.notices[-1]


class House:
    def __init__(self, *targets, **settings):
        self.seconds = 0.0
        self.broken = {}
        settings = NotifySettings(
            rules=tuple(NotifyRuleSettings(name=target.name, to=(target.name,)) for target in targets),
            **settings,
        )
        self.sink = NotifySink(
            make_engine(settings, series="1"),
            [TargetThread(target) for target in targets],
            unhealthy=lambda: self.broken,
            watches_health=bool(settings.health),
            monotonic=lambda: self.seconds,
            local=lambda: datetime(2026, 11, 28, 12) + timedelta(seconds=self.seconds),
        )

    def state(self, state, detail="gone"):
        self.sink.write(encode(StatusBody(state=state, source="Mic", detail=detail, time=None)))

    def later(self, seconds):
        self.seconds += seconds
        self.sink.refresh()


@pytest.fixture
def house(request):
    houses = []

    def make(*targets, **settings):
        house = House(*targets, **settings)
        house.sink.open()
        houses.append(house)
        return house

    yield make
    for made in houses:
        made.sink.close()


def test_each_target_gets_the_notices_of_its_rules(house):
    phone, speak = FakeTarget(), FakeTarget("speak")
    room = house(phone, speak)
    room.sink.write(make_message(1))
    assert (phone.next().rule, speak.next().rule) == ("phone", "speak")


def test_a_rule_that_is_off_makes_no_notice():
    rules = (NotifyRuleSettings("dogs", enabled=False), NotifyRuleSettings("all"))
    engine = make_engine(NotifySettings(rules=rules), series="1")
    assert [counts.rule for counts in engine.counts] == ["all"]


def test_a_target_that_hangs_holds_up_neither_the_sink_nor_others(house):
    hanging, speak = FakeTarget(), FakeTarget("speak")
    hanging.goes_on.clear()
    room = house(hanging, speak, burst=1000)
    for number in range(130):
        room.seconds += 60
        room.sink.write(make_message(number, id=number))
        speak.next()
    rules, (stuck, free) = room.sink.report().rules, room.sink.report().targets
    assert [rule["sent"] for rule in rules] == [130, 130]
    assert (len(hanging.notices), len(speak.notices)) == (1, 130)
    assert stuck["dropped"] == 29 and free["dropped"] == 0
    hanging.goes_on.set()


def test_digests_come_with_time(house):
    phone = FakeTarget()
    room = house(phone)
    room.sink.write(make_message(1, id=1))
    assert room.sink.refresh_seconds is None
    room.sink.write(make_message(2, id=2))
    assert room.sink.refresh_seconds is not None
    assert phone.next().kind == "event"
    room.later(700)
    assert phone.next().title == "and 1 more"


def test_a_lost_microphone_is_told_and_so_is_its_return(house):
    phone = FakeTarget()
    room = house(phone, health=("phone",))
    room.state("device_lost")
    room.later(5)
    room.later(6)
    assert phone.next().text == "Source lost: Mic: gone"
    room.seconds += 60
    room.state("listening")
    assert phone.next().title == "Source is back"


def test_one_that_hangs_is_told_at_once_since_the_program_ends(house):
    phone = FakeTarget()
    house(phone, health=("phone",)).state("hung")
    assert phone.next().title == "Source hangs"


def test_a_source_that_ends_beside_others_is_told_and_one_that_ends_with_the_program_is_not(house):
    phone = FakeTarget()
    room = house(phone, health=("phone",))
    room.state("stopped", detail="")
    room.later(20)
    room.state("stopped", detail="its sound has ended")
    room.later(20)
    assert phone.next().text == "Source ended: Mic: its sound has ended"
    assert len(phone.notices) == 1


def test_a_history_that_cannot_be_written_is_told(house):
    phone = FakeTarget()
    room = house(phone, health=("phone",))
    room.broken = unhealthy({"history_working": False, "sinks": [{"name": "stdout", "working": True}]})
    room.later(5)
    room.later(11)
    assert phone.next().text.startswith("History cannot be written")
    room.broken = {}
    room.later(61)
    assert phone.next().title == "Works again"


SLOW = {
    "overloaded": True,
    "overload_advice": "fewer sources would help",
    "sources": [
        {"name": "porch", "overloaded": True},
        {"name": "attic", "overloaded": False},
        {"name": "yard", "overloaded": True},
    ],
}


def test_a_machine_that_is_too_slow_is_told_once_and_so_is_its_end(house):
    phone = FakeTarget()
    room = house(phone, health=("phone",))
    room.broken = unhealthy(SLOW)
    room.later(5)
    room.later(11)
    assert phone.next().text == (
        "Machine too slow: windows are left out in porch, yard; fewer sources would help"
    )
    for _ in range(20):  # it comes and goes
        room.broken = {}
        room.later(OVERLOAD_OVER_SECONDS - 5)
        room.broken = unhealthy(SLOW)
        room.later(30)
    room.broken = {}
    room.later(OVERLOAD_OVER_SECONDS)
    assert phone.next().text == "Keeps up again: this machine"
    assert len(phone.notices) == 2


def test_the_line_names_the_sources_that_are_late_when_it_is_told(house):
    phone = FakeTarget()
    room = house(phone, health=("phone",))
    room.broken = unhealthy(SLOW | {"sources": [{"name": "porch", "overloaded": True}]})
    room.later(5)
    room.broken = unhealthy(SLOW)
    room.later(10)
    assert "porch, yard" in phone.next().text


def test_of_many_sources_some_are_named_and_of_one_without_a_name_none():
    sources = [{"name": f"room{i}", "overloaded": True} for i in range(16)]
    ((title, text),) = unhealthy(SLOW | {"sources": sources}).values()
    assert title == "Machine too slow"
    assert text.startswith("windows are left out in room0, room1, room2, room3 and 12 others; ")
    alone = {key: value for key, value in SLOW.items() if key != "sources"}
    ((_, text),) = unhealthy(alone).values()
    assert text == "windows are left out; fewer sources would help"
    assert unhealthy({"overloaded": False}) == {}


def test_what_does_not_work_is_a_problem():
    sinks = [{"name": "log:/x", "working": False}, {"name": "stdout", "working": True}]
    found = unhealthy({"history_working": None, "clips_working": False, "sinks": sinks})
    assert [*found] == [("clips", "clips"), ("sink", "log:/x")]
    assert unhealthy({}) == {}


def test_states_are_taken_only_where_somebody_is_told():
    message = encode(StatusBody(state="silent", source="Mic", time=None))
    assert not House(FakeTarget()).sink.takes(message)
    assert House(FakeTarget(), health=("phone",)).sink.takes(message)
    assert not House(FakeTarget()).sink.takes(encode(HeartbeatBody(state="listening", time=None, seq=0)))


def test_secrets_that_cannot_be_read_keep_the_sink_from_opening():
    sink = House(FakeTarget(error=AccessError("secret file x cannot be read"))).sink
    with pytest.raises(AccessError):
        sink.open()
    sink.close()


def test_on_a_reload_the_secrets_are_read_anew_or_the_old_ones_stay(house, caplog):
    phone = FakeTarget()
    room = house(phone)
    phone.error = AccessError("secret file x cannot be read")
    room.sink.reopen()
    assert phone.opened == 2
    assert "notify.secrets_refused target=phone" in caplog.text


def test_a_bug_in_a_target_is_a_failure(house):
    phone = FakeTarget()
    phone.deliver = None
    room = house(phone)
    room.sink.write(make_message(1))
    room.sink.close()
    assert room.sink.report().targets[0]["failed"] == 1


def test_what_could_not_be_told_at_the_end_is_counted_and_logged(caplog):
    phone = FakeTarget()
    room = House(phone)
    room.sink.open()
    room.sink.write(make_message(1, id=1))
    room.sink.write(make_message(2, id=2))
    room.sink.close()
    assert "notify.unsaid rule=phone count=1" in caplog.text
    assert room.sink.report().rules[0]["dropped"] == 1


def test_the_context_knows_the_sink_until_it_is_closed():
    hello = HelloBody(version="1", run_id="run", source="Mic", model="m", labels=())
    context = SinkContext(lambda: hello, lambda: ReportBody({}))
    first, second = (make_notify_sink(NotifySettings(), context) for _ in range(2))
    first.close()
    assert context.notifiers == [second.report]
    second.close()
    assert context.notifiers == []
