"""Subscribers that watch a source: each gets the newest, a slow one loses, and nobody else notices."""

import asyncio
import threading

import pytest

from detector.sinks.live_taps import LiveTaps
from detector.sinks.socket.limits import SubscriberCounts
from detector.sinks.socket.socket_settings import SocketSettings
from detector.sinks.socket.watching import MOST_WAITING, Watching
from detector.wire.encoding import encode
from detector.wire.live_bodies import SoundBody, SpectrogramBody
from detector.wire.message import StatusBody
from tests.support.event_socket import Client, write
from tests.support.fakes import LONG, wait_until

ASKED = {"spectrogram": {"source": "porch"}}


def picture(number, size=128):
    """A message whose level is its number."""
    return encode(
        SpectrogramBody(
            source="porch",
            level_dbfs=float(number),
            bands=64,
            columns=2,
            low_hertz=50.0,
            high_hertz=8000.0,
            columns_per_second=20,
            data="A" * size,
            time=None,
        )
    )


@pytest.fixture
def live():
    taps = LiveTaps()
    taps.add(lambda: "porch")
    taps.add(lambda: "yard")
    return taps


def watched(live, source="porch"):
    return live.find(source).is_watched("spectrogram")


def all_watch(sink, *clients):
    """Wait until the requests of all were read: nothing is sent before, if the server waits for them."""
    sink.write(encode(StatusBody(state="paused", source="porch", time=None)))
    for client in clients:
        assert client.read()["type"] == "status"


def test_a_watcher_gets_columns_and_status_and_others_get_events_alone(serve, live):
    sink = serve(live=live)
    with Client(sink) as other, Client(sink, ASKED) as client:
        wait_until(lambda: watched(live))
        assert not watched(live, "yard")
        write(sink, 1)
        sink.write(encode(StatusBody(state="paused", source="porch", time=None)))
        assert client.read()["type"] == "status"
        live.find("porch").give("spectrogram", picture(7))
        assert client.read()["level_dbfs"] == 7.0
        write(sink, 2)
        assert [other.read()["type"] for _ in range(3)] == ["start", "status", "start"]


def test_without_a_name_the_first_source_is_watched(serve, live):
    sink = serve(live=live)
    with Client(sink, {"spectrogram": {}}):
        wait_until(lambda: watched(live))


def test_who_goes_watches_no_more_and_the_last_one_ends_the_work(serve, live):
    sink = serve(live=live, request_seconds=LONG)
    with Client(sink, ASKED) as stays:
        with Client(sink, ASKED) as goes:
            all_watch(sink, stays, goes)
            live.find("porch").give("spectrogram", picture(1))
            assert goes.read()["level_dbfs"] == stays.read()["level_dbfs"] == 1.0
        live.find("porch").give("spectrogram", picture(2))
        assert stays.read()["level_dbfs"] == 2.0
        assert watched(live)
    wait_until(lambda: not watched(live))


def test_the_end_of_the_socket_ends_the_watching(serve, live):
    sink = serve(live=live)
    with Client(sink, ASKED):
        wait_until(lambda: watched(live))
        sink.close()
        assert not watched(live)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"spectrogram": {"source": "cellar"}}, "'porch', 'yard', got 'cellar'"),
        ({"spectrogram": {"source": "\x1b[31m" * 300}}, "expected the name of a source"),
        ({"spectrogram": {}, "since": 0}, "alone"),
        (b'{"spectrogram": {}}\n{"spectrogram": {}}\n', "one line for each connection"),
    ],
)
def test_what_cannot_be_watched_is_told_and_watches_nothing(serve, live, line, fault):
    sink = serve(live=live)
    with Client(sink, line) as client:
        (error,) = client.rest()
        assert error["type"] == "error"
        assert fault in error["message"]
        wait_until(lambda: not watched(live))


def test_a_program_that_hears_nothing_says_so(serve):
    with Client(serve(), ASKED) as client:
        assert "nothing that can be watched" in client.rest()[0]["message"]


def test_who_reads_nothing_loses_columns_and_others_see_the_newest(serve, live):
    """Nothing is queued: what the slow one reads at last is a little of the oldest, then the newest."""
    sink = serve(live=live, request_seconds=LONG)
    tap = live.find("porch")
    with Client(sink, ASKED, receive_buffer=2048) as slow, Client(sink, ASKED) as quick:
        all_watch(sink, slow, quick)
        for number in range(1, 301):
            tap.give("spectrogram", picture(number, size=2000))
            assert quick.read()["level_dbfs"] == number
        held = [slow.read()["level_dbfs"]]
        got = threading.Event()

        def read():
            while held[-1] < 1000.0:
                held.append(slow.read()["level_dbfs"])
            got.set()

        reader = threading.Thread(target=read)
        reader.start()
        number = 1000
        while not got.wait(0.01):
            tap.give("spectrogram", picture(number))
            assert quick.read()["level_dbfs"] == number
            number += 1
        reader.join()
    assert len(held) < 100
    assert held == sorted(held)


def test_fifty_watchers_share_one_line(serve, live):
    sink = serve(live=live, request_seconds=LONG)
    tap = live.find("porch")
    clients = [Client(sink, ASKED) for _ in range(50)]
    all_watch(sink, *clients)
    for number in range(20):
        tap.give("spectrogram", picture(number))
        assert {client.read()["level_dbfs"] for client in clients} == {float(number)}
    for client in clients:
        client.__exit__()
    wait_until(lambda: not tap.is_watched("spectrogram"))


def test_a_busy_loop_loses_the_oldest(live):
    """The daemon's thread never waits: what the loop has no time for is lost, the oldest first."""
    shown = []

    async def run():
        watching = Watching(live, SubscriberCounts(), sound=False)
        leave = watching.add("spectrogram", "", shown.append)
        lines = [picture(number) for number in range(MOST_WAITING + 5)]
        for line in lines:
            live.find("").give("spectrogram", line)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert shown == [line.line for line in lines[5:]]
        leave()
        leave()
        watching.close()

    asyncio.run(run())
    live.find("").give("spectrogram", picture(1))  # nobody is left
    assert len(shown) == MOST_WAITING


def chunk(start):
    """A message of sound."""
    return encode(
        SoundBody(source="porch", sample_rate=16000, start=start, samples=1, data="AAA=", time=None)
    )


def test_sound_goes_only_to_those_who_ask_at_a_socket_that_sends_it_and_they_are_counted(serve, live):
    counts = SubscriberCounts()
    sink = serve(live=live, sound=True, counts=counts, request_seconds=LONG)
    with Client(sink, ASKED) as sees, Client(sink, {"sound": {}}) as hears, Client(sink, {}) as other:
        all_watch(sink, sees, hears, other)
        assert counts.listening == 1
        live.find("").give("sound", chunk(5))
        live.find("").give("spectrogram", picture(6))
        write(sink, 1)
        assert hears.read()["start"] == 5
        assert sees.read()["level_dbfs"] == 6.0
        assert other.read()["seq"] == 1
    wait_until(lambda: counts.listening == 0)
    assert not live.find("").is_watched("sound")


def test_full_sound_is_counted_as_sound_is(serve, live):
    counts = SubscriberCounts()
    sink = serve(live=live, sound=True, counts=counts, request_seconds=LONG)
    with Client(sink, {"sound": {"full": True}}) as hears:
        wait_until(lambda: counts.listening == 1)
        live.find("").give("sound", chunk(4))
        live.find("").give("full sound", chunk(5))
        while (message := hears.read())["type"] != "sound":
            pass
        assert message["start"] == 5
    wait_until(lambda: counts.listening == 0)


@pytest.mark.parametrize("asked", [{"source": "porch"}, {"source": "porch", "full": True}])
def test_a_socket_that_sends_no_sound_says_so(serve, live, asked):
    with Client(serve(live=live), {"sound": asked}) as client:
        assert "sound: this socket sends none" in client.rest()[-1]["message"]
    assert not live.find("").is_watched("sound") and not live.find("").is_watched("full sound")


@pytest.mark.parametrize(
    ("target", "others", "is_wrong"),
    [
        ("unix:///run/x.sock", {}, False),
        ("tcp://127.0.0.1:8765", {}, True),
        ("tcp://127.0.0.1:8765", {"token_file": "t"}, False),
        ("tcp://127.0.0.1:8765", {"token_file": "t", "insecure": True}, True),
    ],
)
def test_at_a_tcp_socket_sound_needs_a_token(target, others, is_wrong):
    fault = SocketSettings(target, sound=True, **others).fault()
    assert (fault is not None and fault[0] == "sound") is is_wrong
