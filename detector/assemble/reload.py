"""What SIGHUP does: thresholds, labels, heads and sinks anew, without losing a sample."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING

from detector.assemble.alarm_patterns import reported_labels
from detector.assemble.channels import OWN_KEYS, ChannelSettings, asked_of_any, channels_of
from detector.assemble.chosen_labels import check_chosen_labels
from detector.assemble.endpoints import AnySinkSettings, sinks_in_force
from detector.assemble.stages import (
    make_head_stage,
    make_label_map,
    make_tracker,
    select,
    with_resolved_model,
)
from detector.config.loading import Loaded
from detector.config.named_source import NamedSource
from detector.config.settings import Settings
from detector.config.sink_settings import SinkSettings
from detector.delivery.dispatcher import Dispatcher
from detector.events.labels import AskedLabels, LabelMap
from detector.events.tracker import EventTracker
from detector.interfaces import Sink
from detector.modelstore import Model, ModelCatalogue
from detector.pipeline import Pipeline
from detector.records import Event, Label

if TYPE_CHECKING:
    from detector.history.verdict_keeper import VerdictKeeper

log = logging.getLogger(__name__)


class Reloader:
    """Holds the settings in force and puts new ones in their place.

    `load` reads them again and raises ConfigError; `make_sink` builds one sink, not opened. The source, the
    networks, the gate and the windows belong to the running stream: changes there wait for a restart. Heads
    listen to the networks, so they may come and go.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[], Loaded],
        model: Model,
        pipelines: Mapping[str, Pipeline],
        dispatcher: Dispatcher,
        sinks: dict[AnySinkSettings, Sink],
        make_sink: Callable[[AnySinkSettings], Sink],
        verdicts: VerdictKeeper | None = None,
    ) -> None:
        self._settings = settings
        self._load = load
        self._model = model
        self._labels = [
            make_label_map(channel.settings.events, model.spec) for channel in channels_of(settings)
        ]
        self._pipelines = pipelines
        self._dispatcher = dispatcher
        self._sinks = sinks
        self._make_sink = make_sink
        self._verdicts = verdicts
        self.needs_restart: tuple[str, ...] = ()
        """Keys of the settings that the last reload could not put into force: `model.backend`, `sources`."""

    def asked(self, names: Collection[str]) -> AskedLabels:
        """What somebody gets who asks for events by these names: from any source."""
        return asked_of_any(self._labels, names)

    @property
    def reported(self) -> Sequence[Label]:
        """What events of any source may carry."""
        reported = [label for labels in self._labels for label in labels.reported]
        return list({(label.model, label.class_id): label for label in reported}.values())

    @property
    def model_name(self) -> str:
        """The model in force, its heads among them."""
        return self._model.spec.name

    def __call__(self) -> list[list[Event]]:
        """Apply what can be applied; all of it or, raising DetectorError, nothing.

        Returns, for each source, the ends of events that were open.
        """
        loaded = self._load()
        catalogue = ModelCatalogue()
        wanted = with_resolved_model(loaded.settings, catalogue, strict=True)
        settings = replace(
            self._settings,
            events=wanted.events,
            sinks=wanted.sinks,
            notify=wanted.notify,
            verdicts=wanted.verdicts,
            sources=_with_own_events(self._settings.sources, wanted.sources),
        )
        model, selection = self._model, select(wanted, catalogue)
        same_networks = selection.bases == model.selection.bases
        if same_networks:
            named = replace(settings.model, name=wanted.model.name, heads=wanted.model.heads)
            settings = replace(settings, model=named)
            if selection != model.selection:
                model = model.with_heads(catalogue, selection)
        with loaded.locating_errors():
            tuned = [self._tuned(channel, model) for channel in channels_of(settings)]
            check_chosen_labels(settings, [labels for labels, _ in tuned])
        waiting = self._exchange_sinks(settings)
        for name in (
            *("source", "sources", "model", "gate", "windows", "level", "alarms"),
            *("history", "clips", "metrics"),
        ):
            if getattr(wanted, name) != getattr(settings, name) or (name == "model" and not same_networks):
                log.warning("reload.needs_restart key=%s", name)
                waiting += _changed_keys(name, getattr(settings, name), getattr(wanted, name))
        self.needs_restart = tuple(waiting)
        before = channels_of(self._settings)
        changed = [
            was.settings.events != now.settings.events or model is not self._model
            for was, now in zip(before, channels_of(settings), strict=True)
        ]
        self._settings, self._labels = settings, [labels for labels, _ in tuned]
        if model is not self._model:
            self._exchange_heads(model)
        ended = [
            pipeline.retune(tracker, reported_labels(settings, labels)) if is_changed else []
            for pipeline, (labels, tracker), is_changed in zip(
                self._pipelines.values(), tuned, changed, strict=True
            )
        ]
        if self._verdicts is not None:
            self._verdicts.change(use=settings.verdicts.use, keep=settings.verdicts.keep)
        return ended

    def _tuned(self, channel: ChannelSettings, model: Model) -> tuple[LabelMap, EventTracker]:
        """The labels and the tracker of one source by other settings; ConfigError."""
        pipeline = self._pipelines[channel.name]
        with channel.locating_keys():
            labels = make_label_map(channel.settings.events, model.spec)
            tracker = make_tracker(
                channel.settings, model.spec, labels, pipeline.history, started=pipeline.counts.events
            )
        return labels, tracker

    def _exchange_heads(self, model: Model) -> None:
        for pipeline in self._pipelines.values():
            pipeline.exchange_heads(make_head_stage(self._settings, model.heads))
        self._model.close_heads_not_in(model)
        self._model = model
        log.info("reload.model name=%s labels=%d", model.spec.name, len(model.spec.labels))

    def _exchange_sinks(self, settings: Settings) -> list[str]:
        """Open and close sinks; returns the key of those that keep what they had until the next start."""
        open_at = {sink.place: sink for sink in self._sinks if isinstance(sink, SinkSettings) and sink.place}
        named = sinks_in_force(settings)
        # An address is taken while somebody listens there, and whoever sent the order listens.
        wanted = [open_at.get(sink.place, sink) if isinstance(sink, SinkSettings) else sink for sink in named]
        added = {sink: self._make_sink(sink) for sink in wanted if sink not in self._sinks}
        removed = {kept: sink for kept, sink in self._sinks.items() if kept not in wanted}
        if added or removed:
            self._dispatcher.exchange(add=list(added.values()), remove=list(removed.values()))
        self._sinks = {kept: sink for kept, sink in self._sinks.items() if kept not in removed} | added
        if wanted == [*named]:
            return []
        log.warning("reload.needs_restart key=sinks")
        return ["sinks"]


def _changed_keys(name: str, running: object, wanted: object) -> list[str]:
    """The keys of a section that differ; its name, where that cannot be told."""
    if not is_dataclass(running) or type(running) is not type(wanted):
        return [name]
    keys = [key.name for key in fields(running)]
    return [f"{name}.{key}" for key in keys if getattr(running, key) != getattr(wanted, key)] or [name]


def _with_own_events(
    running: Mapping[str, NamedSource], wanted: Mapping[str, NamedSource]
) -> Mapping[str, NamedSource]:
    """The sources that run, with what `wanted` says of their events."""
    return {
        name: replace(source, **{key: getattr(wanted[name], key) for key in OWN_KEYS})
        if name in wanted
        else source
        for name, source in running.items()
    }
