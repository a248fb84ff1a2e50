"""A collector's counts as Prometheus text."""

from __future__ import annotations

from detector.fleet.fleet_collector import CollectorCounts

METRICS = (
    ("connected", "gauge", "1 while there is a connection to the broker and to the database"),
    ("events_new", "counter", "Events added to the database"),
    ("events_again", "counter", "Events that had come before"),
    ("payloads_unfit", "counter", "Payloads that were refused"),
    ("events_missing", "counter", "Numbers of events that were noted as missing"),
    ("events_late", "counter", "Numbers noted as missing that came later"),
    ("asked", "counter", "Times that a daemon was asked to send events again"),
    ("given_up", "counter", "Times that a daemon was asked in vain, and is asked no more"),
    ("commits", "counter", "Transactions"),
)


def metrics_text(counts: CollectorCounts) -> str:
    """All of them, in the text format of Prometheus."""
    values = (
        int(counts.connected),
        *(
            counts.new,
            counts.again,
            counts.unfit,
            counts.noted_missing,
            counts.came_late,
            counts.asked,
            counts.given_up,
            counts.commits,
        ),
    )
    lines = []
    for (name, kind, help), value in zip(METRICS, values, strict=True):
        full = f"sound_detector_collect_{name}{'_total' if kind == 'counter' else ''}"
        lines += [f"# HELP {full} {help}", f"# TYPE {full} {kind}", f"{full} {value}"]
    return "\n".join(lines) + "\n"
