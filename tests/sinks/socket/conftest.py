"""A real event socket for each test that asks for one."""

import contextlib

import pytest

from detector.events.labels import AskedLabels
from detector.sinks.socket.control_desk import NO_CONTROL
from detector.sinks.socket.limits import ServerLimits
from detector.sinks.socket.server import SocketSink
from detector.sinks.socket.verdict_desk import NO_DESK
from detector.wire.access import EVERYBODY
from tests.support.event_socket import hello


@pytest.fixture
def serve(tmp_path):
    """Start a server; without a request its subscribers get events at once."""
    with contextlib.ExitStack() as stack:

        def start(
            uri="tcp://127.0.0.1:0",
            *,
            report=None,
            counts=None,
            access=EVERYBODY,
            asked_labels=None,
            verdict_desk=NO_DESK,
            live=None,
            sound=False,
            control_desk=NO_CONTROL,
            **limits,
        ):
            sink = SocketSink(
                uri,
                hello=hello,
                report=report,
                access=access,
                counts=counts,
                limits=ServerLimits(**({"request_seconds": 0} | limits)),
                asked_labels=asked_labels or (lambda names: AskedLabels()),
                verdict_desk=verdict_desk,
                live=live,
                sound=sound,
                control_desk=control_desk,
            )
            sink.open()
            stack.callback(sink.close)
            return sink

        yield start
