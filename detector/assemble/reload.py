"""What SIGHUP does: thresholds, labels and sinks anew, without losing a sample."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from detector.assemble.edges import effective_sinks
from detector.assemble.pipeline import make_label_map, make_tracker
from detector.config import Settings, SinkSettings
from detector.configfile import Loaded
from detector.dispatch import Dispatcher
from detector.interfaces import Sink
from detector.pipeline import Pipeline
from detector.records import Event, ModelSpec

log = logging.getLogger(__name__)


class Reloader:
    """Holds the settings in force and puts new ones in their place.

    `load` reads them again and raises ConfigError; `make_sink` builds one sink, not opened. The source, the
    model, the gate and the windows belong to the running stream: changes there wait for a restart.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[], Loaded],
        spec: ModelSpec,
        pipeline: Pipeline,
        dispatcher: Dispatcher,
        sinks: dict[SinkSettings, Sink],
        make_sink: Callable[[SinkSettings], Sink],
    ) -> None:
        self._settings = settings
        self._load = load
        self._spec = spec
        self._pipeline = pipeline
        self._dispatcher = dispatcher
        self._sinks = sinks
        self._make_sink = make_sink

    def __call__(self) -> list[Event]:
        """Apply what can be applied; all of it or, raising DetectorError, nothing. Returns ended events."""
        loaded = self._load()
        wanted = loaded.settings
        changed = wanted.events != self._settings.events
        settings = replace(self._settings, events=wanted.events, sinks=wanted.sinks)
        with loaded.placing():
            labels = make_label_map(settings.events, self._spec)
            tracker = make_tracker(
                settings, self._spec, labels, self._pipeline.history, started=self._pipeline.counts.events
            )
        self._exchange_sinks(settings)
        for name in ("source", "model", "gate", "windows", "level", "history", "metrics"):
            if getattr(wanted, name) != getattr(settings, name):
                log.warning("reload.needs_restart key=%s", name)
        self._settings = settings
        return self._pipeline.retune(tracker, labels.reported) if changed else []

    def _exchange_sinks(self, settings: Settings) -> None:
        wanted = effective_sinks(settings)
        added = {sink: self._make_sink(sink) for sink in wanted if sink not in self._sinks}
        removed = {kept: sink for kept, sink in self._sinks.items() if kept not in wanted}
        if added or removed:
            self._dispatcher.exchange(add=list(added.values()), remove=list(removed.values()))
        self._sinks = {kept: sink for kept, sink in self._sinks.items() if kept not in removed} | added
