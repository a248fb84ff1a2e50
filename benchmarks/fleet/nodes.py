"""Simulated daemons in one process: the real history, outbox, publisher and MQTT client of each; no sound."""

from __future__ import annotations

import time
from pathlib import Path

from detector.history.archive import FileArchive
from detector.history.event_store import EventStore
from detector.history.sequence_numbers import Numbering, SequenceNumbers
from detector.sinks.context import SinkContext, SourceTraits
from detector.sinks.mqtt.broker_address import parse_broker
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.broker_credentials import BrokerCredentials
from detector.sinks.mqtt.link import NoConnection, Will
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.mqtt.paho_link import PahoLink
from detector.sinks.mqtt.publisher_making import make_publisher
from detector.sinks.mqtt.topics import Topics
from detector.wire.encoding import encode
from detector.wire.message import EventBody, HelloBody, ReportBody, run_id_text, utc_text

KEEP_SECONDS, MOST_BYTES = 90 * 86_400.0, 50_000_000
RETRY_SECONDS = 2.0


class Node:
    """One daemon, which one thread drives together with many others."""

    def __init__(self, folder: Path, number: int, broker: str, *, is_version_5: bool) -> None:
        settings = MqttSettings(f"mqtt://{broker}", discovery=False, node=f"node-{number:05d}")
        self._numbers = SequenceNumbers()
        self._store = EventStore(
            folder / "history.db", self._numbers, keep_seconds=KEEP_SECONDS, max_bytes=MOST_BYTES
        )
        self._run = run_id_text(time.time(), number)
        self._store.write([])
        self.told = self._recorded = 0
        self._address = parse_broker(settings.target)
        self._topics = Topics(settings.prefix, settings.node or "")
        self._counts = BrokerCounts(str(self._address))
        self._is_version_5 = is_version_5
        archive = FileArchive(
            folder / "history.db",
            oldest_seq=lambda: self._store.oldest_seq,
            newest_seq=lambda: self._recorded,
        )
        context = SinkContext(
            self._hello,
            lambda: ReportBody({"level_dbfs": -40.0, "state": "listening"}),
            archive=archive,
            state_folder=folder,
            sources=(SourceTraits("", is_news=False, can_pause=False),),
        )
        self.publisher = make_publisher(
            settings, context, self._address, self._topics, counts=self._counts, clock=time.monotonic
        )
        self.link: PahoLink | None = None
        self._retry = 0.0

    def _hello(self) -> HelloBody:
        numbering = Numbering(self._numbers.generation, self._numbers.generation_seq)
        return HelloBody(
            version="1.0",
            run_id=self._run,
            source="Mic",
            model="yamnet",
            labels=("Dog",),
            generation=numbering.text,
            generation_seq=numbering.seq,
        )

    def tell(self) -> None:
        """One event: into the history first, then to the outbox."""
        self.told += 1
        now = time.time()
        seq = self._numbers.take()
        body = EventBody(
            kind="start",
            id=f"{self._run}-{self.told}",
            label="Dog",
            class_id="/m/0bt9lr",
            score=0.9,
            top_score=0.9,
            start_time=utc_text(now),
            end_time=None,
            time=utc_text(now),
            duration=0.5,
            source="Mic",
            model="yamnet",
            level_dbfs=-23.5,
        )
        message = encode(body, seq)
        self._store.write([message])
        self._recorded = seq
        self.publisher.take(message)

    def dial(self) -> None:
        """Connect where there is no connection, and it is time."""
        if self.link is not None or time.monotonic() < self._retry:
            return
        link = PahoLink(
            self._address,
            BrokerCredentials(),
            client_id=self._topics.node,
            will=Will(self._topics.availability, b"offline"),
            is_version_5=self._is_version_5,
        )
        try:
            link.dial(lambda: False)
        except NoConnection:
            self._retry = time.monotonic() + RETRY_SECONDS
            return
        self.link = link
        self.publisher.connected(link)

    def turn(self) -> None:
        """Send what is due, and read what has come."""
        if self.link is None:
            return
        try:
            self.publisher.pump()
            self.link.wait(None, 0.0)
            for answer in self.link.take_acknowledged():
                self.publisher.acknowledged(answer)
            for message in self.link.take_received():
                self.publisher.received(message)
        except NoConnection:
            self.publisher.disconnected()
            self.link.close()
            self.link = None
            self._retry = time.monotonic() + RETRY_SECONDS
