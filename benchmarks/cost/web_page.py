"""What the page costs and how quick it is, beside a bare Starlette server with the same pages open.

The real daemon hears a virtual microphone, the real page shows it. Memory, CPU time and bytes: clients that
ask for what a page asks for, then keep its event stream and its live spectrogram open, none, one and ten.
Delay: Chromium shows the live view; the same microphone is recorded here, so that the moment of a siren's
first sample is known, and the page says when its column and its event were drawn. First view: Chromium, with
an empty cache each time.

    python -m benchmarks.cost.web_page [--seconds 60] [--sounds 22] [--views 10]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from websockets.asyncio.client import connect
from websockets.typing import Origin

from benchmarks.cost.screen_delay import Delays, measure_delays
from benchmarks.support.children import Running
from benchmarks.support.report import table
from benchmarks.support.shown_page import SHOWN, ShownPage, free_port, invent_the_past
from tests.support.browser import missing, open_chromium
from tests.support.virtualmic import VirtualMicrophone

if TYPE_CHECKING:
    from playwright.sync_api import Request

RATE = 16000
SETTLE_SECONDS = 5.0
API = ("me", "status", "sources", "labels", "events?limit=50", "overview?days=7", "levels")
MIB = 2**20 / 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one server with so many pages open."""

    pages: int
    memory_mb: float
    cpu_percent: float
    """Of one core."""
    kilobytes_a_minute: float
    """Of each page."""


@dataclass(frozen=True, slots=True)
class FirstView:
    """How the first view was loaded, with an empty cache."""

    requests: list[str]
    """Paths, in their order."""
    kilobytes: float
    """Of all answers as they were sent, with their headers."""
    loaded_ms: list[float]
    """DOMContentLoaded."""
    painted_ms: list[float]
    """First contentful paint."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sounds", type=int, default=22)
    parser.add_argument("--views", type=int, default=10)
    options = parser.parse_args(arguments)
    if reason := missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        invent_the_past(folder)
        with ShownPage(folder, port=free_port()) as shown, noise(shown.microphone, folder):
            view = first_view(shown.url, options.views)
            page = costs(shown.web, shown.port, view.requests, options.seconds)
            with bare_server() as (server, port):
                bare = costs(server, port, view.requests, options.seconds)
            delays = measure_delays(shown, folder, options.sounds)
    print(cost_table(page, bare))
    print()
    print(delay_table(delays))
    print()
    print(view_table(view))


def first_view(url: str, count: int) -> FirstView:
    """Load the page in new browsers' contexts, which know nothing."""
    loaded: list[float] = []
    painted: list[float] = []
    sizes: list[float] = []
    paths: list[str] = []
    with open_chromium() as browser:
        for _ in range(count):
            context = browser.new_context()
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            seen: list[str] = []
            answers: list[float] = []
            session.on("Network.loadingFinished", partial(note_size, answers))
            page.on("request", partial(note_path, seen))
            page.goto(url)
            page.wait_for_selector(".waterfall-canvas")
            page.wait_for_timeout(1500)
            loaded.append(
                page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            )
            painted.append(
                page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            )
            sizes.append(sum(answers) / 1000)
            paths = [path.removeprefix(url) for path in seen if not path.startswith((f"{url}api/", "ws:"))]
            context.close()
    return FirstView(paths, median(sizes), loaded, painted)


def note_size(sizes: list[float], told: Mapping[str, float]) -> None:
    """An answer has come, with its headers [bytes]."""
    sizes.append(told["encodedDataLength"])


def note_path(addresses: list[str], request: Request) -> None:
    """Something is asked for."""
    addresses.append(request.url)


def costs(server: Running, port: int, paths: Sequence[str], seconds: float) -> list[Cost]:
    """What a server costs with no page, one and ten pages open."""
    return [asyncio.run(_cost(server, port, paths, seconds, pages)) for pages in (0, 1, 10)]


async def _cost(server: Running, port: int, paths: Sequence[str], seconds: float, pages: int) -> Cost:
    clients = [OpenPage(port) for _ in range(pages)]
    tasks = []
    for client in clients:
        await client.load(paths)
        tasks += [asyncio.create_task(client.listen()), asyncio.create_task(client.watch())]
    await asyncio.sleep(SETTLE_SECONDS)
    cpu, began, received = server.cpu_seconds(), time.monotonic(), sum(client.received for client in clients)
    await asyncio.sleep(seconds)
    passed = time.monotonic() - began
    cpu, received = server.cpu_seconds() - cpu, sum(client.received for client in clients) - received
    memory = server.memory_mb()[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    each = received / max(1, pages) / 1000 * 60 / passed
    return Cost(pages, memory, 100 * cpu / passed, each)


class OpenPage:
    """A client that asks for what a page asks for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.received = 0
        """Bytes of the event stream and of the live spectrogram."""

    async def load(self, paths: Sequence[str]) -> None:
        """The files of the first view, then what the views ask the API."""
        for path in (*paths, *(f"api/v1/{each}" for each in API)):
            reader, writer = await self._get(path, close=True)
            await reader.read()
            writer.close()

    async def listen(self) -> None:
        """Keep the event stream open."""
        reader, _ = await self._get("api/v1/events/stream", close=False)
        while data := await reader.read(65536):
            self.received += len(data)

    async def watch(self) -> None:
        """Keep the live spectrogram open."""
        async with connect(f"ws://127.0.0.1:{self._port}/api/v1/live", origin=self._origin) as socket:
            async for message in socket:
                self.received += len(message)

    @property
    def _origin(self) -> Origin:
        return Origin(f"http://127.0.0.1:{self._port}")

    async def _get(self, path: str, *, close: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        last = "Connection: close\r\n" if close else ""
        head = f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept-Encoding: gzip\r\n{last}\r\n"
        writer.write(head.encode())
        return reader, writer


@contextmanager
def bare_server() -> Iterator[tuple[Running, int]]:
    """The bare server, and its port."""
    port = free_port()
    static = str(files("detector.web").joinpath("static"))
    with Running([sys.executable, "-m", "benchmarks.cost.bare_page_server", str(port), static]) as server:
        server.seconds_until(SHOWN)
        time.sleep(1)
        yield server, port


@contextmanager
def noise(microphone: VirtualMicrophone, folder: Path) -> Iterator[None]:
    """Faint noise at the microphone: digital silence would be told as a fault."""
    path = folder / "noise.wav"
    samples = np.random.default_rng(1).standard_normal(20 * RATE).astype(np.float32) * 0.001
    soundfile.write(path, samples, RATE)
    stopped = threading.Event()

    def play() -> None:
        while not stopped.is_set():
            microphone.play(path)

    playing = threading.Thread(target=play)
    playing.start()
    with ExitStack() as stack:
        stack.callback(playing.join)
        stack.callback(stopped.set)
        yield


def cost_table(page: Sequence[Cost], bare: Sequence[Cost]) -> str:
    """A row for each number of pages."""
    rows = [["pages open", "memory [MiB]", "bare [MiB]", "CPU [% of a core]", "bare [%]", "kB/min each"]]
    for ours, theirs in zip(page, bare, strict=True):
        figures = [f"{cost.memory_mb / MIB:.1f}" for cost in (ours, theirs)]
        figures += [f"{cost.cpu_percent:.1f}" for cost in (ours, theirs)]
        rows.append([str(ours.pages), *figures, f"{ours.kilobytes_a_minute:.0f}" if ours.pages else ""])
    return table(rows)


def delay_table(delays: Delays) -> str:
    """A row for the column and one for the event."""
    rows = [["from", "to", "median [ms]", "p95 [ms]", "most [ms]", "of"]]
    for begin, end, values in delays.rows():
        figures = [f"{np.quantile(values, share) * 1000:.0f}" for share in (0.5, 0.95, 1.0)]
        rows.append([begin, end, *figures, str(len(values))])
    return table(rows)


def view_table(view: FirstView) -> str:
    """One row."""
    return table(
        [
            ["files", "kB sent", "DOMContentLoaded: median [ms]", "first paint: median [ms]", "most [ms]"],
            [
                str(len(view.requests)),
                f"{view.kilobytes:.0f}",
                f"{median(view.loaded_ms):.0f}",
                f"{median(view.painted_ms):.0f}",
                f"{max(view.painted_ms):.0f}",
            ],
        ]
    )


if __name__ == "__main__":
    main()
