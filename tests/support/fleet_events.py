"""Events as daemons publish them, for tests of collectors."""

from __future__ import annotations

import json
from typing import Any

PREFIX = "sound-detector"
RUN = "20260801T140321Z-3f9a"

HEARD = 1785593002.5
"""When the events of `payload` began [UTC seconds]."""


def payload(seq: int, *, node: str = "hall", run: str = RUN, generation: str = "g", **changes: Any) -> bytes:
    """One event of one message."""
    fields = {
        "type": "start",
        "id": f"{run}-{seq}",
        "label": "Dog",
        "class_id": "/m/0bt9lr",
        "top_score": 0.9,
        "start_time": "2026-08-01T14:03:22.500Z",
        "end_time": None,
        "source": "Mic",
        "seq": seq,
        "node": node,
        "generation": generation,
    }
    return json.dumps(fields | changes).encode()


def topic(node: str = "hall", ending: str = "events") -> str:
    """A topic of one node."""
    return f"{PREFIX}/{node}/{ending}"
