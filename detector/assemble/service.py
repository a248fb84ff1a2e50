"""Everything that `sound-detector run` needs: the daemon, its history, its metrics."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from detector import __version__
from detector.assemble.channels import channels_of
from detector.assemble.chosen_labels import check_chosen_labels
from detector.assemble.endpoints import effective_sinks, make_sink, sinks_in_force
from detector.assemble.reload import Reloader
from detector.assemble.source_channels import make_channel, make_pipelines
from detector.assemble.stages import load_model, make_label_map, with_resolved_model
from detector.config.loading import Loaded
from detector.config.settings import Settings
from detector.delivery.dispatcher import Dispatcher
from detector.history.archive import FileArchive
from detector.history.history_paths import writing_path
from detector.history.journal import Journal
from detector.interfaces import Service
from detector.modelstore import DEFAULT, ModelCatalogue
from detector.records import Label
from detector.service.controls import Controls
from detector.service.daemon import Daemon
from detector.service.metrics_text import prometheus_text
from detector.service.status_report import make_report
from detector.service.systemd import Notifier
from detector.sinks.context import SinkContext, SourceTraits
from detector.sinks.socket.socket_settings import SocketSettings
from detector.verdicts.verdict_book import VerdictBook
from detector.wire.message import HelloBody, ReportBody, StatusBody, run_id_text, utc_text

if TYPE_CHECKING:
    from detector.history.verdict_keeper import VerdictKeeper

log = logging.getLogger(__name__)


def make_daemon(load: Callable[[], Loaded], *, verbose: bool = False) -> Daemon:
    """Build everything that `sound-detector run` needs; any DetectorError is raised here, before it runs.

    `load` reads the settings, now and again on SIGHUP.
    """
    loaded = load()
    catalogue = ModelCatalogue()
    settings = with_resolved_model(loaded.settings, catalogue)
    model = load_model(settings, catalogue)
    spec = model.spec
    if spec.name != settings.model.name:  # heads found in the models folder
        log.info("daemon.model name=%s labels=%d", spec.name, len(spec.labels))
    with loaded.locating_errors():
        pipelines = make_pipelines(settings, model)
        each = [make_label_map(channel.settings.events, spec) for channel in channels_of(settings)]
        check_chosen_labels(settings, each)
    run_id = run_id_text(time.time(), int.from_bytes(os.urandom(2), "big"))

    def hello() -> HelloBody:
        names = [label.name for pipeline in pipelines.values() for label in pipeline.labels]
        return HelloBody(
            version=__version__,
            model=reloader.model_name,
            labels=tuple(names if len(pipelines) == 1 else dict.fromkeys(names)),
            source=daemon.source_name,
            sources=tuple(pipelines) if settings.sources else None,
            run_id=run_id,
            generation=dispatcher.numbering.text,
            generation_seq=dispatcher.numbering.seq,
        )

    def report() -> ReportBody:
        return make_report(
            daemon,
            dispatcher,
            context.subscribers,
            brokers=context.brokers,
            model=reloader.model_name,
            run_id=run_id,
            clips=None if clips is None else clips.counts,
            notify=context.notifiers[0]() if context.notifiers else None,
        )

    def tell_of_clips(detail: str) -> None:
        state = daemon.state.value
        dispatcher.publish(
            StatusBody(
                state=state,
                overall=state if settings.sources else None,
                source=daemon.source_name,
                detail=detail,
                time=utc_text(time.time()),
            )
        )

    def end_with_the_reader(sink: str) -> None:
        if sink == "stdout":
            daemon.stop()

    notifier = Notifier(os.environ)
    history = make_history(settings, os.environ)
    book = VerdictBook()
    verdicts = make_verdict_keeper(settings, os.environ, book, lambda: reloader.reported)
    at_full_speed = all(channel.is_at_full_speed for channel in channels_of(settings))
    context = SinkContext(
        hello,
        report,
        input_state=None if at_full_speed else lambda: daemon.input_state,
        archive=None if history is None else history.archive,
        asked_labels=lambda names: reloader.asked(names),
        give_verdict=None if verdicts is None else verdicts.answer,
        state_folder=writing_path(settings.history.path, os.environ).parent,
        take_control=lambda line, answer: controls(line, answer),
        pause=lambda paused, source: daemon.pause(paused, source),
        sources=tuple(
            SourceTraits(channel.name, is_news=not channel.is_at_full_speed, can_pause=channel.is_live)
            for channel in channels_of(settings)
        ),
        tells_sources_apart=bool(settings.sources),
        verbose=verbose,
    )
    make = partial(make_sink, context=context)
    sinks = {sink: make(sink) for sink in sinks_in_force(settings)}
    dispatcher = Dispatcher(
        list(sinks.values()),
        journal=None if history is None else history.journal,
        verdicts=verdicts,
        on_closed=end_with_the_reader,
        opens_later=notifier.has_manager,  # to end would only have the manager start it again and again
    )

    reloader = Reloader(
        settings,
        load=load,
        model=model,
        pipelines=pipelines,
        dispatcher=dispatcher,
        sinks=sinks,
        make_sink=make,
        verdicts=verdicts,
    )
    clips = None
    if settings.clips.is_used:  # else nothing of it is loaded
        from detector.assemble.clip_making import make_clip_keeper

        clips = make_clip_keeper(settings.clips, publish=dispatcher.publish, tell=tell_of_clips)
    channels = [
        make_channel(
            channel,
            pipelines,
            spec,
            run_id=run_id,
            keeper=clips,
            book=None if verdicts is None else book,
            taps=context.live,
            keep_picture=history.journal.keep_picture if history and settings.history.pictures else None,
            keep_levels=history.journal.keep_levels if history and settings.history.levels else None,
        )
        for channel in channels_of(settings)
    ]
    daemon = Daemon(
        channels=channels,
        are_named=bool(settings.sources),
        dispatcher=dispatcher,
        notifier=notifier,
        metrics=make_metrics(settings, lambda: prometheus_text(report()), later=notifier.has_manager),
        reload=reloader,
        clips=clips,
        advice=advice(len(channels), spec.name),
    )
    controls = Controls(daemon, needs_restart=lambda: reloader.needs_restart, utc=time.time)
    return daemon


def advice(sources: int, model: str) -> str:
    """What would help a machine that so many sources with this model are too much for."""
    fewer = ["fewer sources"] if sources > 1 else []
    smaller = ["one network instead of two (--model yamnet)"] if model.startswith(DEFAULT) else []
    return " or ".join(filter(None, (", ".join([*fewer, *smaller]), "a larger windows.hop_seconds")))


@contextmanager
def showing_a_wait(load: Callable[[], Loaded], reason: str) -> Iterator[None]:
    """Open the event sockets of the settings for as long as there is no daemon: they tell why."""
    run_id = run_id_text(time.time(), int.from_bytes(os.urandom(2), "big"))

    def hello() -> HelloBody:
        return HelloBody(
            version=__version__, run_id=run_id, state="waiting", source="-", model="-", labels=()
        )

    def report() -> ReportBody:
        values = {"version": __version__, "run_id": run_id, "pid": os.getpid(), "state": "waiting"}
        return ReportBody(values | {"detail": reason, "time": utc_text(time.time())})

    context = SinkContext(hello, report)
    sockets = [
        make_sink(sink, context)
        for sink in effective_sinks(load().settings)
        if isinstance(sink, SocketSettings)
    ]
    with ExitStack() as opened:
        for sink in sockets:
            sink.open()
            opened.callback(sink.close)
        yield


@dataclass(frozen=True, slots=True)
class History:
    """Its two ends: the journal writes events, the archive reads them."""

    journal: Journal
    archive: FileArchive


def make_history(settings: Settings, environ: Mapping[str, str]) -> History | None:
    """Build the history, not opened yet; None where none is kept."""
    if not keeps_history(settings):
        return None
    from detector.history.event_store import EventStore
    from detector.history.sequence_numbers import SequenceNumbers

    wanted = settings.history
    path = writing_path(wanted.path, environ)
    numbers = SequenceNumbers()
    store = EventStore(
        path,
        numbers,
        keep_seconds=wanted.keep_days * 86400.0,
        max_bytes=wanted.max_megabytes * 1_000_000,
        pictures=wanted.pictures,
    )
    journal = Journal(store, numbers)
    archive = FileArchive(path, oldest_seq=lambda: store.oldest_seq, newest_seq=lambda: journal.recorded_seq)
    return History(journal, archive)


def make_verdict_keeper(
    settings: Settings,
    environ: Mapping[str, str],
    book: VerdictBook,
    labels: Callable[[], Sequence[Label]],
) -> VerdictKeeper | None:
    """Build what stores verdicts beside the events and puts them into `book`; None without a history."""
    if not keeps_history(settings):
        return None
    from detector.history.verdict_file import VerdictFile
    from detector.history.verdict_keeper import VerdictKeeper

    file = VerdictFile(writing_path(settings.history.path, environ), keep=settings.verdicts.keep)
    return VerdictKeeper(file, book, labels, use=settings.verdicts.use)


def keeps_history(settings: Settings) -> bool:
    """Whether events are kept: as `history.enabled` says, or else for live sound only."""
    if settings.history.enabled is not None:
        return settings.history.enabled
    return not all(channel.is_recording for channel in channels_of(settings))


def make_metrics(settings: Settings, text: Callable[[], str], *, later: bool) -> Service | None:
    """Build the Prometheus endpoint if the settings ask for one; importing it costs 3 MB of memory.

    SinkError where its port is taken; with `later` it is waited for instead.
    """
    if settings.metrics.port is None:
        return None
    from detector.service.prometheus import LateMetricsServer, MetricsServer

    make = partial(MetricsServer, settings.metrics.port, text)
    return LateMetricsServer(make) if later else make()
