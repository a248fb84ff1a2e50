"""All doors that a stranger can knock at."""

from __future__ import annotations

from benchmarks.fuzz import audio, clocks, datasets, history, models, sockets, text

TARGETS = {
    target.name: target
    for module in (text, models, datasets, history, clocks, audio, sockets)
    for target in module.TARGETS
}
"""By name, in the order of the table."""
