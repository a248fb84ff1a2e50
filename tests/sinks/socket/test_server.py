"""The event socket over real connections: nobody waits for anybody, and every fault is told."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from detector.errors import ConfigError, SinkError, VerdictError
from detector.events.labels import AskedLabels
from detector.records import Label
from detector.sinks.socket.feed import Feed
from detector.sinks.socket.hub import Hub
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.sinks.socket.server import SocketSink
from detector.sinks.socket.verdict_desk import VerdictDesk
from detector.wire.access import Access, Keys
from detector.wire.address import TcpAddress, parse_address
from detector.wire.encoding import encode
from detector.wire.message import ReportBody, StatusBody, VerdictBody
from tests.support.event_socket import Client, hello, write
from tests.support.fakes import LONG, wait_until
from tests.support.wire_messages import make_message

CAT = Label("Cat", "/m/01yrx", "yamnet")

needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this platform")


def arrived(sink, *numbers):
    """Write, and wait until the server has taken it in."""
    write(sink, *numbers)
    with Client(sink, {"since": numbers[-1] - 1}) as client:
        assert client.seqs(1) == [numbers[-1]]


def test_hello_comes_first_and_says_where_things_stand(serve):
    sink = serve(heartbeat_seconds=7)
    sink.write(encode(StatusBody(state="listening", source="Mic", time=None)))
    arrived(sink, 1, 2, 3)
    with Client(sink) as client:
        said = client.hello
    assert list(said) == list(json.loads(encode(hello()).line))
    assert {key: said[key] for key in ("type", "state", "oldest_seq", "seq", "heartbeat_seconds")} == {
        "type": "hello",
        "state": "listening",
        "oldest_seq": 1,
        "seq": 3,
        "heartbeat_seconds": 7,
    }
    assert said["time"]


def test_without_a_request_everything_comes(serve):
    sink = serve()
    with Client(sink) as one, Client(sink) as other:
        write(sink, 1, 2)
        sink.write(encode(StatusBody(state="muted", source="Mic", time=None)))
        for client in (one, other):
            assert client.seqs(2) == [1, 2]
            assert client.read()["state"] == "muted"


def test_events_wait_for_the_request(serve):
    """What is published between hello and request is filtered and not sent twice."""
    sink = serve(request_seconds=LONG)
    with Client(sink) as client:
        write(sink, 1, label=CAT)
        arrived(sink, 2, 3)
        client.send({"labels": ["dog"], "since": 0})
        write(sink, 4, label=CAT)
        write(sink, 5)
        assert client.seqs(3) == [2, 3, 5]


def test_labels_and_scores_filter_and_status_always_comes(serve):
    sink = serve(request_seconds=LONG)
    with Client(sink, {"labels": ["/M/01YRX"], "min_score": 0.5}) as client:
        write(sink, 1)
        write(sink, 2, label=CAT, top_score=0.4)
        write(sink, 3, label=CAT, top_score=0.5)
        sink.write(encode(StatusBody(state="muted", source="Mic", time=None)))
        assert client.seqs(1) == [3]
        assert client.read()["type"] == "status"


def test_since_replays_what_is_remembered_and_goes_on_without_a_seam(serve):
    sink = serve(request_seconds=LONG, backlog_length=50)
    arrived(sink, *range(1, 101))
    feeder = threading.Thread(target=write, args=(sink, *range(101, 141)))
    feeder.start()
    with Client(sink, {"since": 80}) as client:
        assert client.hello["oldest_seq"] <= 100
        feeder.join(LONG)
        seqs = client.seqs(1)
        while seqs[-1] < 140:
            seqs += client.seqs(1)
    assert seqs == list(range(seqs[0], 141))
    assert seqs[0] >= 81


@pytest.mark.parametrize(
    ("request_line", "fault"),
    [
        (b"GET / HTTP/1.1\r\n", "JSON object"),
        (b'{"min_score": "high"}\n', "min_score"),
        (b"x" * 5000, "at most 4096 bytes"),
        (b"x" * 1_000_000, "at most 4096 bytes"),
        (b"[" * 1_000_000 + b"\n", "at most 4096 bytes"),
        (b"\xff\x00\n", "JSON object"),
        (b"{}\n{}\n", "one line"),
    ],
)
def test_garbage_is_answered_and_disturbs_nobody_else(serve, request_line, fault):
    sink = serve(request_seconds=LONG)
    with Client(sink, b"{}\n") as good, Client(sink, request_line) as bad:
        (error,) = bad.rest()
        assert error["type"] == "error"
        assert fault in error["message"]
        write(sink, 1)
        assert good.seqs(1) == [1]


def test_half_a_line_and_the_end_is_told(serve):
    with Client(serve(request_seconds=LONG), b'{"labels"') as client:
        client.socket.shutdown(socket.SHUT_WR)
        (error,) = client.rest()
        assert "newline" in error["message"]


def test_half_a_line_alone_only_waits(serve):
    """The rest of the request may be on its way."""
    sink = serve(request_seconds=LONG)
    with Client(sink, b'{"la') as client:
        arrived(sink, 1)
        client.send(b'bels": ["dog"], "since": 0}\n')
        assert client.seqs(1) == [1]


def test_a_client_that_closes_its_side_is_let_go(serve):
    with Client(serve()) as client:
        client.socket.shutdown(socket.SHUT_WR)
        assert client.rest() == []


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1:0", "unix"])
def test_who_closes_its_side_behind_the_request_is_served(serve, path, uri):
    if uri == "unix" and not hasattr(socket, "AF_UNIX"):
        pytest.skip("no Unix sockets on this platform")
    counts = SubscriberCounts()
    sink = serve(uri if uri != "unix" else f"unix://{path}", counts=counts, heartbeat_seconds=0.05)
    with Client(sink, {"labels": ["dog"]}) as client:
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read()["type"] == "heartbeat"
        write(sink, 1)
        while (message := client.read())["type"] == "heartbeat":
            pass
        assert message["seq"] == 1
    wait_until(lambda: counts.connected == 0)  # gone altogether: a heartbeat finds out


def test_half_a_line_behind_which_the_side_is_closed_is_an_error_and_a_report_is_none(serve):
    sink = serve(report=lambda: ReportBody({"pid": 1}))
    with Client(sink, {"report": True}) as client:
        client.socket.shutdown(socket.SHUT_WR)
        assert [message["type"] for message in client.rest()] == ["report"]


def test_an_unknown_label_is_answered_with_the_nearest_and_the_rest_is_served(serve):
    def asked(names):
        unknown = [name for name in names if name != "Dog"]
        lines = [f"no label is called {name!r}; did you mean 'Dog'?" for name in unknown]
        return AskedLabels(tuple(unknown), message="; ".join(lines))

    sink = serve(asked_labels=asked)
    with Client(sink, {"labels": ["Dgo", "Dog"]}) as client:
        notice = client.read()
        assert (notice["type"], notice["unknown_labels"]) == ("notice", ["Dgo"])
        assert notice["message"] == "no label is called 'Dgo'; did you mean 'Dog'?"
        write(sink, 1)
        assert client.seqs(1) == [1]
    with Client(sink, {"labels": ["Dog"]}) as client:
        write(sink, 2)
        assert client.seqs(1) == [2]


def test_a_label_that_is_reported_as_another_one_gets_the_events_of_that_and_a_word(serve):
    text = "this daemon reports 'Bark' as 'Dog'"
    sink = serve(asked_labels=lambda names: AskedLabels((), {"Bark": "Dog"}, text))
    with Client(sink, {"labels": ["Bark"], "min_score": 0.2}) as client:
        notice = client.read()
        assert (notice["type"], notice["unknown_labels"], notice["message"]) == ("notice", [], text)
        assert notice["reported_as"] == [{"name": "Bark", "label": "Dog"}]
        write(sink, 1)
        assert client.seqs(1) == [1]


@needs_unix
def test_a_socket_whose_file_was_deleted_is_made_again(serve, path, caplog):
    sink = serve(f"unix://{path}", heartbeat_seconds=0.01)
    with Client(sink) as early:
        path.unlink()
        wait_until(path.exists)
        with Client(sink, {}) as late:
            write(sink, 1)
            for client in (early, late):
                assert 1 in iter(lambda client=client: client.read().get("seq"), None)
    assert "socket.renewed" in caplog.text


def test_who_never_reads_loses_its_oldest_and_is_told_while_others_lose_nothing(serve):
    """Far more than the kernel and the server hold for one connection."""
    sink = serve(backlog_length=100, client_buffer_bytes=4096)
    source = "x" * 2000
    total = 4000
    with Client(sink, receive_buffer=4096) as stalled, Client(sink) as reader:
        for start in range(1, total + 1, 50):
            numbers = range(start, start + 50)
            for seq in numbers:
                sink.write(make_message(seq, source=source))
            assert reader.seqs(50) == list(numbers)
        got, dropped = [], 0
        while not got or got[-1] < total:
            message = stalled.read()
            if message["type"] == "dropped":
                dropped += message["count"]
            else:
                got.append(message["seq"])
    assert got == sorted(set(got))
    assert dropped == total - len(got) > 0


def test_who_vanishes_is_forgotten(serve):
    counts = SubscriberCounts()
    sink = serve(max_clients=1, counts=counts)
    for _ in range(20):
        client = Client(sink)
        assert client.hello["type"] == "hello"
        # A reset instead of a goodbye, as when a program is killed with unread events.
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        write(sink, 1)
        client.__exit__()
        wait_until(lambda: counts.connected == 0)
    with Client(sink) as other:
        write(sink, 2)
        assert other.seqs(1) == [2]
    assert counts.refused == 0


def test_heartbeats_come(serve):
    with Client(serve(heartbeat_seconds=0.01)) as client:
        beats = [client.read() for _ in range(3)]
    assert [(beat["type"], beat["state"], beat["seq"]) for beat in beats] == [
        ("heartbeat", "starting", 0)
    ] * 3


def test_who_takes_nothing_for_long_is_let_go_and_others_are_not(serve):
    """Told by the beat; the good one hears beats only until the stalled one has gone."""
    counts = SubscriberCounts()
    sink = serve(counts=counts, heartbeat_seconds=0.01, stall_seconds=1.0, client_buffer_bytes=4096)
    with Client(sink, receive_buffer=4096) as stalled, Client(sink) as good:
        wide = make_message(1, source="x" * 60_000)
        for _ in range(200):  # more than the kernel holds for a connection
            sink.write(wide)
        assert counts.connected == 2
        wait_until(lambda: good.read() is not None and counts.connected == 1)
        write(sink, 7)
        while good.read()["seq"] != 7:
            pass
        with contextlib.suppress(ConnectionResetError):
            while stalled.socket.recv(1 << 20):
                pass


def test_what_slow_subscribers_lose_is_counted(serve):
    counts = SubscriberCounts()
    sink = serve(counts=counts, backlog_length=10, request_seconds=LONG)
    with Client(sink) as late:
        arrived(sink, *range(1, 51))
        late.send({})
        assert late.read()["count"] == 40
    assert counts.dropped == 40


def answer_verdict(line):
    """As a daemon that knows one event."""
    if line.id == "run-9":
        raise VerdictError("there is no event 'run-9'")
    return VerdictBody(
        id="run-1",
        label="Dog",
        said=line.said or None,
        replaced=None,
        fell_out=None,
        on_label=1,
        taken_back=len(line.forget),
        message="stored",
        time=None,
    )


def test_a_verdict_is_answered_and_ends_the_connection(serve):
    sink = serve(verdict_desk=VerdictDesk(answer_verdict, is_open=True), request_seconds=LONG)
    with Client(sink) as other, Client(sink, {"verdict": {"id": "last", "said": "wrong"}}) as client:
        (answer,) = client.rest()
        assert (answer["type"], answer["id"], answer["said"]) == ("verdict", "run-1", "wrong")
        other.send({})
        write(sink, 1)
        assert other.seqs(1) == [1]
    with Client(sink, {"verdict": {"forget": "all"}}) as client:
        assert client.rest()[0]["said"] is None


@pytest.mark.parametrize(
    ("desk", "id", "words"),
    [
        (VerdictDesk(answer_verdict, is_open=False), "run-1", "this socket takes none"),
        (VerdictDesk(None, is_open=True), "run-1", "keeps no history"),
        (VerdictDesk(answer_verdict, is_open=True), "run-9", "there is no event 'run-9'"),
    ],
)
def test_a_verdict_that_is_not_taken_is_told(serve, desk, id, words):
    sink = serve(verdict_desk=desk, request_seconds=LONG)
    with Client(sink, {"verdict": {"id": id, "said": "wrong"}}) as client:
        (answer,) = client.rest()
        assert answer["type"] == "error" and words in answer["message"]


def test_a_subscriber_that_leaves_before_the_answer_harms_nobody(serve):
    free = threading.Event()

    def slow(line):
        assert free.wait(LONG)
        return answer_verdict(line)

    sink = serve(verdict_desk=VerdictDesk(slow, is_open=True), request_seconds=LONG)
    with Client(sink, {"verdict": {"id": "last", "said": "wrong"}}):
        pass
    free.set()
    with Client(sink, {"verdict": {"id": "last", "said": "right"}}) as client:
        assert client.rest()[0]["said"] == "right"


def test_a_verdict_behind_which_the_side_is_closed_is_answered(serve):
    """As `echo '{"verdict": ...}' | socat - UNIX-CONNECT:PATH` does."""
    sink = serve(verdict_desk=VerdictDesk(answer_verdict, is_open=True), request_seconds=LONG)
    with Client(sink, {"verdict": {"id": "last", "said": "wrong"}}) as client:
        client.socket.shutdown(socket.SHUT_WR)
        assert [message["type"] for message in client.rest()] == ["verdict"]


def test_a_verdict_of_two_lines_is_refused(serve):
    line = b'{"verdict": {"id": "last", "said": "wrong"}}\n'
    sink = serve(verdict_desk=VerdictDesk(answer_verdict, is_open=True), request_seconds=LONG)
    with Client(sink, line + line) as client:
        assert [message["type"] for message in client.rest()] == ["error"]


def test_a_report_is_given_for_the_asking_and_ends_the_connection(serve):
    sink = serve(report=lambda: ReportBody({"uptime_seconds": 7}), request_seconds=LONG)
    with Client(sink) as other, Client(sink, {"report": True}) as client:
        assert client.rest() == [{"type": "report", "uptime_seconds": 7, "schema": 1}]
        other.send({})
        write(sink, 1)
        assert other.seqs(1) == [1]


def test_where_there_is_no_report_it_is_told(serve):
    with Client(serve(request_seconds=LONG), {"report": True}) as client:
        (error,) = client.rest()
        assert "no report" in error["message"]


def test_one_too_many_is_refused_with_a_reason(serve):
    counts = SubscriberCounts()
    sink = serve(max_clients=2, counts=counts)
    with Client(sink) as first, Client(sink):
        with Client(sink) as third:
            assert third.hello["type"] == "error"
            assert "too many" in third.hello["message"]
            assert third.rest() == []
        assert (counts.connected, counts.refused) == (2, 1)
        write(sink, 1)
        assert first.seqs(1) == [1]


def test_closing_sends_what_is_left_even_to_those_who_still_wait(serve):
    sink = serve(request_seconds=LONG)
    with Client(sink) as waiting, Client(sink, {}) as asked:
        write(sink, 1, 2)
        sink.close()
        assert [message["seq"] for message in waiting.rest()] == [1, 2]
        assert [message["seq"] for message in asked.rest()] == [1, 2]


@needs_unix
def test_closing_waits_for_a_subscriber_that_still_reads(serve, path):
    """What is left is more than the kernel holds for a connection."""
    sink = serve(f"unix://{path}")
    with Client(sink) as client:
        for seq in range(1, 31):
            sink.write(make_message(seq, source="x" * 60_000))
        closing = threading.Thread(target=sink.close)
        closing.start()
        assert [message["seq"] for message in client.rest()] == list(range(1, 31))
        closing.join(LONG)


def test_what_follows_within_a_moment_is_sent_a_moment_later():
    """The second message finds the lines of the first just sent: it must not wait for a third one."""

    async def publish_twice(listening):
        feed = Feed(
            ServerLimits(request_seconds=0),
            hello=hello,
            report=None,
            utc=lambda: 0.0,
            counts=SubscriberCounts(),
        )
        hub = Hub(feed, Keys)
        serving = asyncio.create_task(hub.serve(listening, lambda: None))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        await reader.readline()
        await asyncio.sleep(0)
        for seq in (1, 2):
            hub.publish([make_message(seq)])
        async with asyncio.timeout(LONG):
            seqs = [json.loads(await reader.readline())["seq"] for _ in range(2)]
        writer.close()
        await writer.wait_closed()
        hub.stop()
        await serving
        return seqs

    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert asyncio.run(publish_twice(listening)) == [1, 2]


def test_many_subscribers_share_the_work(serve):
    sink = serve()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(sink)) for _ in range(60)]
        write(sink, *range(1, 301))
        assert all(client.seqs(300) == list(range(1, 301)) for client in clients)


def test_a_server_that_has_ended_refuses_messages(serve):
    sink = serve()
    sink.close()
    with pytest.raises(SinkError, match="does not take"):
        write(sink, 1)


def test_a_burst_longer_than_the_history_waits_for_the_servers_thread(serve):
    sink = serve(backlog_length=2)
    write(sink, *range(1, 500))  # raises where a message is not taken within a second
    with Client(sink, {"since": 497}) as client:
        assert client.seqs(2) == [498, 499]


def test_the_real_port_is_told(serve):
    sink = serve()
    address = parse_address(sink.uri)
    assert isinstance(address, TcpAddress)
    assert address.port > 0


def test_a_port_in_use_is_refused(serve):
    with pytest.raises(SinkError, match=r"in use .*: sound-detector listen tcp://127\.0\.0\.1:\d+$"):
        serve(serve().uri)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "[::]"])  # noqa: S104
def test_tcp_stays_on_this_machine(serve, host):
    with pytest.raises(SinkError, match="token"):
        serve(f"tcp://{host}:0")


def test_an_address_of_another_form_is_a_fault_of_the_settings():
    with pytest.raises(ConfigError):
        SocketSink("ftp://x", hello=hello)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "events.sock"


@needs_unix
def test_the_unix_socket_is_for_owner_and_group_and_goes_at_the_end(serve, path):
    sink = serve(f"unix://{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o027 == 0
    with Client(sink) as client:
        write(sink, 1)
        assert client.seqs(1) == [1]
    sink.close()
    assert not path.exists()


@needs_unix
def test_the_unix_socket_and_its_new_folders_are_given_to_a_group(serve, path):
    import grp

    known = {group.gr_gid for group in grp.getgrall()}
    mine = known if os.getuid() == 0 else known & {os.getgid(), *os.getgroups()}
    group = grp.getgrgid(max(mine))
    serve(f"unix://{path}", access=Access(group=group.gr_name))
    assert path.stat().st_gid == path.parent.stat().st_gid == group.gr_gid
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@needs_unix
def test_a_group_that_is_not_there_is_told_and_nothing_stays_behind(serve, path):
    with pytest.raises(SinkError, match="there is no such group"):
        serve(f"unix://{path}", access=Access(group="nobody-of-this-name"))
    assert not path.exists()


@needs_unix
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may give to any group")
def test_a_group_one_does_not_belong_to_is_told_and_nothing_stays_behind(serve, path):
    import grp

    others = (group.gr_name for group in grp.getgrall() if group.gr_gid not in os.getgroups())
    with pytest.raises(SinkError, match="cannot be given"):
        serve(f"unix://{path}", access=Access(group=next(others)))
    assert not path.exists()


@needs_unix
def test_a_live_neighbour_keeps_its_socket(serve, path):
    first = serve(f"unix://{path}")
    with pytest.raises(SinkError, match=rf"in use: .*`sound-detector listen unix://{path}` shows its events"):
        serve(f"unix://{path}")
    with pytest.raises(
        SinkError, match=r"in use: .*`sound-detector listen` shows .*: --sink socket:unix://PATH"
    ):
        SocketSink(f"unix://{path}", hello=hello, is_default=True).open()
    with Client(first) as client:
        assert client.hello["type"] == "hello"


@needs_unix
def test_a_dead_neighbours_socket_is_taken_over(serve, path):
    path.parent.mkdir()
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r}); s.listen()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert path.is_socket()
    with Client(serve(f"unix://{path}")) as client:
        assert client.hello["type"] == "hello"


@needs_unix
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_not_a_socket_is_never_removed(serve, path, kind):
    path.parent.mkdir()
    if kind == "file":
        path.write_text("precious")
    elif kind == "link":
        path.symlink_to("elsewhere")
    else:
        path.mkdir()
    with pytest.raises(SinkError, match="not a socket"):
        serve(f"unix://{path}")
    assert os.path.lexists(path)


@needs_unix
def test_a_socket_that_is_no_longer_ours_stays(serve, path):
    sink = serve(f"unix://{path}")
    path.unlink()
    other = serve(f"unix://{path}")
    sink.close()
    with Client(other) as client:
        assert client.hello["type"] == "hello"


@needs_unix
@pytest.mark.parametrize("name", ["x" * 200, "file/events.sock"])
def test_an_impossible_path_is_one_line(serve, tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be made") as caught:
        serve(f"unix://{tmp_path / name}")
    assert "\n" not in str(caught.value)


@needs_unix
def test_a_relative_path_works(serve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = serve("unix://events.sock")
    with Client(sink) as client:
        assert client.hello["type"] == "hello"
    assert Path("events.sock").is_socket()


@needs_unix
def test_a_default_folder_that_others_may_write_to_is_refused_and_one_that_was_named_is_not(tmp_path):
    folder = tmp_path / "sound-detector-7"
    folder.mkdir()
    folder.chmod(0o777)
    uri = f"unix://{folder}/events.sock"
    with pytest.raises(SinkError, match="the socket could be theirs; remove"):
        SocketSink(uri, hello=hello, is_default=True).open()
    assert list(folder.iterdir()) == []
    sink = SocketSink(uri, hello=hello)
    sink.open()
    sink.close()
