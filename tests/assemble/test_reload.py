"""SIGHUP: heads come and go while the network under them goes on; all of it, or nothing."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.alarms.alarm_stage import PATTERN_LABELS
from detector.assemble.endpoints import SINK_KINDS
from detector.assemble.reload import Reloader
from detector.assemble.service import make_daemon
from detector.assemble.stages import load_model, make_pipeline, with_resolved_model
from detector.backends import bundle
from detector.backends.bundle import Bundle
from detector.config.loading import load_settings
from detector.config.named_source import NamedSource
from detector.config.notify_settings import CommandSettings, NotifyRuleSettings, NotifySettings
from detector.config.settings import (
    EventSettings,
    GateSettings,
    HistorySettings,
    LevelSettings,
    ModelSettings,
    Settings,
)
from detector.delivery.dispatcher import Dispatcher
from detector.errors import ConfigError, ModelError
from detector.modelstore import ModelCatalogue
from detector.records import Block, Event
from detector.sinks.socket.socket_settings import SocketSettings
from detector.sinks.stdout import StdoutSettings
from tests.support.fakes import MemorySink
from tests.support.small_heads import write_base, write_head

RATE = 16000
PLAIN = Settings(
    model=ModelSettings("ear"),
    gate=GateSettings(mode="off"),
    level=LevelSettings(enabled=False),
    events=EventSettings(preset="responsive", release_seconds=0.5),
    sinks=(),
)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 5000, round(seconds * RATE)).astype(np.int16)


class House:
    """A running stream of one network, and what its settings say now."""

    def __init__(self, models: Path, settings: Settings) -> None:
        self.models = models
        self.settings = settings
        self.stop = 0
        catalogue = ModelCatalogue()
        given = with_resolved_model(settings, catalogue)
        self.model = load_model(given, catalogue)
        self.pipeline = make_pipeline(given, self.model.classifier, self.model.heads)
        self.loaded = load_settings(
            config_path=str(models.parent / "config.yaml"), environ={}, sink_kinds=SINK_KINDS
        )
        self.dispatcher = Dispatcher([])
        self.reloader = Reloader(
            given,
            load=lambda: replace(self.loaded, settings=self.settings),
            model=self.model,
            pipelines={"": self.pipeline},
            dispatcher=self.dispatcher,
            sinks={},
            make_sink=lambda settings: MemorySink(getattr(settings, "kind", "notify")),
        )

    def reload(self) -> list[Event]:
        (ended,) = self.reloader()
        return ended

    def hear(self, seconds: float = 1.0) -> set[tuple[str, str]]:
        """Model and label, also of alternatives, of the events that this much loud sound starts."""
        block = Block(self.stop, noise(seconds))
        self.stop = block.stop
        told = self.pipeline.push(block)
        starts = [event for event in told if event.phase == "start"]
        labels = [event.label for event in starts]
        labels += [other.label for event in starts for other in event.alternatives]
        return {(label.model, label.name) for label in labels}

    def labels(self) -> list[tuple[str, str]]:
        labels = [label for label in self.pipeline.labels if label not in PATTERN_LABELS]
        return [(label.model, label.name) for label in labels]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the bundle of each name was read."""
    counts: Counter[str] = Counter()

    def load_bundle(folder: Path) -> Bundle:
        counts[folder.name] += 1
        return bundle.load_bundle(folder)

    monkeypatch.setattr("detector.modelstore.catalogue.load_bundle", load_bundle)
    return counts


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path))
    folder = tmp_path / "models"
    write_base(folder)
    (tmp_path / "config.yaml").write_text("")
    return folder


EAR = [("ear", "Loud"), ("ear", "Dog")]
DOORBELL = ("doorbell", "Dog")


def test_a_head_that_is_dropped_into_the_folder_listens_from_then_on(models: Path) -> None:
    """No sample is lost, the open event ends, ids go on, and the network is the same object."""
    house = House(models, PLAIN)
    assert house.hear() == {("ear", "Loud")}
    write_head(models)
    ended = house.reload()
    assert [(event.phase, event.label.name) for event in ended] == [("end", "Loud")]
    assert house.labels() == [*EAR, DOORBELL]
    assert house.reloader.model_name == "ear+doorbell"
    assert DOORBELL in house.hear()
    assert house.pipeline.counts.samples_lost == 0
    assert house.pipeline.stop == 2 * RATE // 480 * 480


def test_a_subscriber_is_told_of_the_labels_in_force(models: Path) -> None:
    house = House(models, PLAIN)
    assert house.reloader.asked(["Dog"]).message == ""
    house.settings = replace(PLAIN, events=replace(PLAIN.events, exclude=("Dog",)))
    house.reload()
    assert house.reloader.asked(["Dog"]).message.startswith("this daemon does not report 'Dog'")


def test_one_that_is_taken_away_is_gone_and_one_that_changed_is_heard_anew(models: Path) -> None:
    write_head(models)
    house = House(models, PLAIN)
    assert house.reloader.model_name == "ear+doorbell"
    write_head(models, bias=(-500, 500))
    house.reload()
    assert DOORBELL not in house.hear()
    (models / "doorbell" / "model.yaml").unlink()
    house.reload()
    assert house.labels() == EAR
    assert house.reloader.model_name == "ear"


def test_where_nothing_changed_open_events_go_on(models: Path) -> None:
    write_head(models)
    house = House(models, PLAIN)
    house.hear()
    assert house.reload() == []


def test_a_broken_one_changes_nothing(models: Path) -> None:
    """One line, and what was running goes on; all of the new settings wait."""
    write_head(models)
    house = House(models, PLAIN)
    house.hear()
    write_head(models, "kitchen", labels=("Pan",))
    (models / "kitchen" / "kitchen.tflite").write_bytes(b"half a file")
    house.settings = replace(PLAIN, events=replace(PLAIN.events, threshold_on=0.9))
    with pytest.raises(ModelError, match=r"kitchen.tflite: is damaged") as caught:
        house.reload()
    assert "\n" not in str(caught.value)
    assert house.labels() == [*EAR, DOORBELL]
    assert house.pipeline.flush() != []


def test_a_head_whose_graph_does_not_fit_changes_nothing(models: Path) -> None:
    house = House(models, PLAIN)
    write_head(models, weights=((1, 2, 3),), labels=("Dog",), bias=(0,))
    with pytest.raises(ModelError, match=r"expects 3 input values"):
        house.reload()
    assert house.labels() == EAR


def test_settings_that_name_a_label_of_a_head_that_is_gone_are_refused(models: Path) -> None:
    write_head(models)
    settings = replace(PLAIN, events=replace(PLAIN.events, include=("doorbell/Dog",)))
    house = House(models, settings)
    (models / "doorbell" / "model.yaml").unlink()
    with pytest.raises(ConfigError, match="no reported label is called 'doorbell/Dog'"):
        house.reload()
    assert house.hear() == {DOORBELL}


def test_the_settings_may_name_heads_or_none(models: Path) -> None:
    write_head(models)
    write_head(models, "kitchen", labels=("Pan",), weights=((0, 200),), bias=(-5,))
    house = House(models, replace(PLAIN, model=ModelSettings("ear", heads=())))
    assert house.labels() == EAR
    for model, expected in (
        (ModelSettings("ear", heads=("kitchen",)), "ear+kitchen"),
        (ModelSettings("ear+doorbell"), "ear+doorbell"),
        (ModelSettings("doorbell"), "doorbell"),
        (ModelSettings("ear"), "ear+doorbell+kitchen"),
    ):
        house.settings = replace(PLAIN, model=model)
        house.reload()
        assert house.reloader.model_name == expected
    assert house.hear() == {("ear", "Loud"), DOORBELL, ("kitchen", "Pan")}


def test_another_network_waits_for_a_restart(models: Path, caplog) -> None:
    write_head(models)
    write_base(models, "other")
    house = House(models, PLAIN)
    house.settings = replace(PLAIN, model=ModelSettings("other"))
    with caplog.at_level(logging.WARNING):
        house.reload()
    assert "reload.needs_restart key=model" in caplog.text
    assert house.reloader.model_name == "ear+doorbell"


def test_another_runtime_waits_for_a_restart(models: Path, caplog) -> None:
    house = House(models, PLAIN)
    assert house.reloader.needs_restart == ()
    house.settings = replace(PLAIN, model=ModelSettings("ear", threads=2))
    house.reload()
    assert "reload.needs_restart key=model" in caplog.text
    assert house.reloader.needs_restart == ("model.threads",)


def test_what_waits_for_a_restart_is_listed_until_it_is_as_it_runs(models: Path) -> None:
    house = House(models, PLAIN)
    sources = {"porch": NamedSource(file="a.wav")}
    wanted = replace(PLAIN, sources=sources, history=HistorySettings(keep_days=7, max_megabytes=9))
    house.settings = wanted
    house.reload()
    assert house.reloader.needs_restart == ("sources", "history.keep_days", "history.max_megabytes")
    house.settings = PLAIN
    house.reload()
    assert house.reloader.needs_restart == ()


THREE_HEADS = ("doorbell", "kitchen", "workshop")


def test_each_bundle_is_read_once_when_the_daemon_starts(models: Path, read: Counter[str]) -> None:
    for name in THREE_HEADS:
        write_head(models, name)
    settings = replace(PLAIN, sinks=(StdoutSettings(),), history=HistorySettings(enabled=False))
    loaded = load_settings(environ={}, sink_kinds=SINK_KINDS, system_file="")
    make_daemon(lambda: replace(loaded, settings=settings))
    assert read == dict.fromkeys(("ear", *THREE_HEADS), 1)


def test_each_bundle_is_read_once_at_a_reload(models: Path, read: Counter[str]) -> None:
    house = House(models, PLAIN)
    for name in THREE_HEADS:
        write_head(models, name)
    read.clear()
    house.reload()
    assert read == dict.fromkeys(("ear", *THREE_HEADS), 1)


def test_notifications_come_and_go(models: Path) -> None:
    house = House(models, PLAIN)
    with_rule = NotifySettings(
        commands=(CommandSettings("log", ("/bin/true",)),),
        rules=(NotifyRuleSettings("dogs", labels=("Dog",)),),
    )
    house.settings = replace(PLAIN, notify=with_rule)
    house.reload()
    assert [sink.name for sink in house.dispatcher.stats()] == ["notify"]
    house.settings = replace(
        PLAIN, notify=replace(with_rule, rules=(NotifyRuleSettings("dogs", labels=("Dgo",)),))
    )
    with pytest.raises(ConfigError, match=r"notify\.rules\[0\]\.labels\[0\]: .*did you mean 'Dog'"):
        house.reload()
    assert [sink.name for sink in house.dispatcher.stats()] == ["notify"]
    house.settings = PLAIN
    house.reload()
    assert house.dispatcher.stats() == ()


def test_a_socket_keeps_its_rights_until_the_next_start_and_all_else_is_taken(models: Path, caplog) -> None:
    """Its address is taken while it listens, so it cannot be opened beside itself."""
    house = House(models, replace(PLAIN, sinks=(SocketSettings(),)))
    house.reload()
    (kept,) = house.dispatcher.stats()
    events = replace(PLAIN.events, threshold_on=0.9, threshold_off=0.1)
    house.settings = replace(PLAIN, sinks=(SocketSettings(sound=True), StdoutSettings()), events=events)
    house.reload()
    assert house.reloader.needs_restart == ("sinks",)
    assert "reload.needs_restart key=sinks" in caplog.text
    assert [sink.name for sink in house.dispatcher.stats()] == ["socket", "stdout"]
    house.settings = replace(PLAIN, sinks=(SocketSettings(),))
    house.reload()
    assert house.reloader.needs_restart == ()
    assert [sink.name for sink in house.dispatcher.stats()] == [kept.name]
    house.settings = replace(PLAIN, sinks=(SocketSettings("unix:///run/another.sock"),))
    house.reload()
    assert house.reloader.needs_restart == ()


def test_what_is_reported_is_listed_once_for_all_sources(models: Path) -> None:
    house = House(models, PLAIN)
    assert [label.name for label in house.reloader.reported] == [name for _, name in house.labels()]
    two = Reloader(
        replace(
            PLAIN, model=replace(PLAIN.model, name="ear"), sources={"a": NamedSource(), "b": NamedSource()}
        ),
        load=lambda: house.loaded,
        model=house.model,
        pipelines={"a": house.pipeline, "b": house.pipeline},
        dispatcher=house.dispatcher,
        sinks={},
        make_sink=lambda settings: MemorySink("none"),
    )
    assert two.reported == house.reloader.reported


def test_a_threshold_of_one_source_changes_that_source_alone(models: Path) -> None:
    house = House(models, PLAIN)
    other = make_pipeline(house.settings, house.model.classifier, house.model.heads, stream=1)
    sources = {"porch": NamedSource(), "yard": NamedSource()}
    settings = replace(house.settings, sources=sources)
    reload = Reloader(
        with_resolved_model(settings, ModelCatalogue()),
        load=lambda: replace(house.loaded, settings=settings),
        model=house.model,
        pipelines={"porch": house.pipeline, "yard": other},
        dispatcher=house.dispatcher,
        sinks={},
        make_sink=lambda settings: MemorySink("none"),
    )
    for pipeline in (house.pipeline, other):
        pipeline.push(Block(0, noise(1.0)))
    settings = replace(settings, sources=sources | {"porch": NamedSource(threshold_on=0.99)})
    porch, yard = reload()
    assert [event.phase for event in porch] == ["end"]
    assert yard == []
