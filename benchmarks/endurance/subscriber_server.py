"""The serving half of `subscribers`: the real Dispatcher and SocketSink, fed at a fixed rate.

Standard output gets one line of JSON when it listens and one when all is said; it publishes once a
line comes in on standard input, and ends at the end of that.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace

from detector.delivery.dispatcher import Dispatcher
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.sinks.socket.server import SocketSink
from detector.wire.access import Access
from detector.wire.message import EventBody, HelloBody

EVENT = EventBody(
    kind="start",
    id="20261101T000000Z-0000-1",
    label="Smoke detector, smoke alarm",
    class_id="/m/01y3hg",
    score=0.812,
    top_score=0.912,
    start_time="2026-11-01T00:00:00.000Z",
    end_time=None,
    time="2026-11-01T00:00:00.960Z",
    duration=0.96,
    source="",
    model="yamnet",
    level_dbfs=-23.4,
)
"""As the daemon makes them; `source` carries the moment of publishing."""

_STEP_SECONDS = 0.002
"""Events due within it are published together: a sleep is not more exact."""


def main() -> None:
    """Serve one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("uri")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--heartbeat", type=float, default=30.0)
    for name in ("token-file", "certificate", "key"):
        parser.add_argument(f"--{name}")
    options = parser.parse_args()
    counts = SubscriberCounts()
    sink = SocketSink(
        options.uri,
        hello=lambda: HelloBody(version="0", model="yamnet", labels=(), source="bench", run_id="run"),
        access=Access(None, options.token_file, options.certificate, options.key),
        limits=ServerLimits(heartbeat_seconds=options.heartbeat),
        counts=counts,
    )
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    _say({"uri": sink.uri})
    sys.stdin.readline()
    cpu, began = time.process_time(), time.monotonic()
    _publish(dispatcher, int(options.rate * options.seconds), options.rate)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    (stats,) = dispatcher.stats()
    _say(
        {
            "last": dispatcher.seq,
            "seconds": took,
            "cpu": cpu / took,
            "queue_dropped": stats.dropped,
            "dropped": counts.dropped,
            "refused": counts.refused,
        }
    )
    sys.stdin.read()
    dispatcher.close()


def _publish(dispatcher: Dispatcher, count: int, rate: float) -> None:
    began = time.monotonic()
    done = 0
    while done < count:
        due = min(count, int((time.monotonic() - began) * rate) + 1)
        for _ in range(due - done):
            dispatcher.publish(replace(EVENT, source=str(time.monotonic_ns())))
        done = due
        time.sleep(_STEP_SECONDS)


def _say(fields: dict[str, object]) -> None:
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    main()
