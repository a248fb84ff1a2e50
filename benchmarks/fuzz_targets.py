"""All doors that a stranger can knock at."""

from __future__ import annotations

from benchmarks import fuzz_audio, fuzz_history, fuzz_models, fuzz_sockets, fuzz_text

TARGETS = {
    target.name: target
    for module in (fuzz_text, fuzz_models, fuzz_history, fuzz_audio, fuzz_sockets)
    for target in module.TARGETS
}
"""By name, in the order of the table."""
