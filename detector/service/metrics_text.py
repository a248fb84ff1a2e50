"""A report's numbers in Prometheus' text format (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from detector.service.level_report import LEVEL_GAUGES
from detector.sinks.mqtt.broker_counts import CONNECTED
from detector.wire.message import ReportBody

GAUGES = {
    "uptime_seconds": "Seconds since the program started.",
    "level_dbfs": "Level of the newest 30 ms [dB re full scale].",
    **LEVEL_GAUGES,
    "gain_db": "Gain in front of the classifier [dB].",
    "late_seconds": "How long the newest sound has waited to be processed.",
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
    "windows_skipped": "Windows left out because the worker was behind.",
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
    "late_seconds": GAUGES["late_seconds"],
}
SOURCE_COUNTERS = {
    name: COUNTERS[name]
    for name in (
        "heard_seconds",
        "windows",
        "windows_skipped",
        "events",
        "gate_openings",
        "blocks_dropped",
        "samples_lost",
        "lost_seconds",
    )
}
SOURCE_FLAGS: tuple[tuple[str, str, Callable[[Mapping[str, object]], bool]], ...] = (
    ("listening", "Whether sound arrives.", lambda source: source["state"] == "listening"),
    (
        "overloaded",
        "Whether some of its sound is left out because the worker is behind.",
        lambda source: source.get("overloaded") is True,
    ),
)
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
        "# HELP sound_detector_overloaded Whether this machine cannot keep up with the sound.",
        "# TYPE sound_detector_overloaded gauge",
        f"sound_detector_overloaded {int(report.get('overloaded') is True)}",
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
    for name, help_text, value in SOURCE_FLAGS if sources else ():
        full = f"sound_detector_source_{name}"
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge"]
        lines += [f'{full}{{source="{_escaped(each["name"])}"}} {int(value(each))}' for each in sources]
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
