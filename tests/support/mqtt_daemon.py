"""Everything of a daemon between an event and its MQTT broker: no microphone, no model."""

from __future__ import annotations

from dataclasses import replace

from detector.assemble.endpoints import make_sink
from detector.delivery.dispatcher import Dispatcher
from detector.history.archive import FileArchive
from detector.history.journal import Journal
from detector.history.sequence_numbers import SequenceNumbers
from detector.sinks.context import SinkContext, SourceTraits
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.wire.message import HelloBody, ReportBody
from tests.support.history_stores import make_store
from tests.support.wire_messages import make_body

RUN = "20260801T140321Z-3f9a"


class Daemon:
    """Everything between an event and the broker: numbers, history, queue, sink; no sound."""

    def __init__(self, folder, target, *, history=True, **settings):
        numbers = SequenceNumbers()
        store = make_store(folder / "history.db", numbers)
        journal = Journal(store, numbers) if history else None
        archive = None
        if journal is not None:
            archive = FileArchive(
                folder / "history.db",
                oldest_seq=lambda: store.oldest_seq,
                newest_seq=lambda: journal.recorded_seq,
            )
        self.paused = []
        self.context = SinkContext(
            lambda: HelloBody(
                version="1.0",
                run_id=RUN,
                source="Mic",
                model="yamnet",
                labels=("Dog", "Siren"),
                generation=self.dispatcher.numbering.text,
                generation_seq=self.dispatcher.numbering.seq,
            ),
            lambda: ReportBody({"level_dbfs": -40.0, "state": "listening", "version": "1.0"}),
            archive=archive,
            state_folder=folder,
            sources=(SourceTraits("", is_news=True, can_pause=True),),
            pause=lambda paused, source: self.paused.append(paused),
        )
        sink = make_sink(MqttSettings(target, **{"node": "hall"} | settings), self.context)
        self.sinks = [sink]
        self.dispatcher = Dispatcher(self.sinks, journal=journal)
        self.dispatcher.start()
        self.told = 0

    def tell(self, count=1):
        """Sounds of one message each."""
        for _ in range(count):
            self.told += 1
            self.dispatcher.publish(replace(make_body("start", self.told), id=f"{RUN}-{self.told}"))

    def is_in_state(self, state):
        return [broker.state for broker in self.context.brokers] == [state]

    @property
    def counts(self):
        return self.context.brokers[0]
