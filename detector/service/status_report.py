"""How the daemon is, as one flat report: for `sound-detector status`, and as text for Prometheus."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from detector import __version__
from detector.clips.clip_counts import ClipCounts
from detector.delivery.dispatcher import Dispatcher
from detector.service.daemon import Daemon
from detector.service.level_report import LEVEL_GAUGES, level_report
from detector.service.source_channel import SourceChannel
from detector.sinks.context import NotifyReport
from detector.sinks.mqtt.broker_counts import CONNECTED, BrokerCounts
from detector.sinks.socket.limits import SubscriberCounts
from detector.wire.message import ReportBody, finite, utc_text

GAUGES = {
    "uptime_seconds": "Seconds since the program started.",
    "level_dbfs": "Level of the newest 30 ms [dB re full scale].",
    **LEVEL_GAUGES,
    "gain_db": "Gain in front of the classifier [dB].",
    "subscribers": "Subscribers of the event sockets now.",
    "sound_listeners": "Subscribers that get the sound itself now.",
    "memory_bytes": "Resident memory.",
    "history_backlog": "Events sent that are not in the history yet.",
    "clips_pending": "Clips waiting to be judged and written.",
    "clips_stored": "Clips in the folder.",
    "clips_stored_bytes": "Size of the clips in the folder.",
}
COUNTERS = {
    "heard_seconds": "Seconds of sound processed.",
    "windows": "Windows classified.",
    "events": "Events started.",
    "gate_openings": "Times the gate opened.",
    "blocks_dropped": "Blocks lost because the worker was behind.",
    "samples_lost": "Samples missing from the stream.",
    "lost_seconds": "Seconds of sound missing from the stream.",
    "subscribers_refused": "Connections that were not let in.",
    "subscriber_messages_dropped": "Messages that slow subscribers lost.",
    "history_written": "Events written to the history.",
    "history_lost": "Events sent that will never be in the history.",
    "history_dropped": "Messages neither written nor sent, because the disk was behind.",
    "clips_saved": "Clips written.",
    "clips_dropped_speech": "Clips not written because there was speech in them.",
    "clips_dropped_unjudged": "Clips not written because they could not be searched for speech.",
    "clips_failed": "Clips that could not be written.",
    "clips_lost": "Clips lost because their process ended or was behind.",
    "clips_deleted": "Old clips deleted.",
    "cpu_seconds": "CPU time used.",
}
SOURCE_GAUGES = {
    "level_dbfs": GAUGES["level_dbfs"],
    **LEVEL_GAUGES,
    "gain_db": GAUGES["gain_db"],
}
SOURCE_COUNTERS = {
    name: COUNTERS[name]
    for name in (
        "heard_seconds",
        "windows",
        "events",
        "gate_openings",
        "blocks_dropped",
        "samples_lost",
        "lost_seconds",
    )
}
SINK_COUNTERS = {
    "written": "Messages delivered.",
    "dropped": "Messages lost because the sink was slow.",
    "failed": "Messages the sink could not deliver.",
}
NOTIFY_RULE_COUNTERS = {
    "matched": "Events that a rule wanted.",
    "sent": "Of these, said in a notice of their own.",
    "digested": "Of these, counted in a later notice.",
    "dropped": "Of these, never said.",
}
NOTIFY_TARGET_COUNTERS = {
    "sent": "Notices delivered.",
    "failed": "Notices that the target refused.",
    "expired": "Notices given up, since the target could not be reached.",
    "dropped": "Notices lost because too many waited.",
    "retries": "Attempts beyond the first.",
}
BROKER_COUNTERS = {
    "published": "Messages handed to a connection to the broker.",
    "events_resent": "Events sent again, because the broker may not have had them.",
    "events_lost": "Events that the broker will never get.",
    "detected_late": "Sounds not shown as live, because there was no connection in time.",
}


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
        "windows": counts.windows,
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
        **({"sources": [_source_report(channel, now) for channel in channels]} if daemon.are_named else {}),
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


def _source_report(channel: SourceChannel, now: float) -> dict[str, object]:
    """How one of several sources is."""
    counts, shown = channel.counts, channel.input_state
    return {
        "name": channel.name,
        "state": shown.state,
        "detail": shown.detail,
        "heard_seconds": finite(channel.heard_seconds, 1),
        "level_dbfs": finite(channel.level_dbfs, 1),
        **level_report([channel.levels], now),
        "gain_db": finite(channel.gain_db, 1),
        "windows": counts.windows,
        "events": counts.events,
        "gate_openings": counts.gate_openings,
        "blocks_dropped": counts.blocks_dropped,
        "samples_lost": counts.samples_lost,
        "lost_seconds": finite(channel.lost_seconds, 1),
    }


def prometheus_text(body: ReportBody) -> str:
    """The report's numbers in Prometheus' text format (exposition format 0.0.4)."""
    report = body.values
    lines: list[str] = []
    for kind, table in (("gauge", GAUGES), ("counter", COUNTERS)):
        for name, help_text in table.items():
            value = report[name]
            if value is not None:
                full = f"sound_detector_{name}" + ("_total" if kind == "counter" else "")
                lines += [f"# HELP {full} {help_text}", f"# TYPE {full} {kind}", f"{full} {value}"]
    model, version = _escaped(report["model"]), _escaped(report["version"])
    lines += [
        "# HELP sound_detector_info What runs: the model with its heads, and the version.",
        "# TYPE sound_detector_info gauge",
        f'sound_detector_info{{model="{model}",version="{version}"}} 1',
        "# HELP sound_detector_listening Whether sound arrives.",
        "# TYPE sound_detector_listening gauge",
        f"sound_detector_listening {int(report['state'] == 'listening')}",
        "# HELP sound_detector_paused Whether sound is thrown away unheard.",
        "# TYPE sound_detector_paused gauge",
        f"sound_detector_paused {int(report['state'] == 'paused')}",
    ]
    sources = _dicts(report.get("sources"))
    for kind, table in (("gauge", SOURCE_GAUGES), ("counter", SOURCE_COUNTERS)):
        for name, help_text in table.items() if sources else ():
            full = f"sound_detector_source_{name}" + ("_total" if kind == "counter" else "")
            lines += [f"# HELP {full} {help_text}", f"# TYPE {full} {kind}"]
            lines += [
                f'{full}{{source="{_escaped(each["name"])}"}} {each[name]}'
                for each in sources
                if each[name] is not None
            ]
    if sources:
        full = "sound_detector_source_listening"
        lines += [f"# HELP {full} Whether sound arrives.", f"# TYPE {full} gauge"]
        lines += [
            f'{full}{{source="{_escaped(each["name"])}"}} {int(each["state"] == "listening")}'
            for each in sources
        ]
    sinks = report["sinks"]
    for name, help_text in SINK_COUNTERS.items():
        full = f"sound_detector_sink_{name}_total"
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} counter"]
        lines += [f'{full}{{sink="{_escaped(sink["name"])}"}} {sink[name]}' for sink in _dicts(sinks)]
    lines += _notify_lines("rule", "rule", NOTIFY_RULE_COUNTERS, report.get("notify_rules"))
    lines += _notify_lines("target", "name", NOTIFY_TARGET_COUNTERS, report.get("notify_targets"))
    lines += _broker_lines(_dicts(report.get("brokers")))
    return "\n".join(lines) + "\n"


def _notify_lines(what: str, key: str, counters: Mapping[str, str], facts: object) -> list[str]:
    return _counter_lines(f"notify_{what}", what, key, counters, _dicts(facts))


def _broker_lines(brokers: Sequence[Mapping[str, object]]) -> list[str]:
    if not brokers:
        return []
    lines: list[str] = []
    for name, help_text in (
        ("connected", "Whether there is a connection to the broker."),
        ("events_waiting", "Events that the broker does not have yet."),
    ):
        full = f"sound_detector_mqtt_{name}"
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge"]
        for each in brokers:
            value = int(each["state"] == CONNECTED) if name == "connected" else each[name]
            lines.append(f'{full}{{broker="{_escaped(each["name"])}"}} {value}')
    return lines + _counter_lines("mqtt", "broker", "name", BROKER_COUNTERS, brokers)


def _counter_lines(
    prefix: str, what: str, key: str, counters: Mapping[str, str], facts: Sequence[Mapping[str, object]]
) -> list[str]:
    """Counters of several things of one kind: `what` is the label, `key` has its value."""
    lines = []
    for name, help_text in counters.items() if facts else ():
        full = f"sound_detector_{prefix}_{name}_total"
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} counter"]
        lines += [f'{full}{{{what}="{_escaped(each[key])}"}} {each[name]}' for each in facts]
    return lines


def _dicts(value: object) -> Sequence[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _resident_bytes() -> int | None:
    """Resident memory; None where there is no /proc (Linux has it)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
