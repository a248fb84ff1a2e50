"""The way in: nothing is said before the token, and a crowd outside is not noticed inside."""

import asyncio
import contextlib
import errno
import json
import re
import socket
import ssl
import sys
import threading

import pytest

from detector.errors import SinkError
from detector.sinks.socket.acceptor import REMIND_SECONDS, Acceptor, PendingConnection, enable_keepalive
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.sinks.socket.server import SocketSink
from detector.subscriber.client import Credentials, connect, messages, send
from detector.wire.access import Access, Keys, read_keys
from detector.wire.address import parse_address
from detector.wire.message import HelloBody
from tests.support.fakes import LONG, wait_until
from tests.support.wire_messages import make_message

TOKEN = b"0123456789abcdef0123456789abcdef"
SHOWN = b'{"token": "' + TOKEN + b'"}\n'


def hello():
    return HelloBody(version="0", model="yamnet", labels=("Dog",), source="Mic", run_id="run")


class Server:
    """A socket on loopback, guarded by what the test asks for."""

    def __init__(self, access, limits, host="127.0.0.1"):
        self.counts = SubscriberCounts()
        usual = {"request_seconds": 0, "entry_seconds": LONG, "refusal_seconds": 0}
        self.sink = SocketSink(
            f"tcp://{host}:0",
            hello=hello,
            access=access,
            limits=ServerLimits(**(usual | limits)),
            counts=self.counts,
        )
        self.sink.open()
        self.port = parse_address(self.sink.uri).port

    def say(self, *numbers):
        for seq in numbers:
            self.sink.write(make_message(seq))


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_bytes(TOKEN)
    path.chmod(0o600)
    return path


@pytest.fixture
def start(token_file):
    """Start a server that wants the token, and TLS where a folder with keys is given."""
    with contextlib.ExitStack() as stack:

        def start(keys=None, **limits):
            pair = (
                {} if keys is None else {"certificate": f"{keys}/certificate.pem", "key": f"{keys}/key.pem"}
            )
            server = Server(Access(token_file=str(token_file), **pair), limits)
            stack.callback(server.sink.close)
            return server

        yield start


class Client:
    """A raw connection with a deadline."""

    def __init__(self, server, *said):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=LONG)
        self.lines = self.socket.makefile("rb")
        for data in said:
            self.socket.sendall(data)

    def read(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def rest(self):
        return list(iter(self.read, None))

    def has_been_told_nothing(self):
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(1)
        return True

    def is_cut_off(self):
        with contextlib.suppress(ConnectionResetError):
            return self.socket.recv(1) == b""
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()


def known(server, **options):
    """Somebody who knows the token, past the hello."""
    client = Client(server, SHOWN)
    assert client.read()["type"] == "hello"
    return client


def test_nothing_is_said_before_the_token(start):
    server = start()
    with Client(server) as stranger, known(server) as friend:
        server.say(1)
        assert friend.read()["seq"] == 1
        assert stranger.has_been_told_nothing()


@pytest.mark.parametrize("cuts", [(), (5,), (len(SHOWN) - 1,), (len(SHOWN),), (len(SHOWN) + 3,)])
def test_the_token_then_everything_is_as_without_one(start, cuts):
    """However the bytes are cut."""
    server = start(request_seconds=LONG)
    server.say(1, 2, 3)
    said = SHOWN + b'{"since": 1}\n'
    ends = [*cuts, len(said)]
    with Client(server, *(said[a:b] for a, b in zip([0, *ends], ends, strict=False))) as client:
        assert client.read()["type"] == "hello"
        assert [client.read()["seq"] for _ in range(2)] == [2, 3]


class Handed(asyncio.Protocol):
    """What takes a connection over; keeps what it receives."""

    def __init__(self):
        self.transport = None
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data


def test_a_token_that_comes_byte_by_byte_is_waited_for():
    class Silent(asyncio.Transport):
        def set_protocol(self, protocol):
            assert protocol is handed

    transport, handed = Silent(), Handed()

    async def receive(said):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            acceptor = Acceptor(
                listening,
                ServerLimits(),
                keys=lambda: Keys(TOKEN),
                make_protocol=lambda: handed,
                error_line=str.encode,
                counts=SubscriberCounts(),
            )
            pending = PendingConnection(acceptor, "")
            pending.connection_made(transport)
            for byte in said[:-1]:
                pending.data_received(bytes([byte]))
            assert handed.transport is None
            pending.data_received(said[-1:] + b"{}\n")

    asyncio.run(receive(SHOWN))
    assert (handed.transport, handed.received) == (transport, b"{}\n")


class Ended(asyncio.Transport):
    """Keeps what is written, and whether more is read."""

    def __init__(self):
        super().__init__()
        self.written, self.is_read = [], True

    def pause_reading(self):
        self.is_read = False

    def resume_reading(self):
        self.is_read = True

    def write(self, data):
        self.written.append(data)

    def can_write_eof(self):
        return False

    def close(self):
        self.is_read = False


def test_a_wrong_token_is_refused_once_and_nothing_behind_it_is_read():
    """Neither the right token counts any more, nor the time in which one had to come."""
    transport, handed, counts = Ended(), Handed(), SubscriberCounts()

    async def receive():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            acceptor = Acceptor(
                listening,
                ServerLimits(entry_seconds=0.0, refusal_seconds=0.0),
                keys=lambda: Keys(TOKEN),
                make_protocol=lambda: handed,
                error_line=str.encode,
                counts=counts,
            )
            pending = PendingConnection(acceptor, "")
            pending.connection_made(transport)
            pending.data_received(WRONG[0])
            assert not transport.is_read
            pending.data_received(SHOWN)
            for _ in range(3):
                await asyncio.sleep(0)

    asyncio.run(receive())
    assert handed.transport is None
    assert counts.refused == len(transport.written) == 1


WRONG = [
    b'{"token": "' + TOKEN[:-1] + b'x"}\n',
    b'{"token": "' + TOKEN[:-1] + b'"}\n',
    b'{"token": "' + TOKEN + b'0"}\n',
    b'{"token": ""}\n',
    b'{"token": 1}\n',
    b'{"token": "\\ud800"}\n',
    b'{"token": "' + TOKEN + b'", "since": 0}\n',
    b'{"since": 0}\n' + SHOWN,
    b"GET / HTTP/1.1\r\nAuthorization: " + TOKEN + b"\r\n\r\n",
    b"\n",
    b"\xff\xfe\n",
    b"[" * 5000,
    b"x" * 100_000,
]


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_token_gets_the_same_answer_whatever_it_was(start, said):
    server = start()
    with Client(server, said) as client:
        (error,) = client.rest()
    assert error["type"] == "error"
    assert error["message"].startswith("token: missing or wrong; expected a first line")
    assert TOKEN.decode() not in error["message"]
    assert server.counts.refused == 1


def test_who_says_nothing_in_time_is_sent_away(start):
    with Client(start(entry_seconds=0.01)) as client:
        (error,) = client.rest()
    assert error["type"] == "error"


def test_refusals_are_logged_with_their_address_once_in_a_while_and_without_what_was_said(start, caplog):
    server = start()
    for _ in range(20):
        with Client(server, WRONG[0]) as client:
            client.rest()
    (line,) = [message for message in caplog.messages if message.startswith("socket.refused")]
    assert "peer=127.0.0.1 count=1 " in line
    assert TOKEN[:8].decode() not in caplog.text
    assert server.counts.refused == 20


def test_a_line_about_refusals_counts_those_since_the_line_before(caplog):
    class Loop(asyncio.SelectorEventLoop):
        now = 0.0

        def time(self):
            return self.now

    async def refuse():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            acceptor = Acceptor(
                listening,
                ServerLimits(),
                keys=Keys,
                make_protocol=Taken,
                error_line=str.encode,
                counts=SubscriberCounts(),
            )
            for seconds in (0.0, 1.0, REMIND_SECONDS - 2.0, 1.0, REMIND_SECONDS):
                loop.now += seconds
                acceptor.refuse("192.0.2.1", "no token")

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(refuse())
    assert [re.search(r"count=(\d+)", line)[1] for line in caplog.messages] == ["1", "3", "1"]


def test_pending_connections_from_one_address_are_few(start):
    server = start(max_pending_per_host=3)
    with known(server) as friend, contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Client(server)) for _ in range(8)]
        assert all(early.is_cut_off() for early in crowd[:5])
        server.say(1)
        assert friend.read()["seq"] == 1
        assert all(late.has_been_told_nothing() for late in crowd[5:])
    assert server.counts.refused == 5


def test_silent_connections_from_its_own_address_do_not_lock_a_subscriber_out(start):
    server = start(max_pending_per_host=3)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Client(server))
        subscriber = stack.enter_context(Client(server, SHOWN))
        assert subscriber.read()["type"] == "hello"


def test_when_many_connections_are_pending_the_oldest_goes(start):
    """Those who know the token are quick: they are never the oldest for long."""
    server = start(max_pending=2, max_pending_per_host=100)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Client(server)) for _ in range(6)]
        stack.enter_context(known(server))
        assert all(early.is_cut_off() for early in crowd[:5])


def test_a_connection_beyond_both_limits_sends_one_away(start):
    server = start(max_pending=2, max_pending_per_host=2)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Client(server)) for _ in range(6)]
        assert all(early.is_cut_off() for early in crowd[:4])
        assert all(late.has_been_told_nothing() for late in crowd[4:])
        assert server.counts.refused == 4


def test_the_end_cuts_pending_connections_off(start):
    server = start()
    with Client(server) as pending, known(server):
        server.sink.close()
        assert pending.is_cut_off()


def test_a_pending_connection_that_goes_makes_room(start):
    server = start(max_pending_per_host=1)
    for _ in range(10):
        Client(server).__exit__()

    def is_let_in():
        with contextlib.suppress(ConnectionError), Client(server, SHOWN) as client:
            return client.read() is not None

    wait_until(is_let_in)


class Taken(asyncio.Protocol):
    """What takes a connection over, and says so."""

    def connection_made(self, transport):
        transport.write(b"taken\n")


class Exhausted(socket.socket):
    """A listening socket that cannot accept at first, as where file descriptors have run out."""

    left = 1

    def accept(self):
        if self.left:
            self.left -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def first_line(listening, make_protocol, counts):
    """What a client gets from the protocol that takes its connection over."""
    acceptor = Acceptor(
        listening,
        ServerLimits(),
        keys=Keys,
        make_protocol=make_protocol,
        error_line=str.encode,
        counts=counts,
    )
    accepting = asyncio.create_task(acceptor.accept())
    async with asyncio.timeout(LONG):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        line = await reader.readline()
    accepting.cancel()
    writer.close()
    await writer.wait_closed()
    return line


def test_a_failed_accept_is_counted_and_tried_again(caplog):
    counts = SubscriberCounts()
    with Exhausted() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert asyncio.run(first_line(listening, Taken, counts)) == b"taken\n"
    assert counts.refused == 1
    assert "reason='accept: Too many open files'" in caplog.text


def test_a_tcp_connection_is_watched_by_the_kernel():
    class Watched(asyncio.Protocol):
        def connection_made(self, transport):
            connection = transport.get_extra_info("socket")
            transport.write(b"%d\n" % connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert asyncio.run(first_line(listening, Watched, SubscriberCounts())) == b"1\n"


def test_a_connection_that_comes_with_the_end_is_closed_and_not_counted_as_refused():
    """The loop stops in the turn that accepts it: the end cancels its set-up before that has begun."""
    counts, loop = SubscriberCounts(), asyncio.new_event_loop()

    def keys():
        loop.stop()
        return Keys()

    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), timeout=LONG) as client,
        contextlib.closing(loop),
    ):
        acceptor = Acceptor(
            listening, ServerLimits(), keys=keys, make_protocol=Taken, error_line=str.encode, counts=counts
        )
        loop.create_task(acceptor.accept())
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks))
        assert client.recv(1) == b""
    assert counts.refused == 0


def test_a_new_token_holds_from_now_on_and_a_bad_file_changes_nothing(start, token_file):
    server = start()
    with known(server) as before:
        token_file.write_bytes(TOKEN[::-1])
        server.sink.reopen()
        with Client(server, SHOWN) as old, Client(server, b'{"token": "' + TOKEN[::-1] + b'"}\n') as new:
            assert old.read()["type"] == "error"
            assert new.read()["type"] == "hello"
        token_file.write_bytes(b"short")
        with pytest.raises(SinkError, match="16 to 1024"):
            server.sink.reopen()
        with Client(server, b'{"token": "' + TOKEN[::-1] + b'"}\n') as new:
            assert new.read()["type"] == "hello"
        server.say(1)
        assert before.read()["seq"] == 1


def test_a_token_where_none_is_wanted_is_a_mistake_that_is_told():
    server = Server(Access(), {"request_seconds": LONG})
    with contextlib.closing(server.sink), Client(server, SHOWN) as client:
        _, error = client.rest()
    assert "no token" in error["message"]
    assert TOKEN.decode() not in error["message"]


# A connection that is being accepted when the server ends is closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flood_of_every_kind_is_not_noticed_inside(start, keys):
    """Garbage, half handshakes, resets and silence, while a subscriber gets every event."""
    server = start(keys, entry_seconds=LONG, max_pending_per_host=8)
    said = [
        b"",
        b"\x16\x03\x01",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 9000,
    ]
    stop = threading.Event()

    def flood():
        n = 0
        while not stop.is_set():
            n += 1
            with contextlib.suppress(OSError), Client(server, said[n % len(said)]) as client:
                if n % 3:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    threads = [threading.Thread(target=flood) for _ in range(3)]
    with friend(server, keys) as connection:
        heard = messages(connection)
        assert next(heard).kind == "hello"
        for thread in threads:
            thread.start()
        for start_seq in range(1, 3001, 100):
            numbers = list(range(start_seq, start_seq + 100))
            server.say(*numbers)
            assert [next(heard).seq for _ in numbers] == numbers
        stop.set()
        for thread in threads:
            thread.join(LONG)
    assert server.counts.refused > 0


def friend(server, keys, **changes):
    """A verified TLS connection with the token shown."""
    shown = {"token_file": f"{keys}/token", "ca": f"{keys}/certificate.pem"} | changes
    return connect([parse_address(f"tls://localhost:{server.port}")], Credentials(**shown))


@pytest.fixture
def tls(start, keys, token_file):
    """A server with TLS that wants the token of the keys' folder."""
    token_file.write_bytes((keys / "token").read_bytes())
    return start(keys)


@pytest.fixture
def tls_of_one(start, keys, token_file):
    """The same, of which one connection from each address may be pending."""
    token_file.write_bytes((keys / "token").read_bytes())
    return start(keys, max_pending_per_host=1, entry_seconds=3 * LONG)


def test_tls_and_token_lead_to_the_hello(tls, keys):
    with friend(tls, keys) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
        heard = messages(connection)
        assert next(heard).kind == "hello"
        tls.say(1)
        assert next(heard).seq == 1
        tls.sink.close()
        assert list(heard) == []


def test_failed_handshakes_make_room(tls_of_one, keys):
    for count in range(1, 4):
        with Client(tls_of_one, b"GET / HTTP/1.1\r\n\r\n") as client:
            assert client.is_cut_off()
        wait_until(lambda count=count: tls_of_one.counts.refused == count)
    with friend(tls_of_one, keys) as connection:
        assert next(messages(connection)).kind == "hello"


def test_a_handshake_that_does_not_come_makes_room(tls_of_one, keys):
    with Client(tls_of_one) as silent, friend(tls_of_one, keys) as connection:
        assert next(messages(connection)).kind == "hello"
        assert silent.is_cut_off()


def test_the_end_gives_a_handshake_its_moment(keys):
    tls = Keys(tls=read_keys(Access(certificate=f"{keys}/certificate.pem", key=f"{keys}/key.pem")).tls)
    trusting = ssl.create_default_context(cafile=f"{keys}/certificate.pem")

    async def last_words():
        received = asyncio.Event()

        def keys_once_received():
            received.set()
            return tls

        with socket.create_server(("127.0.0.1", 0)) as listening:
            acceptor = Acceptor(
                listening,
                ServerLimits(),
                keys=keys_once_received,
                make_protocol=Taken,
                error_line=str.encode,
                counts=SubscriberCounts(),
            )
            accepting = asyncio.create_task(acceptor.accept())
            with socket.create_connection(listening.getsockname()) as connection:
                async with asyncio.timeout(LONG):
                    await received.wait()
                    accepting.cancel()
                    closing = asyncio.create_task(acceptor.close(LONG))
                    await asyncio.sleep(0)  # the end has begun, and the handshake has not
                    connection.setblocking(False)
                    reader, writer = await asyncio.open_connection(
                        sock=connection, ssl=trusting, server_hostname="localhost"
                    )
                    await closing
                    line = await reader.readline()
                    writer.transport.abort()
                    return line

    assert asyncio.run(last_words()) == b"taken\n"


def test_a_bad_request_over_tls_is_answered(tls, keys):
    with friend(tls, keys) as connection:
        send(connection, {"min_score": 7})
        assert [message.kind for message in messages(connection)] == ["hello", "error"]


def test_a_certificate_that_nobody_vouches_for_is_refused_and_no_token_sent(tls, keys):
    with pytest.raises(SinkError, match=r"cannot be verified.*--ca"):
        friend(tls, keys, ca=None)
    with friend(tls, keys, ca=None, insecure=True) as connection:
        assert next(messages(connection)).kind == "hello"


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is loopback on Linux alone")
def test_a_certificate_for_another_name_is_refused(keys):
    access = Access(None, f"{keys}/token", f"{keys}/certificate.pem", f"{keys}/key.pem")
    credentials = Credentials(token_file=f"{keys}/token", ca=f"{keys}/certificate.pem")
    server = Server(access, {}, host="127.0.0.2")
    with contextlib.closing(server.sink), pytest.raises(SinkError, match="cannot be verified"):
        connect([parse_address(server.sink.uri)], credentials)


def test_plain_words_to_a_tls_socket_are_cut_off_and_explained(tls, keys):
    address = parse_address(f"tcp://127.0.0.1:{tls.port}")
    with (
        connect([address], Credentials(f"{keys}/token")) as connection,
        pytest.raises(SinkError, match="tls://"),
    ):
        list(messages(connection))


def test_tls_to_a_plain_socket_is_explained(start, keys):
    server = start(entry_seconds=LONG)
    with pytest.raises(SinkError, match=r"no TLS.*tcp://"):
        friend(server, keys)


def test_half_a_handshake_is_cut_off(start, keys):
    with Client(start(keys, entry_seconds=0.05), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc") as client:
        assert client.is_cut_off()


def test_a_token_is_not_sent_in_the_clear_to_another_machine(token_file):
    with pytest.raises(SinkError, match="unencrypted"):
        connect([parse_address("tcp://192.0.2.1:1")], Credentials(str(token_file)))


def test_the_kernel_watches_tcp_connections():
    with socket.socket() as connection:
        enable_keepalive(connection, ServerLimits(heartbeat_seconds=30, stall_seconds=600))
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 600_000
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
