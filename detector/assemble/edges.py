"""Sources and sinks, from the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from detector.config.settings import Settings, SinkSettings, SourceSettings
from detector.interfaces import Archive, Sink, Source
from detector.sinks.socket.limits import SubscriberCounts
from detector.wire.access import Access
from detector.wire.address import default_socket_uri
from detector.wire.text import shared_in

Hello = Callable[[], dict[str, object]]
Report = Callable[[], dict[str, object]]


def make_source(settings: SourceSettings, *, sample_rate: int, block_length: int) -> Source:
    """Build the microphone, recording or pipe that was asked for; nothing is opened yet."""
    if settings.input is None:
        from detector.sources.microphone import Microphone

        return Microphone(
            device=settings.device, sample_rate=sample_rate, block_length=block_length, name=settings.name
        )
    if settings.input == "-":
        from detector.sources.pipe import Pipe

        return Pipe(
            # Unbuffered: a reader blocked inside Python's buffer could not be left at exit.
            stream=open(sys.stdin.fileno(), "rb", buffering=0, closefd=False),
            sample_rate=sample_rate,
            input_rate=settings.rate,
            channels=settings.channels,
            block_length=block_length,
            name=settings.name,
        )
    from detector.sources.recording import Recording

    return Recording(
        path=settings.input,
        sample_rate=sample_rate,
        block_length=block_length,
        realtime=settings.realtime,
        name=settings.name,
    )


def effective_sinks(settings: Settings) -> Sequence[SinkSettings]:
    """The sinks asked for; else stdout and, unless a recording is read at full speed, the socket."""
    if settings.sinks is not None:
        return settings.sinks
    source = settings.source
    stdout, socket = SinkSettings(kind="stdout"), SinkSettings(kind="socket")
    at_full_speed = source.input not in (None, "-") and not source.realtime
    return (stdout,) if at_full_speed else (stdout, socket)


def with_stdout_format(settings: Settings, format: str) -> Settings:
    """The same settings with another format on standard output."""
    sinks = tuple(
        replace(sink, format=format) if sink.kind == "stdout" else sink for sink in effective_sinks(settings)
    )
    return replace(settings, sinks=sinks)


def make_sink(
    settings: SinkSettings,
    hello: Hello,
    *,
    report: Report,
    counts: list[SubscriberCounts],
    archive: Archive | None = None,
    verbose: bool = False,
) -> Sink:
    """Build one destination; nothing is opened yet. A socket adds what it counts to `counts`."""
    if settings.kind == "stdout":
        from detector.sinks.stdout import StdoutSink

        return StdoutSink(
            sys.stdout, format=settings.format, updates=verbose, shared=lambda: shared_in(hello())
        )
    if settings.kind == "log":
        from detector.sinks.logfile import LogFileSink

        return LogFileSink(settings.target, max_bytes=settings.max_bytes, backups=settings.backups)
    from detector.sinks.socket.server import SocketSink

    uri = settings.target or default_socket_uri(os.environ, sys.platform, _user_id())
    access = Access(
        settings.group, settings.token_file, settings.certificate, settings.key, settings.insecure
    )
    counts.append(SubscriberCounts())
    return SocketSink(uri, hello=hello, report=report, access=access, counts=counts[-1], archive=archive)


def _user_id() -> int | None:
    return os.getuid() if hasattr(os, "getuid") else None
