"""Streams through ffmpeg: every sample arrives, no password leaves, and who does not deliver is given up."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.errors import DeviceLost, SourceError
from detector.records import Block
from detector.sources.ffmpeg_stream import complaint, list_of_one
from detector.sources.stream import ARRIVAL_SECONDS, Arrivals, NetworkStream
from tests.support.rtsp_server import RtspServer

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="ffmpeg not installed (apt install ffmpeg)"
)

RATE = 16000
NOISE = np.random.default_rng(0).normal(0, 3000, 2 * RATE).astype(np.int16)
SECRET = "zaunkoenig"  # noqa: S105


def stream(address: str, **options: object) -> NetworkStream:
    return NetworkStream(
        address=lambda: address, sample_rate=RATE, block_length=1920, name="porch", **options
    )  # type: ignore[arg-type]


def until_lost(blocks: Iterator[Block]) -> tuple[list[Block], str]:
    """What a stream delivers, and why it ended."""
    found = []
    with pytest.raises(DeviceLost) as lost:
        for block in blocks:
            found.append(block)
    return found, str(lost.value)


# --- what needs no ffmpeg


def test_without_ffmpeg_there_is_one_line_that_says_how_to_get_it() -> None:
    with pytest.raises(
        SourceError, match=r"the stream porch needs no-such-program, .*apt-get install"
    ) as lost:
        stream("rtsp://camera/", program="no-such-program")
    assert "\n" not in str(lost.value)


def test_a_quote_in_an_address_ends_nothing() -> None:
    assert list_of_one("http://radio/it's").splitlines()[1] == rb"file 'http://radio/it'\''s'"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (b"", ""),
        (
            b"[rtsp @ 0x55df] method DESCRIBE failed: 401 Unauthorized\n"
            b"[concat @ 0x55ef] Impossible to open 'rtsp://admin:zaunkoenig@camera/1'\n"
            b"pipe:0: Server returned 401 Unauthorized (authorization failed)\n",
            "Server returned 401 Unauthorized (authorization failed)",
        ),
        (b"[tls @ 0x1] no way to https://u:zaunkoenig@h/x?t=zaunkoenig: no\n", "no way to the address no"),
        (b"[hls @ 0x1] 'file' is not allowed\nError marking filters as finished\n", "'file' is not allowed"),
        (b"Stream map '0:a:0' matches no streams.\n", "it has no sound"),
    ],
)  # fmt: skip
def test_what_ffmpeg_says_is_told_without_any_address(said: bytes, line: str) -> None:
    assert complaint(said) == line


def test_sound_that_comes_in_bursts_is_dated_as_it_was_played() -> None:
    """Segments of 6 s, each sent at once when it is complete: zero is when the first sample was played."""
    arrivals, found = Arrivals(), []
    for segment, part in itertools.product(range(20), range(6)):
        now = 1000.0 + 6 * (segment + 1) + 0.01 * part
        found.append(arrivals.zero(now + 5e8, now, 6 * segment + part + 1.0))
    assert found[5] == pytest.approx(5e8 + 1000, abs=0.1)
    assert max(found[5:]) - min(found[5:]) < 0.1


def test_sound_that_is_lost_on_the_way_is_noticed_by_what_comes_after() -> None:
    arrivals = Arrivals()
    for second in range(10):
        arrivals.zero(second, second, second)
    late = [
        arrivals.zero(second + 3, second + 3, second) for second in range(10, 10 + round(3 * ARRIVAL_SECONDS))
    ]
    assert late[0] == 0
    assert late[-1] == 3


# --- a real ffmpeg and a server on loopback


@needs_ffmpeg
def test_rtsp_delivers_every_sample_and_shows_no_password() -> None:
    """Neither in the command lines of all processes nor in their environments, nor in the errors."""
    with RtspServer(NOISE, password=f"admin:{SECRET}", speed=4) as server:
        source = stream(server.url(f"admin:{SECRET}"))
        blocks = source.blocks()
        first = next(blocks)
        assert SECRET.encode() not in public_bytes("cmdline") + public_bytes("environ")
        assert b"ffmpeg" in public_bytes("cmdline")
        rest, reason = until_lost(blocks)
        heard = np.concatenate([block.samples for block in [first, *rest]])
        assert SECRET not in reason
        assert "the stream has ended" in reason
        # ffmpeg fills what it takes for a jitter of the first packets; the samples themselves are untouched.
        at = next(at for at in range(200) if np.array_equal(heard[at : at + 1000], NOISE[:1000]))
        np.testing.assert_array_equal(heard[at:], NOISE[: len(heard) - at])
        assert len(heard) - at == len(NOISE)
        assert first.start == 0


@needs_ffmpeg
@pytest.mark.parametrize(
    ("address", "why"),
    [
        (lambda server: server.url(f"admin:{SECRET}"), "401 Unauthorized"),
        (lambda server: f"http://admin:{SECRET}@127.0.0.1:1/radio", "Connection refused"),
        (lambda server: "file:///etc/hostname", "Invalid"),
    ],
)
def test_a_stream_that_cannot_be_had_says_why(address: Callable[[RtspServer], str], why: str) -> None:
    """A file is none: a playlist from elsewhere must not open one."""
    with RtspServer(NOISE, password="admin:other") as server:  # noqa: S106
        blocks, reason = until_lost(stream(address(server)).blocks())
    assert blocks == []
    assert why in reason
    assert SECRET not in reason


@needs_ffmpeg
def test_a_stream_that_stalls_is_given_up_and_goes_on_behind_the_time_away() -> None:
    times = itertools.count(step=0.5)
    with RtspServer(NOISE, speed=8, stalls_after=1.0) as server:
        source = stream(server.url(), stall_seconds=0.3, monotonic=lambda: next(times))
        before, reason = until_lost(source.blocks())
        assert "has delivered nothing for 0 s" in reason
        after = next(source.blocks())
        source.close()
        assert server.clients == 2
    assert after.start > before[-1].stop


@needs_ffmpeg
def test_a_stream_that_is_ahead_of_the_clock_waits_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds of sound come at once: it is not asked for again before they would have sounded."""
    # How often packets are waited for depends on the machine; here it takes no time of this clock.
    monkeypatch.setattr("detector.sources.stream.GATHERED", 0.0)
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with RtspServer(NOISE, speed=100) as server:
        blocks, _ = until_lost(stream(server.url(), monotonic=lambda: now[0], sleep=sleep).blocks())
    assert now[0] == pytest.approx(blocks[-1].stop / RATE, abs=0.11)


@needs_ffmpeg
def test_packets_are_gathered_for_less_than_a_block() -> None:
    """Whoever looks at each packet of 20 ms takes twice the time; who waits longer tells of sounds later."""
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    with RtspServer(NOISE[:RATE]) as server:
        blocks, _ = until_lost(stream(server.url(), sleep=sleep).blocks())
    assert np.array_equal(np.concatenate([block.samples for block in blocks]), NOISE[:RATE])
    assert 0 < max(waits) <= 1920 / RATE
    assert len(waits) < RATE / 320


@needs_ffmpeg
def test_who_waits_for_a_stream_can_be_interrupted() -> None:
    with RtspServer(NOISE, speed=8, stalls_after=0.5) as server:
        source = stream(server.url())
        blocks = source.blocks()
        next(blocks)
        source.interrupt()
        _, reason = until_lost(blocks)
    assert "has ended" in reason


def public_bytes(what: str) -> bytes:
    """This file of /proc of all processes that this user may look at, one behind the other."""
    found = b""
    for path in Path("/proc").glob(f"[0-9]*/{what}"):
        try:
            found += path.read_bytes()
        except OSError:
            continue
    return found
