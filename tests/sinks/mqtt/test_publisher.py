"""What an MQTT broker gets: live sounds while they are news, every event, states, Home Assistant's device."""

import json
from dataclasses import replace

import pytest

from detector.errors import HistoryError
from detector.events.labels import AskedLabels
from detector.interfaces import HistoryHole
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.discovery import DeviceFacts
from detector.sinks.mqtt.event_sender import AGAIN_SECONDS, ANSWER_SECONDS, EventSender
from detector.sinks.mqtt.link import NoConnection, Received
from detector.sinks.mqtt.mqtt_memory import MqttMemory
from detector.sinks.mqtt.outbox import Outbox
from detector.sinks.mqtt.publisher import NodeFacts, Publisher
from detector.sinks.mqtt.sound_classes import all_classes, chosen_classes
from detector.sinks.mqtt.source_publisher import SourceFacts
from detector.sinks.mqtt.topics import Topics
from detector.wire.message import VetoBody
from tests.support.fakes import HandClock
from tests.support.history_stores import make_message
from tests.support.mqtt_fakes import FakeArchive, FakeLink, state

TOPICS = Topics("sound-detector", "hall")
DISCOVERY = "homeassistant/device/sound_detector_hall/config"


class Bench:
    """A publisher, its clock, and one connection after the other."""

    def __init__(
        self,
        tmp_path,
        *,
        labels=("Dog", "Siren"),
        archive=None,
        limit=1000,
        sources=("",),
        is_live=True,
        discovery_prefix="homeassistant",
    ):
        places = {source: replace(TOPICS, source=source) for source in sources}
        self.labels = list(labels)
        self.clock = HandClock(0.0)
        self.archive = archive
        self.counts = BrokerCounts("mqtt://broker:1883")
        self.memory = MqttMemory(tmp_path / "mqtt.json")
        self.memory.load()
        self.paused = []
        self.publisher = Publisher(
            NodeFacts(TOPICS, DeviceFacts("Hall", "1.0", can_pause=False), discovery_prefix, "run-1"),
            {
                source: SourceFacts(topics, DeviceFacts(source or "Hall", "1.0", can_pause=True), is_live)
                for source, topics in places.items()
            },
            EventSender(
                places,
                TOPICS,
                outbox=Outbox(archive, acked=self.memory.now.acked, limit=limit),
                memory=self.memory,
                counts=self.counts,
                generation=lambda: "g1",
            ),
            memory=self.memory,
            counts=self.counts,
            classes=lambda: all_classes(self.labels),
            report=lambda: {"level_dbfs": -40.0, "sources": [{"name": "porch", "level_dbfs": -50.0}]},
            pause=lambda paused, source: self.paused.append((source, paused)),
            clock=self.clock,
            chance=lambda: 0.5,
        )
        self.link = None

    def connect(self):
        self.link = FakeLink()
        self.publisher.connected(self.link)
        self.publisher.pump()
        return self.link

    def hear(self, seq, kind="start", **more):
        event = make_message(seq, kind, **more)
        if self.archive is not None:
            self.archive.add(event)
        self.publisher.take(event)
        self.publisher.pump()

    def answer(self, refusal=""):
        """The broker answers until nothing more comes."""
        while answers := self.link.answers(refusal=refusal):
            for answer in answers:
                self.publisher.acknowledged(answer)
            self.publisher.pump()

    def lose(self):
        self.publisher.disconnected()

    def after(self, seconds):
        self.clock.now += seconds
        self.publisher.pump()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def seqs(link):
    return [message.json["seq"] for message in link.on("/events")]


# States


def test_at_the_beginning_nothing_sounds_and_the_daemon_is_there(bench):
    retained = bench.connect().retained
    assert retained[TOPICS.availability] == "online"
    assert [retained[TOPICS.sound_class(id)] for id in ("dog", "siren")] == ["OFF", "OFF"]
    assert retained[TOPICS.listen] == "ON"


def test_a_class_is_on_from_the_start_of_a_sound_to_its_end(bench):
    link = bench.connect()
    bench.hear(1, id="a")
    assert link.retained[TOPICS.sound_class("dog")] == "ON"
    bench.hear(2, id="b")
    bench.hear(3, "end", id="a")
    assert link.retained[TOPICS.sound_class("dog")] == "ON"
    bench.hear(4, "end", id="b")
    assert link.retained[TOPICS.sound_class("dog")] == "OFF"


def test_a_label_that_is_corrected_moves_the_sound_and_is_told_again(bench):
    link = bench.connect()
    bench.hear(1, id="a")
    bench.hear(2, "update", id="a", label="Siren")
    assert link.retained[TOPICS.sound_class("dog")] == "OFF"
    assert link.retained[TOPICS.sound_class("siren")] == "ON"
    assert [message.json["event_type"] for message in link.on("/detected")] == ["dog", "siren"]
    bench.hear(3, "update", id="a", label="Siren")
    assert len(link.on("/detected")) == 2


def test_at_the_end_nothing_sounds_and_the_daemon_is_gone(bench):
    link = bench.connect()
    bench.hear(1)
    bench.publisher.farewell()
    assert link.retained[TOPICS.sound_class("dog")] == "OFF"
    assert link.retained[TOPICS.source_state] == "lost"
    assert link.published[-1].topic == TOPICS.availability
    assert link.published[-1].payload == b"offline"
    assert link.subscribed == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("listening", "ok"),
        ("clipping", "ok"),
        ("paused", "ok"),
        ("silent", "silent"),
        ("device_lost", "lost"),
    ],
)
def test_the_state_of_the_microphone(bench, name, shown):
    link = bench.connect()
    bench.publisher.take(state(name))
    bench.publisher.pump()
    assert link.retained[TOPICS.source_state] == shown


def test_after_a_new_connection_all_that_is_retained_comes_again_as_it_is_now(bench):
    bench.connect()
    bench.hear(1, id="a")
    bench.lose()
    bench.hear(2, "end", id="a")
    assert bench.connect().retained[TOPICS.sound_class("dog")] == "OFF"


def test_an_offline_of_an_earlier_connection_is_answered(bench):
    """Its will may come after the new connection's beginning."""
    link = bench.connect()
    before = len(link.published)
    bench.publisher.received(Received(TOPICS.availability, b"online"))
    assert len(link.published) == before
    bench.publisher.received(Received(TOPICS.availability, b"offline"))
    assert link.published[before].payload == b"online"


def test_stats_come_once_a_minute(bench):
    link = bench.connect()
    for _ in range(124):
        bench.after(1.0)
    assert len(link.on("/stats")) == 3, "at once, 5 s after Home Assistant was told, and a minute later"
    assert link.on("/stats")[0].json["level_dbfs"] == -40.0
    assert not link.on("/stats")[0].retain


def test_stats_name_the_run_and_those_of_another_daemon_are_told(bench, caplog):
    link = bench.connect()
    bench.after(5.0)
    assert TOPICS.stats in link.subscribed
    own = link.on("/stats")[0]
    assert own.json["run"] == "run-1"
    for data in (own.payload, b"{", b"[]", b"\xff", b'{"run": 7}', b'{"level_dbfs": 0}'):
        bench.publisher.received(Received(TOPICS.stats, data))
    assert caplog.records == []
    bench.publisher.received(Received(TOPICS.stats, own.payload.replace(b"run-1", b"run-2")))
    (line,) = [record.getMessage() for record in caplog.records]
    assert "mqtt.two_daemons broker=mqtt://broker:1883 node=hall" in line and "got run-2" in line


def test_while_nothing_is_due_nothing_wakes_the_thread(bench):
    bench.connect()
    bench.answer()
    assert bench.publisher.seconds_to_next() == 5.0
    bench.after(5.0)
    assert bench.publisher.seconds_to_next() == 60.0


# Live sounds


def test_a_live_sound_is_not_retained_and_expires(bench):
    bench.connect()
    bench.hear(1, id="a", label="Dog")
    (message,) = bench.link.on("/detected")
    assert (message.retain, message.qos, message.expires) == (False, 1, 30)
    assert message.json["id"] == "a"
    assert (message.json["event_type"], message.json["name"]) == ("dog", "Dog")
    assert bench.link.retained[TOPICS.last] == message.payload.decode()


def test_old_sounds_never_look_like_live_ones(bench):
    bench.hear(1, id="old")
    bench.after(20.0)
    bench.hear(2, id="new")
    bench.after(15.0)
    bench.connect()
    (message,) = bench.link.on("/detected")
    assert (message.json["id"], message.expires) == ("new", 15)
    assert bench.counts.detected_late == 1
    bench.answer()
    assert seqs(bench.link) == [1, 2]


def test_a_live_sound_that_was_not_acknowledged_comes_again_and_says_so(bench):
    bench.connect()
    bench.hear(1, id="a")
    bench.lose()
    (message,) = bench.connect().on("/detected")
    assert message.json["resent"] is True


def test_an_outage_of_hours_keeps_few_live_sounds(bench):
    for seq in range(1, 501):
        bench.hear(seq, id=str(seq))
    assert len(bench.connect().on("/detected")) == 100
    assert bench.counts.detected_late == 400


def test_a_recording_is_no_news(tmp_path):
    bench = Bench(tmp_path, is_live=False)
    bench.connect()
    bench.hear(1)
    assert bench.link.on("/detected") == []
    assert bench.link.retained[TOPICS.sound_class("dog")] == "OFF"
    assert seqs(bench.link) == [1]


def test_a_vetoed_sound_is_not_shown(bench):
    bench.connect()
    bench.hear(1, vetoed=VetoBody(2, "run-7"))
    assert bench.link.on("/detected") == []


# Events


def test_every_event_of_an_outage_arrives_once_and_in_order(tmp_path):
    bench = Bench(tmp_path, archive=FakeArchive(), limit=100)
    for seq in range(1, 1001):
        bench.hear(seq, id=str(seq))
    bench.connect()
    bench.answer()
    assert seqs(bench.link) == list(range(1, 1001))
    assert not any("resent" in message.json for message in bench.link.on("/events"))
    assert {(message.qos, message.retain) for message in bench.link.on("/events")} == {(1, False)}
    assert (bench.counts.acknowledged_seq, bench.counts.events_waiting) == (1000, 0)


def test_a_broker_that_acknowledges_no_event_is_left_and_gets_them_again(bench):
    link = bench.connect()
    bench.answer()
    bench.after(1000.0)
    bench.hear(1)
    bench.after(ANSWER_SECONDS - 1)
    (answer,) = [a for a in link.answers() if link.published[a.number - 1].topic == TOPICS.events]
    bench.hear(2)
    bench.publisher.acknowledged(answer)
    bench.after(ANSWER_SECONDS - 1)
    with pytest.raises(NoConnection, match="acknowledged no event for 60 s: its disk may be full"):
        bench.after(1.0)
    bench.lose()
    again = bench.connect()
    assert seqs(again) == [2]
    bench.after(ANSWER_SECONDS - 1)
    bench.answer()
    bench.after(ANSWER_SECONDS)


def test_an_event_is_its_line_with_the_node_and_the_generation(bench):
    bench.connect()
    bench.hear(1)
    (message,) = bench.link.on("/events")
    assert message.json == json.loads(make_message(1).line) | {"node": "hall", "generation": "g1"}


def test_what_somebody_misses_is_sent_again_to_a_topic_of_its_own(tmp_path):
    bench = Bench(tmp_path, archive=FakeArchive())
    link = bench.connect()
    for seq in range(1, 5):
        bench.hear(seq)
    bench.answer()
    bench.hear(5)
    wish = b'{"generation": "g1", "after": 2}'
    bench.publisher.received(Received(TOPICS.events_again, wish))
    bench.hear(6)
    bench.answer()
    resent = [message.json for message in link.on("/events/resent")]
    assert [(event["seq"], event["resent"], event["node"]) for event in resent] == [
        (3, True, "hall"),
        (4, True, "hall"),
    ]
    assert seqs(link) == [1, 2, 3, 4, 5, 5, 6]
    bench.publisher.received(Received(TOPICS.events_again, wish))
    bench.answer()
    assert len(link.on("/events/resent")) == 2, "at most every 30 s"
    bench.after(AGAIN_SECONDS)
    bench.publisher.received(Received(TOPICS.events_again, wish.replace(b"g1", b"g2")))
    bench.publisher.received(Received(TOPICS.events_again, wish))
    bench.publisher.pump()
    bench.answer()
    assert [message.json["seq"] for message in link.on("/events/resent")] == [3, 4, 3, 4, 5, 6]


def test_duplicates_come_at_the_seam_only_and_say_so(bench):
    for seq in range(1, 31):
        bench.hear(seq)
    bench.connect()
    first = seqs(bench.link)
    assert first == list(range(1, 21))
    numbers = bench.link.answers()
    events = [message.topic == TOPICS.events for message in bench.link.published]
    answers = [answer for answer in numbers if events[answer.number - 1]]
    for answer in answers[:5]:
        bench.publisher.acknowledged(answer)
    bench.lose()
    bench.connect()
    bench.answer()
    second = {message.json["seq"]: message.json.get("resent", False) for message in bench.link.on("/events")}
    assert list(second) == list(range(6, 31))
    assert [seq for seq, resent in second.items() if resent] == list(range(6, 21))
    assert bench.counts.events_resent == 15


def test_a_daemon_that_was_killed_goes_on_where_the_broker_was(tmp_path):
    archive = FakeArchive()
    killed = Bench(tmp_path, archive=archive)
    killed.connect()
    for seq in (1, 2, 3):
        killed.hear(seq)
        killed.answer()
    killed.hear(4)  # sent, not acknowledged
    next_run = Bench(tmp_path, archive=archive)
    next_run.connect()
    next_run.hear(5)
    next_run.answer()
    sent = [(message.json["seq"], message.json.get("resent")) for message in next_run.link.on("/events")]
    assert sent == [(4, True), (5, None)]


def test_events_that_the_broker_refuses_are_kept_and_tried_again(bench):
    bench.connect()
    bench.hear(1)
    bench.answer("Not authorized")
    assert bench.counts.events_waiting == 1
    bench.publisher.pump()
    assert seqs(bench.link) == [1]
    bench.after(11.0)
    bench.answer()
    assert seqs(bench.link) == [1, 1]
    assert bench.counts.events_waiting == 0


def test_a_history_that_cannot_be_read_is_tried_again(tmp_path):
    archive = FakeArchive(1, 2)
    bench = Bench(tmp_path, archive=archive)
    archive.error = HistoryError("no descriptors are left")
    bench.connect()
    archive.error = None
    assert seqs(bench.link) == []
    bench.after(11.0)
    bench.answer()
    assert seqs(bench.link) == [1, 2]


def test_a_history_that_is_never_read_again_holds_up_nothing_for_long(tmp_path):
    archive = FakeArchive(1, 2)
    bench = Bench(tmp_path, archive=archive)
    archive.error = HistoryError("it is damaged")
    bench.connect()
    bench.publisher.take(make_message(3))
    for _ in range(7):
        bench.after(11.0)
    bench.answer()
    assert seqs(bench.link) == [3]
    assert bench.counts.events_lost == 2


def test_a_hole_in_the_history_is_counted_and_passed(tmp_path):
    archive = FakeArchive(1, 2, 9)
    bench = Bench(tmp_path, archive=archive)
    archive.error = HistoryHole("damaged", before=archive.events[:1], resume_seq=8, missing=3)
    bench.connect()
    archive.error = None
    bench.answer()
    assert seqs(bench.link) == [1, 9]
    assert bench.counts.events_lost == 3


# Home Assistant


def test_home_assistant_is_told_of_the_device_on_every_connection(bench):
    assert len(bench.connect().on("/config")) == 1
    bench.lose()
    (message,) = bench.connect().on("/config")
    assert (message.topic, message.retain) == (DISCOVERY, True)
    assert list(message.json["cmps"]) == [
        *("sound", "class_dog", "class_siren", "last", "level", "lost", "microphone", "listen")
    ]
    assert message.json["cmps"]["sound"]["event_types"] == ["dog", "siren"]


def test_home_assistant_is_told_again_when_it_has_started(bench):
    link = bench.connect()
    assert "homeassistant/status" in link.subscribed
    bench.publisher.received(Received("homeassistant/status", b"online"))
    bench.publisher.pump()
    assert len(link.on("/config")) == 1
    bench.after(2.6)
    assert len(link.on("/config")) == 2


def test_a_class_that_is_gone_is_removed_from_home_assistant_and_the_broker(bench):
    bench.connect()
    bench.labels.remove("Dog")
    bench.publisher.refresh_classes()
    bench.publisher.pump()
    parts = bench.link.on("/config")[-1].json["cmps"]
    assert parts["class_dog"] == {"p": "binary_sensor"}
    assert TOPICS.sound_class("dog") not in bench.link.retained


def test_a_class_that_goes_between_two_runs_is_removed_too(tmp_path):
    Bench(tmp_path).connect()
    later = Bench(tmp_path, labels=["Siren"])
    link = later.connect()
    assert link.on("/config")[-1].json["cmps"]["class_dog"] == {"p": "binary_sensor"}
    assert link.on("/class/dog")[-1].payload == b""


def test_the_device_is_removed_when_discovery_is_switched_off(tmp_path):
    Bench(tmp_path).connect()
    without = Bench(tmp_path, discovery_prefix="").connect()
    (message,) = without.on("/config")
    assert (message.topic, message.payload, message.retain) == (DISCOVERY, b"", True)
    assert Bench(tmp_path, discovery_prefix="").connect().on("/config") == []


def test_many_labels_are_types_of_the_event_but_have_no_sensors(tmp_path):
    bench = Bench(tmp_path, labels=[f"Sound {number}" for number in range(60)])
    parts = bench.connect().on("/config")[0].json["cmps"]
    assert len(parts["sound"]["event_types"]) == 60
    assert not [id for id in parts if id.startswith("class_")]


# Pause


def test_listening_is_paused_by_a_message_and_stays_so(tmp_path):
    bench = Bench(tmp_path)
    link = bench.connect()
    bench.publisher.received(Received(TOPICS.listen_set, b"off"))
    bench.publisher.pump()
    assert bench.paused == [("", True)]
    assert link.retained[TOPICS.listen] == "OFF"
    assert Bench(tmp_path).connect().retained[TOPICS.listen] == "OFF"


def test_a_pause_that_somebody_else_asked_for_shows_and_stays_too(tmp_path):
    """As by the event socket: the switch says what is so, and a restart goes on with it."""
    bench = Bench(tmp_path)
    link = bench.connect()
    bench.publisher.take(state("paused"))
    bench.publisher.pump()
    assert link.retained[TOPICS.listen] == "OFF"
    assert Bench(tmp_path).connect().retained[TOPICS.listen] == "OFF"
    bench.publisher.take(state("device_lost"))
    bench.publisher.pump()
    assert link.retained[TOPICS.listen] == "OFF"
    bench.publisher.take(state("listening"))
    bench.publisher.pump()
    assert link.retained[TOPICS.listen] == "ON"
    assert bench.paused == []
    assert Bench(tmp_path).connect().retained[TOPICS.listen] == "ON"


def test_another_word_pauses_nothing(bench, caplog):
    bench.connect()
    bench.publisher.received(Received(TOPICS.listen_set, b"\xffplease"))
    assert bench.paused == []
    assert "expected ON or OFF" in caplog.text


# Several sources


def two(tmp_path, **options):
    return Bench(tmp_path, sources=("porch", "hall"), **options)


def test_each_source_has_topics_of_its_own(tmp_path):
    bench = two(tmp_path)
    link = bench.connect()
    bench.hear(1, source="porch")
    bench.publisher.take(state("device_lost", "hall"))
    bench.publisher.pump()
    base = "sound-detector/hall"
    assert link.retained[f"{base}/availability"] == "online"
    assert link.retained[f"{base}/porch/class/dog"] == "ON"
    assert link.retained[f"{base}/hall/class/dog"] == "OFF"
    assert link.retained[f"{base}/hall/source/state"] == "lost"
    assert f"{base}/porch/source/state" not in link.retained
    assert [message.topic for message in link.on("/detected")] == [f"{base}/porch/detected"]
    assert [message.topic for message in link.on("/events")] == [f"{base}/porch/events"]
    assert link.on("porch/stats")[0].json["level_dbfs"] == -50.0


def test_each_source_is_a_device_that_is_part_of_the_daemons(tmp_path):
    node, porch, hall = two(tmp_path).connect().on("/config")
    assert node.json["dev"]["ids"] == ["sound_detector_hall"]
    assert list(node.json["cmps"]) == ["connected"]
    assert [one.json["dev"]["via_device"] for one in (porch, hall)] == ["sound_detector_hall"] * 2
    assert porch.topic == "homeassistant/device/sound_detector_hall_porch/config"
    assert porch.json["cmps"]["sound"]["def_ent_id"] == "event.hall_porch_sound"
    ids = [part["uniq_id"] for one in (node, porch, hall) for part in one.json["cmps"].values()]
    assert len(ids) == len(set(ids))


def test_one_source_is_paused_and_the_others_listen_on(tmp_path):
    bench = two(tmp_path)
    link = bench.connect()
    bench.publisher.received(Received("sound-detector/hall/porch/listen/set", b"OFF"))
    bench.publisher.pump()
    assert bench.paused == [("porch", True)]
    assert link.retained["sound-detector/hall/porch/listen"] == "OFF"
    assert link.retained["sound-detector/hall/hall/listen"] == "ON"


def test_a_source_that_is_gone_takes_its_device_with_it(tmp_path):
    two(tmp_path).connect()
    link = Bench(tmp_path, sources=("hall",)).connect()
    gone = link.on("hall_porch/config")[-1]
    assert (gone.payload, gone.retain) == (b"", True)
    assert link.on("porch/class/dog")[-1].payload == b""


# Classes


def test_chosen_classes_take_labels_groups_and_what_is_above():
    classes = chosen_classes(
        ["Bark", "Animal", "alarms"], lambda names: AskedLabels(reported_as={"Bark": "Dog"})
    )
    dog = make_message(1, ancestors=("Animal",)).body
    siren = make_message(1, label="Siren").body
    assert [one.id for one in classes.of(dog)] == ["bark", "animal"]
    assert [one.id for one in classes.of(siren)] == ["alarms"]
    assert classes.of(make_message(1, label="Speech").body) == []
