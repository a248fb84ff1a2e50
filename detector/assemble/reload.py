"""What SIGHUP does: thresholds, labels, heads and sinks anew, without losing a sample."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from detector.assemble.endpoints import AnySinkSettings, sinks_in_force
from detector.assemble.stages import (
    check_notify_labels,
    make_head_stage,
    make_label_map,
    make_tracker,
    select,
    with_resolved_model,
)
from detector.config.loading import Loaded
from detector.config.settings import Settings
from detector.delivery.dispatcher import Dispatcher
from detector.interfaces import Sink
from detector.modelstore import Model, ModelCatalogue
from detector.pipeline import Pipeline
from detector.records import Event

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
        pipeline: Pipeline,
        dispatcher: Dispatcher,
        sinks: dict[AnySinkSettings, Sink],
        make_sink: Callable[[AnySinkSettings], Sink],
        verdicts: VerdictKeeper | None = None,
    ) -> None:
        self._settings = settings
        self._load = load
        self._model = model
        self.labels = make_label_map(settings.events, model.spec)
        """What events may carry, and what is reported under it."""
        self._pipeline = pipeline
        self._dispatcher = dispatcher
        self._sinks = sinks
        self._make_sink = make_sink
        self._verdicts = verdicts

    @property
    def model_name(self) -> str:
        """The model in force, its heads among them."""
        return self._model.spec.name

    def __call__(self) -> list[Event]:
        """Apply what can be applied; all of it or, raising DetectorError, nothing. Returns ended events."""
        loaded = self._load()
        catalogue = ModelCatalogue()
        wanted = with_resolved_model(loaded.settings, catalogue, strict=True)
        settings = replace(
            self._settings,
            events=wanted.events,
            sinks=wanted.sinks,
            notify=wanted.notify,
            verdicts=wanted.verdicts,
        )
        model, selection = self._model, select(wanted, catalogue)
        same_networks = selection.bases == model.selection.bases
        if same_networks:
            named = replace(settings.model, name=wanted.model.name, heads=wanted.model.heads)
            settings = replace(settings, model=named)
            if selection != model.selection:
                model = model.with_heads(catalogue, selection)
        with loaded.locating_errors():
            labels = make_label_map(settings.events, model.spec)
            check_notify_labels(settings.notify, labels)
            tracker = make_tracker(
                settings, model.spec, labels, self._pipeline.history, started=self._pipeline.counts.events
            )
        self._exchange_sinks(settings)
        for name in ("source", "model", "gate", "windows", "level", "history", "clips", "metrics"):
            if getattr(wanted, name) != getattr(settings, name) or (name == "model" and not same_networks):
                log.warning("reload.needs_restart key=%s", name)
        changed = settings.events != self._settings.events or model is not self._model
        self._settings, self.labels = settings, labels
        if model is not self._model:
            self._exchange_heads(model)
        ended = self._pipeline.retune(tracker, labels.reported) if changed else []
        if self._verdicts is not None:
            self._verdicts.change(use=settings.verdicts.use, keep=settings.verdicts.keep)
        return ended

    def _exchange_heads(self, model: Model) -> None:
        self._pipeline.exchange_heads(make_head_stage(self._settings, model.heads))
        self._model.close_heads_not_in(model)
        self._model = model
        log.info("reload.model name=%s labels=%d", model.spec.name, len(model.spec.labels))

    def _exchange_sinks(self, settings: Settings) -> None:
        wanted = sinks_in_force(settings)
        added = {sink: self._make_sink(sink) for sink in wanted if sink not in self._sinks}
        removed = {kept: sink for kept, sink in self._sinks.items() if kept not in wanted}
        if added or removed:
            self._dispatcher.exchange(add=list(added.values()), remove=list(removed.values()))
        self._sinks = {kept: sink for kept, sink in self._sinks.items() if kept not in removed} | added
