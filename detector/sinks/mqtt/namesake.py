"""Another daemon that publishes under the same node's name."""

from __future__ import annotations

import json
import logging

log = logging.getLogger(__name__)


def look_for_namesake(stats: bytes, *, run: str, node: str, broker: str) -> None:
    """Log who else publishes under this name: the broker sends a daemon the `stats` of its own node."""
    other = _run_of(stats)
    if other and run and other != run:
        log.warning(
            "mqtt.two_daemons broker=%s node=%s: expected no other daemon of this name, got %s: give each a "
            "`node` of its own in its settings, or their events are mixed and may be lost",
            *(broker, node, other),
        )


def _run_of(stats: bytes) -> str:
    """The run of the daemon that has published them; empty where they do not say it."""
    try:
        fields = json.loads(stats)
    except (ValueError, RecursionError):
        return ""
    run = fields.get("run") if isinstance(fields, dict) else None
    return run[:40] if isinstance(run, str) else ""
