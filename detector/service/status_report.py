"""How the daemon is, as one flat report: for `sound-detector status`, and for Prometheus (`metrics_text`)."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

from detector import __version__
from detector.clips.clip_counts import ClipCounts
from detector.delivery.dispatcher import Dispatcher
from detector.service.daemon import Daemon
from detector.service.level_report import level_report
from detector.service.source_channel import SourceChannel
from detector.sinks.context import InputState, NotifyReport
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.socket.limits import SubscriberCounts
from detector.wire.message import ReportBody, finite, utc_text


def make_report(
    daemon: Daemon,
    dispatcher: Dispatcher,
    subscribers: Sequence[SubscriberCounts],
    *,
    brokers: Sequence[BrokerCounts] = (),
    model: str,
    run_id: str,
    clips: ClipCounts | None = None,
    notify: NotifyReport | None = None,
) -> ReportBody:
    """What `status` shows; every count since the program started."""
    counts, now, channels = daemon.counts, time.time(), daemon.channels
    history = dispatcher.journal_stats()
    inputs = [channel.input_state for channel in channels]  # looked at once: what follows agrees
    overloaded = any(each.is_overloaded for each in inputs)
    values: dict[str, object] = {
        "version": __version__,
        "run_id": run_id,
        "pid": os.getpid(),
        "state": daemon.state.value,
        "source": daemon.source_name,
        "model": model,
        "seq": dispatcher.seq,
        "uptime_seconds": finite(now - daemon.started, 1),
        "heard_seconds": finite(sum(channel.heard_seconds for channel in channels), 1),
        "level_dbfs": finite(_loudest(channels), 1),
        **level_report([channel.levels for channel in channels], now),
        "gain_db": None if daemon.are_named else finite(channels[0].gain_db, 1),
        "late_seconds": finite(max(channel.load.late_seconds for channel in channels), 2),
        "overloaded": overloaded,
        **({"overload_advice": f"{daemon.advice} would help"} if overloaded else {}),
        "windows": counts.windows,
        "windows_skipped": counts.windows_skipped,
        "events": counts.events,
        "gate_openings": counts.gate_openings,
        "blocks_dropped": counts.blocks_dropped,
        "samples_lost": counts.samples_lost,
        "lost_seconds": finite(sum(channel.lost_seconds for channel in channels), 1),
        "subscribers": sum(socket.connected for socket in subscribers),
        "sound_listeners": sum(socket.listening for socket in subscribers),
        "subscribers_refused": sum(socket.refused for socket in subscribers),
        "subscriber_messages_dropped": sum(socket.dropped for socket in subscribers),
        "history_working": history and history.working,
        "history_written": history and history.written,
        "history_backlog": history and history.backlog,
        "history_lost": history and history.lost,
        "history_dropped": history and history.dropped,
        "clips_working": clips and clips.working,
        "clips_saved": clips and clips.saved,
        "clips_dropped_speech": clips and clips.speech,
        "clips_dropped_unjudged": clips and clips.unjudged,
        "clips_failed": clips and clips.failed,
        "clips_lost": clips and clips.lost,
        "clips_deleted": clips and clips.deleted,
        "clips_pending": clips and clips.pending,
        "clips_stored": clips and clips.stored,
        "clips_stored_bytes": clips and clips.stored_bytes,
        "sinks": [
            {
                "name": sink.name,
                "written": sink.written,
                "dropped": sink.dropped,
                "failed": sink.failed,
                "pending": sink.pending,
                "working": sink.working,
            }
            for sink in dispatcher.stats()
        ],
        **({"sources": [*map(_source_report, channels, inputs, repeat(now))]} if daemon.are_named else {}),
        "cpu_seconds": finite(time.process_time(), 2),
        "memory_bytes": _resident_bytes(),
        "time": utc_text(now),
    }
    if notify is not None:
        values |= {"notify_rules": [*notify.rules], "notify_targets": [*notify.targets]}
    if brokers:
        values["brokers"] = [broker.report for broker in brokers]
    return ReportBody(values)


def _loudest(channels: Sequence[SourceChannel]) -> float:
    """The highest level of a source [dBFS]; NaN where none listens."""
    levels = [channel.level_dbfs for channel in channels]
    return max((level for level in levels if not math.isnan(level)), default=math.nan)


def _source_report(channel: SourceChannel, shown: InputState, now: float) -> dict[str, object]:
    """How one of several sources is."""
    counts = channel.counts
    return {
        "name": channel.name,
        "state": shown.state,
        "detail": shown.detail,
        "heard_seconds": finite(channel.heard_seconds, 1),
        "level_dbfs": finite(channel.level_dbfs, 1),
        **level_report([channel.levels], now),
        "gain_db": finite(channel.gain_db, 1),
        "late_seconds": finite(channel.load.late_seconds, 2),
        "overloaded": shown.is_overloaded,
        "windows": counts.windows,
        "windows_skipped": counts.windows_skipped,
        "events": counts.events,
        "gate_openings": counts.gate_openings,
        "blocks_dropped": counts.blocks_dropped,
        "samples_lost": counts.samples_lost,
        "lost_seconds": finite(channel.lost_seconds, 1),
    }


def _resident_bytes() -> int | None:
    """Resident memory; None where there is no /proc (Linux has it)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
