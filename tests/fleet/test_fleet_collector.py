"""An event is acknowledged when it is on the disk, not before; whatever fails is tried again."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from dataclasses import replace

import pytest

from detector.errors import ConfigError
from detector.fleet.asking import FIRST_SECONDS, TRIES
from detector.fleet.collector_metrics import metrics_text
from detector.fleet.event_database import DatabaseError, make_tables
from detector.fleet.fleet_collector import (
    GRACE_SECONDS,
    LOOK_BACK_SECONDS,
    STEADY_SECONDS,
    SWEEP_SECONDS,
    FleetCollector,
)
from detector.fleet.fleet_watch import SILENCE_SECONDS
from detector.fleet.sqlite_database import SqliteDatabase
from detector.sinks.mqtt.link import NoConnection, Received
from tests.support.fleet_events import PREFIX, payload, topic


class Broker:
    """Sends what it has until that is acknowledged, over one connection after the other."""

    def __init__(self):
        self.unacknowledged = {}
        self.subscribed, self.published, self.sent = [], [], 0

    def send(self, *messages):
        for message in messages:
            self.sent += 1
            self.unacknowledged[self.sent] = message


class Link:
    """A connection to it, which sends each message once."""

    def __init__(self, room):
        self.room, self.sent = room, set()

    def dial(self, stopped):
        self.room.dials += 1

    def subscribe(self, topics):
        self.room.broker.subscribed = topics

    def wait(self, wake, seconds):
        if seconds > 0:
            self.room.turn()

    def take_received(self):
        broker = self.room.broker
        fresh = [number for number in broker.unacknowledged if number not in self.sent]
        self.sent.update(fresh)
        return [Received(*broker.unacknowledged[number], number, 1) for number in fresh]

    def acknowledge(self, messages):
        for message in messages:
            del self.room.broker.unacknowledged[message.number]

    def publish(self, where, data, *, qos):
        self.room.broker.published.append((where, json.loads(data)))
        return 1

    def close(self):
        self.room.closes += 1


class Room:
    """A collector, its broker, its file and its clock; each step happens in one turn of its loop."""

    def __init__(self, folder, *steps):
        self.path = folder / "fleet.db"
        self.broker, self.steps = Broker(), list(steps)
        self.now, self.dials, self.closes = 1000.0, 0, 0
        self.collector = FleetCollector(
            broker="mqtt://broker",
            prefix=PREFIX,
            group="collectors",
            make_link=lambda: Link(self),
            open_database=self.open,
            utc=lambda: self.now,
            clock=lambda: self.now,
            pause=self.pause,
        )

    def open(self):
        return SqliteDatabase(self.path, is_durable=False)

    def turn(self):
        self.now += 1.0
        if self.steps:
            self.steps.pop(0)()

    def pause(self, seconds):
        self.now += seconds

    def run(self):
        self.collector.run(lambda: not self.steps)
        return self.rows()

    def rows(self):
        with closing(self.open()) as database:
            make_tables(database)
            return [seq for (seq,) in database.run("SELECT seq FROM events ORDER BY seq")]


def nothing():
    """A turn in which nothing happens."""


def event(seq, **changes):
    return (topic(), payload(seq, **changes))


def test_events_are_kept_once_and_acknowledged(tmp_path):
    room = Room(tmp_path, nothing, nothing)
    room.broker.send(event(1), event(2), event(2))
    assert room.run() == [1, 2]
    assert not room.broker.unacknowledged
    assert (room.collector.counts.new, room.collector.counts.again) == (2, 1)


def test_collectors_of_a_group_share_the_events_and_each_hears_of_all_daemons(tmp_path):
    room = Room(tmp_path, nothing)
    room.run()
    shared = [name for name in room.broker.subscribed if name.startswith("$share/collectors/")]
    assert shared == [
        "$share/collectors/sound-detector/+/events",
        "$share/collectors/sound-detector/+/+/events",
    ]
    assert "sound-detector/+/availability" in room.broker.subscribed
    assert "sound-detector/+/events/resent" in room.broker.subscribed


def test_what_could_not_be_written_is_not_acknowledged_and_comes_again(tmp_path):
    room = Room(tmp_path, nothing, nothing, nothing)
    room.broker.send(event(1))

    class Failing(SqliteDatabase):
        commits = 0

        def commit(self):
            Failing.commits += 1
            if Failing.commits == 2:  # the first one makes the tables
                raise DatabaseError("fleet.db: cannot be written: disk is full")
            super().commit()

    room.collector.open_database = lambda: Failing(room.path, is_durable=False)
    assert room.run() == [1]
    assert room.dials == 2 and room.closes == 2
    assert not room.broker.unacknowledged


def test_a_database_that_cannot_be_opened_is_waited_for(tmp_path):
    room = Room(tmp_path, nothing, nothing)
    room.broker.send(event(1))
    faults = [DatabaseError("fleet.db: cannot be opened: database is locked")] * 2

    def opening():
        if faults:
            raise faults.pop()
        return room.open()

    room.collector.open_database = opening
    assert room.run() == [1]


def test_a_broker_that_goes_away_is_tried_again_and_said_once(tmp_path, caplog):
    def gone():
        raise NoConnection("the broker has closed the connection")

    room = Room(tmp_path, nothing, gone, gone, gone, nothing)
    room.broker.send(event(1))
    with caplog.at_level(logging.INFO, "detector"):
        assert room.run() == [1]
    said = [record.getMessage() for record in caplog.records]
    assert room.dials == 4
    assert said.count("collect.connected broker=mqtt://broker") == 4
    assert sum("collect.waiting the broker has closed the connection" in line for line in said) == 3


def test_what_does_not_fit_is_left_out_counted_and_said_once_a_minute(tmp_path, caplog):
    room = Room(tmp_path, nothing, nothing)
    room.broker.send(event(1, node="other"), (topic(), b"\x1b[2J"), (topic(), b"\x00"), event(2))
    assert room.run() == [2]
    assert room.collector.counts.unfit == 3 and not room.broker.unacknowledged
    lines = [record.getMessage() for record in caplog.records if "collect.unfit" in record.getMessage()]
    assert len(lines) == 1 and "expected node 'hall'" in lines[0]
    assert not any("\x1b" in line for line in lines)


def test_missing_events_are_asked_for_and_come(tmp_path):
    def answer():
        ((where, wish),) = room.broker.published
        assert where == "sound-detector/hall/events/again"
        assert wish == {"generation": "g", "after": 1}
        room.broker.send(*((topic(ending="events/resent"), payload(seq)) for seq in (2, 3, 4)))

    waiting = [nothing] * int(GRACE_SECONDS + 2 * SWEEP_SECONDS)
    room = Room(tmp_path, *waiting, answer, *waiting)
    room.broker.send(event(1), event(4))
    assert room.run() == [1, 2, 3, 4]
    counts = room.collector.counts
    assert (counts.noted_missing, counts.came_late, counts.asked, counts.again) == (2, 2, 1, 1)
    assert "sound_detector_collect_events_missing_total 2" in metrics_text(counts)


def test_a_collector_that_starts_anew_looks_at_the_last_hour_alone(tmp_path):
    looked = []

    class Exports:
        def write_changed(self, database, *, since, until):
            looked.append(round(until - since))
            return 0

    room = Room(tmp_path, nothing)
    room.broker.send(event(1))
    room.run()
    room.steps, room.now = [nothing], room.now + 100
    again = replace(room.collector, exports=Exports(), _swept=None)
    again.run(lambda: not room.steps)
    assert looked == [LOOK_BACK_SECONDS + 101]


def test_what_is_asked_for_in_vain_is_told_once(tmp_path, caplog):
    seconds = int(GRACE_SECONDS + SWEEP_SECONDS + FIRST_SECONDS * (2**TRIES - 1) + 2 * SWEEP_SECONDS)
    room = Room(tmp_path, *[nothing] * seconds)
    room.broker.send(event(1), event(4))
    with caplog.at_level(logging.INFO, "detector"):
        room.run()
    lines = [record.getMessage() for record in caplog.records if "given_up" in record.getMessage()]
    assert len(lines) == 1 and "node=hall after=1" in lines[0] and "history may be deleted" in lines[0]
    assert (room.collector.counts.asked, room.collector.counts.given_up) == (TRIES, 1)
    assert "sound_detector_collect_given_up_total 1" in metrics_text(room.collector.counts)


def test_a_broker_that_ends_each_connection_at_once_is_tried_ever_more_seldom(tmp_path, caplog):
    def gone():
        raise NoConnection("the broker has closed the connection")

    room = Room(tmp_path, *[gone] * 12)
    with caplog.at_level(logging.WARNING, "detector"):
        room.run()
    assert room.now - 1000.0 > 60.0 * 5
    said = [record.getMessage() for record in caplog.records]
    assert "another collector has the same --name" in said[-1] and "--name" not in said[0]


def test_a_connection_that_lasted_is_tried_again_at_once(tmp_path):
    def gone():
        raise NoConnection("the broker has closed the connection")

    room = Room(tmp_path, *[gone] * 8, *[nothing] * int(STEADY_SECONDS), gone)
    began = []
    room.steps[-1] = lambda: (began.append(room.now), room.steps.append(nothing), gone())
    room.run()
    assert room.now - began[0] < 3.0


def test_a_broker_that_delivers_nothing_is_told(tmp_path, caplog):
    room = Room(tmp_path, *[nothing] * int(SILENCE_SECONDS + 10))
    with caplog.at_level(logging.WARNING, "detector"):
        room.run()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "collect.silent broker=mqtt://broker" in line


def test_tables_of_another_version_end_the_collector_in_one_line(tmp_path):
    room = Room(tmp_path, nothing)
    room.run()
    with closing(room.open()) as database:
        database.run("ALTER TABLE events ADD COLUMN mood TEXT")
    with pytest.raises(ConfigError, match=r"expected a table events with the columns node, .*, got .*mood"):
        room.collector.run(lambda: False)


@pytest.mark.parametrize("group", ["", "night"])
def test_a_group_of_its_own_gets_all_events(tmp_path, group):
    room = Room(tmp_path, nothing)
    room.collector.group = group
    room.run()
    first = room.broker.subscribed[0]
    assert first == (f"$share/{group}/" if group else "") + "sound-detector/+/events"
