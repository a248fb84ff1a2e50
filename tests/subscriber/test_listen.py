"""`listen` against a real event socket in the same process."""

import io
import json
import os
import queue
import re
import socket
import threading

import pytest

from detector.delivery.dispatcher import Dispatcher
from detector.errors import ConfigError, SinkError
from detector.events.labels import AskedLabels
from detector.records import Label
from detector.sinks.socket.limits import ServerLimits
from detector.sinks.socket.server import SocketSink
from detector.subscriber.client import NOTHING, connect
from detector.subscriber.event_printer import backoff_seconds, listen, next_since
from detector.wire.address import UnixAddress, parse_address
from detector.wire.message import HelloBody, StatusBody
from tests.support import ROOT
from tests.support.fakes import LONG
from tests.support.wire_messages import make_body

needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this platform")

PROTOCOL = ROOT / "docs" / "protocol.md"


class Daemon:
    """A dispatcher with an event socket, and no sound."""

    def __init__(
        self,
        uri="tcp://127.0.0.1:0",
        run_id="run",
        says=(),
        twice=(),
        asked_labels=lambda names: AskedLabels(),
    ):
        def hello():
            return HelloBody(version="0", model="yamnet", labels=("Dog", *twice), source="Mic", run_id=run_id)

        limits = ServerLimits(request_seconds=LONG)
        self.sink = SocketSink(uri, hello=hello, limits=limits, asked_labels=asked_labels)
        self.dispatcher = Dispatcher([self.sink])
        self.dispatcher.start()
        self.say(*says)
        if says:
            self._settle(len(says))

    @property
    def uri(self):
        return self.sink.uri

    def say(self, *labels, phase="start"):
        for label in labels:
            sound = Label(label, label, "doorbell")
            self.dispatcher.publish(make_body(phase, label=sound, score=0.5, top_score=0.5, level_dbfs=-20.0))

    def _settle(self, seq):
        """Wait until the server has taken everything in, as a daemon that has run for a while has."""
        address = parse_address(self.uri)
        with socket.socket(socket.AF_UNIX) as probe, probe.makefile("rb") as lines:
            probe.settimeout(LONG)
            probe.connect(address.path)
            probe.sendall(b'{"since": %d}\n' % (seq - 1))
            while json.loads(lines.readline()).get("type") != "start":
                pass

    def close(self):
        self.dispatcher.close(LONG)


class Lines(io.StringIO):
    """A text stream whose lines can be waited for."""

    def __init__(self):
        super().__init__()
        self._lines = queue.Queue()

    def write(self, text):
        for line in text.splitlines():
            self._lines.put(line)
        return super().write(text)

    def next(self):
        return self._lines.get(timeout=LONG)

    def labels(self):
        return [json.loads(line)["label"] for line in self.getvalue().splitlines()]


@pytest.fixture
def daemon():
    daemon = Daemon()
    yield daemon
    daemon.close()


class Listening:
    """`listen` on a thread of its own."""

    def __init__(self, *uris, **options):
        self.stdout, self.stderr = Lines(), Lines()
        options = {"stdout": self.stdout, "stderr": self.stderr} | options
        self.result = None
        self.thread = threading.Thread(target=self._run, args=(uris, options), daemon=True)
        self.thread.start()
        self.stderr.next()  # the hello

    def _run(self, uris, options):
        try:
            self.result = listen(uris, **options)
        except (ConfigError, SinkError) as error:
            self.result = error

    def ended(self):
        self.thread.join(LONG)
        assert not self.thread.is_alive()
        return self.result


@pytest.mark.parametrize(
    ("generation", "began", "asked"),
    [("aa", 0, 50), ("bb", 0, 0), ("bb", 40, 40), ("bb", 900, 50)],
)
def test_after_a_change_of_generation_it_asks_for_all_that_is_new(generation, began, asked):
    """It had number 50 of generation aa; `began` is where the other numbering stood at its beginning."""
    hello = HelloBody(
        version="0",
        run_id="two",
        source="Mic",
        model="m",
        labels=(),
        history=True,
        generation=generation,
        generation_seq=began,
        seq=999,
    )
    assert next_since(hello, since=50, run_id="one", generation="aa") == asked


def test_events_are_printed_until_the_daemon_ends(daemon):
    listening = Listening(daemon.uri)
    daemon.say("Dog", "Cat")
    daemon.close()
    assert listening.ended() == 0
    assert listening.stdout.labels() == ["Dog", "Cat"]
    assert listening.stderr.getvalue().splitlines() == [
        "starting: Mic with yamnet",
        "the daemon has ended",
    ]


def test_text_is_what_standard_output_shows(daemon):
    listening = Listening(daemon.uri, format="text")
    daemon.say("Dog")
    daemon.close()
    assert listening.ended() == 0
    assert re.fullmatch(r"\d\d:\d\d:22\.500  start   Dog +0\.50   -20\.0 dBFS\n", listening.stdout.getvalue())


def test_text_says_whose_a_label_is_where_the_hello_has_its_name_twice():
    daemon = Daemon(twice=["Dog"])
    listening = Listening(daemon.uri, format="text")
    daemon.say("Dog")
    daemon.close()
    assert listening.ended() == 0
    assert "Dog (doorbell)" in listening.stdout.getvalue()


def test_labels_scores_and_since_are_asked_for(daemon):
    daemon.say("Dog", "Cat", "Dog")
    before = Listening(daemon.uri, since=0)
    for _ in range(3):  # what the daemon has not taken in yet would come live, whatever its number
        before.stdout.next()
    listening = Listening(daemon.uri, labels=["dog"], min_score=0.5, since=1)
    listening.stdout.next()
    daemon.say("Cat", "Dog")
    daemon.close()
    assert listening.ended() == 0
    assert listening.stdout.labels() == ["Dog", "Dog"]


def test_status_and_loss_are_told_beside_the_events(daemon):
    listening = Listening(daemon.uri)
    daemon.dispatcher.publish(
        StatusBody(state="device_lost", source="Mic", time=None, detail="unplugged\x1b")
    )
    daemon.close()
    listening.ended()
    assert "device_lost: unplugged\\x1b\n" in listening.stderr.getvalue()
    assert listening.stdout.getvalue() == ""


def test_the_first_address_that_answers_is_taken(daemon):
    listening = Listening(nobody(), daemon.uri)
    daemon.close()
    assert listening.ended() == 0


def test_no_daemon_is_one_line():
    with pytest.raises(SinkError, match=r"no daemon answers at tcp://127.0.0.1:\d+ \(.*refused\)") as caught:
        listen([nobody()])
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


@needs_unix
def test_a_missing_unix_socket_is_one_line(tmp_path):
    with pytest.raises(SinkError, match="no daemon answers at unix://"):
        listen([f"unix://{tmp_path}/none.sock"])


def test_a_wish_that_cannot_be_granted_is_refused_before_connecting():
    with pytest.raises(SinkError, match="min_score"):
        listen([nobody()], min_score=7)
    with pytest.raises(ConfigError):
        listen(["nonsense"])


@pytest.mark.parametrize("said", [b"SSH-2.0\r\n", b"[]\n", b'{"a": 1}\n', b"\xff\n"])
def test_what_is_not_a_daemon_is_told(said):
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer, args=(server, said))
        thread.start()
        with pytest.raises(SinkError, match="is it a sound-detector"):
            listen([f"tcp://127.0.0.1:{server.getsockname()[1]}"])
        thread.join(LONG)


def test_a_daemon_that_does_not_answer_any_more_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as server:
        hello = b'{"type":"hello","seq":0,"heartbeat_seconds":0.01}\n'
        thread = threading.Thread(target=_answer, args=(server, hello))
        thread.start()
        with pytest.raises(SinkError, match="does not answer any more"):
            listen([f"tcp://127.0.0.1:{server.getsockname()[1]}"], stderr=io.StringIO())
        thread.join(LONG)


def test_ctrl_c_is_a_clean_end(daemon):
    class Interrupted(Lines):
        def write(self, text):
            raise KeyboardInterrupt

    assert listen([daemon.uri], stdout=io.StringIO(), stderr=Interrupted()) == 0


def test_a_reader_that_has_gone_is_a_clean_end(daemon):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    listening = Listening(daemon.uri, stdout=Closed())
    daemon.say("Dog")
    assert listening.ended() == 0


@needs_unix
def test_reconnect_goes_on_where_it_was_and_takes_a_new_run_from_its_start(tmp_path):
    """The daemon ends, comes back on the second try, and then as another run."""
    uri = f"unix://{tmp_path}/events.sock"
    started = queue.Queue()
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            started.put(Daemon(uri, run_id="one", says=("Dog", "Cat", "Owl")))  # two of them known already
        elif len(waits) == 3:
            started.put(Daemon(uri, run_id="two", says=("Bee",)))
        elif len(waits) == 4:
            raise KeyboardInterrupt

    first = Daemon(uri, run_id="one")
    listening = Listening(uri, reconnect=True, wait=wait)
    first.say("Dog", "Cat")
    heard = [listening.stdout.next(), listening.stdout.next()]
    first.close()
    for _ in range(2):
        daemon = started.get(timeout=LONG)
        heard.append(listening.stdout.next())
        daemon.close()
    assert listening.ended() == 0
    assert listening.stdout.labels() == ["Dog", "Cat", "Owl", "Bee"]
    assert len(heard) == 4
    assert waits == [0.5, 1.0, 0.5, 0.5]


def test_the_wait_grows_to_half_a_minute():
    assert [backoff_seconds(n) for n in (0, 1, 2, 5, 6, 1000)] == [0.5, 1.0, 2.0, 16.0, 30.0, 30.0]


@needs_unix
def test_the_example_in_the_protocol_works(tmp_path, monkeypatch, capsys):
    """It is what people start from: standard library only."""
    (code,) = re.findall(r"```python\n(.*?)```", PROTOCOL.read_text(encoding="utf-8"), re.DOTALL)
    wanted = json.loads(re.search(r'"labels": (\[.*?\])', code).group(1))[0]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    daemon = Daemon(f"unix://{tmp_path}/sound-detector/events.sock")

    def step(message):
        if message["type"] == "hello":
            daemon.say("Cat", wanted)
        else:
            daemon.close()

    space = {"step": step}
    exec(code.replace("    if message", "    step(message)\n    if message"), space)  # noqa: S102
    space["connection"].close()
    assert capsys.readouterr().out == f"2026-08-01T14:03:22.500Z {wanted} 0.5\n"


def nobody():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def _answer(server, said):
    """Say one thing, then nothing, until the other side has gone."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(said)
        while connection.recv(4096):
            pass


def test_a_label_that_is_reported_as_another_one_is_told_and_listened_for():
    daemon = Daemon(asked_labels=lambda names: AskedLabels((), {"Bark": "Dog"}, "'Bark' comes as 'Dog'"))
    try:
        listening = Listening(daemon.uri, labels=["Bark"])
        while listening.stderr.next() != "'Bark' comes as 'Dog'":
            pass
        daemon.say("Cat", "Dog")
        assert json.loads(listening.stdout.next())["label"] == "Dog"
    finally:
        daemon.close()


@pytest.mark.parametrize("more", [{}, {"reconnect": True}, {"since": 0}])
def test_a_label_that_is_not_there_ends_it_where_nothing_else_could_come(more):
    daemon = Daemon(asked_labels=lambda names: AskedLabels(tuple(names), {}, "nothing is called 'Dgo'"))
    try:
        listening = Listening(daemon.uri, labels=["Dgo"], **more)
        if not more:
            assert isinstance(listening.ended(), ConfigError)
            assert "nothing is called 'Dgo'" in str(listening.result)
        else:
            while listening.stderr.next() != "nothing is called 'Dgo'":
                pass
            assert listening.thread.is_alive()
    finally:
        daemon.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another")
def test_who_may_not_connect_is_told_who_may(tmp_path):
    tmp_path.chmod(0o700)
    os.seteuid(1234)
    try:
        with pytest.raises(SinkError, match=r"Permission denied\); only its owner and its group may connect"):
            connect([UnixAddress(str(tmp_path / "events.sock"))], NOTHING)
    finally:
        os.seteuid(0)
