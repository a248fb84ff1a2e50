"""What a daemon is asked to do: only where the socket takes such requests; one answer, then the end."""

import threading

import pytest

from detector.errors import SinkError
from detector.sinks.socket.control_desk import ControlDesk
from detector.sinks.socket.socket_settings import SocketSettings
from detector.wire.live_bodies import ControlBody
from detector.wire.request import ControlLine
from tests.support.event_socket import Client, write
from tests.support.fakes import LONG, wait_until

PAUSE = {"control": {"pause": True}}


class Daemon:
    """Keeps the lines that it was handed; answers at once, or when it is told to."""

    def __init__(self):
        self.lines, self.answers, self.is_quick = [], [], True

    def __call__(self, line, answer):
        if line.source == "cellar":
            raise SinkError("there is no 'cellar'")
        self.lines.append(line)
        self.answers.append(answer)
        if self.is_quick:
            self.finish()

    def finish(self):
        self.answers[-1](ControlBody(done=True, message="listening", paused=("porch",), time=None))


@pytest.fixture
def daemon():
    return Daemon()


def test_what_is_asked_for_is_done_and_answered_and_the_connection_ends(serve, daemon):
    sink = serve(control_desk=ControlDesk(daemon, is_open=True), request_seconds=LONG)
    with Client(sink) as other, Client(sink, PAUSE) as client:
        (answer,) = client.rest()
        assert (answer["type"], answer["done"], answer["paused"]) == ("control", True, ["porch"])
        other.send({})
        write(sink, 1)
        assert other.seqs(1) == [1]
    assert daemon.lines == [ControlLine(pause=True)]


def test_an_answer_may_take_a_while_and_events_do_not_wait_for_it(serve, daemon):
    daemon.is_quick = False
    sink = serve(control_desk=ControlDesk(daemon, is_open=True))
    with Client(sink) as other, Client(sink, {"control": {"reload": True}}) as client:
        wait_until(lambda: daemon.answers)
        write(sink, 1, 2)
        assert other.seqs(2) == [1, 2]
        threading.Thread(target=daemon.finish).start()
        assert [answer["type"] for answer in client.rest()] == ["control"]


def test_a_socket_that_takes_none_says_so_and_nothing_is_done(serve, daemon):
    sink = serve(control_desk=ControlDesk(daemon, is_open=False))
    with Client(sink, PAUSE) as client:
        assert "this socket takes none" in client.rest()[-1]["message"]
    with Client(serve(control_desk=ControlDesk(None, is_open=True)), PAUSE) as client:
        assert "nothing to control" in client.rest()[-1]["message"]
    with Client(serve(), PAUSE) as client:
        assert client.rest()[-1]["type"] == "error"
    assert daemon.lines == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"control": {"pause": True, "source": "cellar"}}, "there is no 'cellar'"),
        ({"control": {"pause": "yes"}}, "alone"),
        (b'{"control": {"pause": true}}\n{"control": {"pause": false}}\n', "one line for each connection"),
        (b'{"control": {"pause": true}, "control": {"stop": 1}}\n', "alone"),
    ],
)
def test_a_request_that_cannot_be_met_is_told_and_nothing_is_done(serve, daemon, line, fault):
    sink = serve(control_desk=ControlDesk(daemon, is_open=True), request_seconds=LONG)
    with Client(sink, line) as client:
        (error,) = client.rest()
        assert error["type"] == "error"
        assert fault in error["message"]
    assert daemon.lines == []


def test_who_leaves_before_the_answer_harms_nobody(serve, daemon):
    daemon.is_quick = False
    sink = serve(control_desk=ControlDesk(daemon, is_open=True), request_seconds=LONG)
    with Client(sink, PAUSE):
        wait_until(lambda: daemon.answers)
    daemon.finish()
    with Client(sink, {}) as other:
        write(sink, 1)
        assert other.seqs(1) == [1]


def test_a_socket_that_closes_first_says_that_it_could_not_answer(serve, daemon):
    """A reload may take this very socket away."""
    daemon.is_quick = False
    sink = serve(control_desk=ControlDesk(daemon, is_open=True), request_seconds=LONG)
    with Client(sink, {"control": {"reload": True}}) as client:
        wait_until(lambda: daemon.answers)
        sink.close()
        (error,) = client.rest()
        assert "before it could answer" in error["message"]
    daemon.finish()  # to nobody


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        (SocketSettings("unix:///run/x.sock"), True),
        (SocketSettings("unix:///run/x.sock", control=False), False),
        (SocketSettings("tcp://127.0.0.1:8765"), False),
        (SocketSettings("tcp://127.0.0.1:8765", control=True), True),
    ],
)
def test_a_unix_socket_takes_control_and_a_tcp_socket_only_if_told_to(settings, is_open):
    assert settings.takes_control is is_open
