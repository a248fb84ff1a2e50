"""Sources and sinks, from the settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from detector.assemble.channels import channels_of
from detector.config.named_source import NamedSource, url_fault
from detector.config.notify_settings import NotifySettings
from detector.config.settings import Settings, SourceSettings
from detector.config.sink_settings import SinkKinds, SinkSettings
from detector.errors import ConfigError
from detector.interfaces import Sink, Source
from detector.sinks.context import SinkContext
from detector.sinks.logfile import LogSettings, make_log_sink
from detector.sinks.mqtt.mqtt_factory import make_mqtt_sink
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.socket.socket_settings import SocketSettings, make_socket_sink
from detector.sinks.stdout import StdoutFormat, StdoutSettings, make_stdout_sink
from detector.wire.access import read_secret

MAX_ADDRESS_BYTES = 4096
"""A longer address is none."""


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
        dated=True,
    )


def make_named_source(name: str, settings: NamedSource, *, sample_rate: int, block_length: int) -> Source:
    """Build one of several sources; SourceError where its stream needs ffmpeg, or its pipe is none."""
    if settings.is_stream:
        from detector.sources.stream import NetworkStream

        read_address(settings)  # what is wrong with a file is said at the start, once
        return NetworkStream(
            address=partial(read_address, settings),
            sample_rate=sample_rate,
            block_length=block_length,
            name=name,
        )
    if settings.pipe not in (None, "-"):
        from detector.sources.named_pipe import NamedPipe
        from detector.sources.pipe import Pipe

        return Pipe(
            stream=NamedPipe(str(settings.pipe)),
            sample_rate=sample_rate,
            input_rate=settings.rate,
            channels=settings.channels,
            block_length=block_length,
            name=name,
        )
    alone = SourceSettings(
        device=settings.device,
        input=settings.file if settings.pipe is None else settings.pipe,
        rate=settings.rate,
        channels=settings.channels,
        realtime=settings.realtime,
        name=name,
    )
    return make_source(alone, sample_rate=sample_rate, block_length=block_length)


def read_address(settings: NamedSource) -> str:
    """The address of a stream, from its file where the settings name one.

    AccessError where the file cannot be read, or others can; ConfigError for what is no address. Neither
    quotes any of it.
    """
    if settings.url_file is None:
        return str(settings.url)
    what = f"url_file {settings.url_file}"
    address = read_secret("url_file", settings.url_file, max_bytes=MAX_ADDRESS_BYTES)
    if not address.isascii():
        raise ConfigError(f"{what}: expected one address in ASCII")
    if fault := url_fault(address.decode()):
        raise ConfigError(f"{what}: {fault}")
    return address.decode()


SINKS: Mapping[type[SinkSettings], Callable[[Any, SinkContext], Sink]] = {
    StdoutSettings: make_stdout_sink,
    LogSettings: make_log_sink,
    SocketSettings: make_socket_sink,
    MqttSettings: make_mqtt_sink,
}
"""Each kind of sink: its settings, and what makes a sink of them. A new kind is a file and a line here."""

SINK_KINDS = SinkKinds(tuple(SINKS))
"""For `load_settings`."""


def effective_sinks(settings: Settings) -> Sequence[SinkSettings]:
    """The sinks asked for; else stdout and, unless a recording is read at full speed, the socket."""
    if settings.sinks is not None:
        return settings.sinks
    return (StdoutSettings(), SocketSettings()) if _is_played_in_time(settings) else (StdoutSettings(),)


AnySinkSettings: TypeAlias = SinkSettings | NotifySettings


def sinks_in_force(settings: Settings) -> Sequence[AnySinkSettings]:
    """The effective sinks and, where there are rules and sound is heard as it sounds, the notifications."""
    sinks = effective_sinks(settings)
    return (*sinks, settings.notify) if settings.notify.is_used and _is_played_in_time(settings) else sinks


def _is_played_in_time(settings: Settings) -> bool:
    return not all(channel.is_at_full_speed for channel in channels_of(settings))


def with_stdout(
    settings: Settings, *, format: StdoutFormat | None = None, status_line: bool | None = None
) -> Settings:
    """The same settings with these of standard output; what is None stays as it is."""
    given = {"format": format, "status_line": status_line}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not changes:
        return settings
    sinks = tuple(
        replace(sink, **changes) if isinstance(sink, StdoutSettings) else sink
        for sink in effective_sinks(settings)
    )
    return replace(settings, sinks=sinks)


def make_sink(settings: AnySinkSettings, context: SinkContext) -> Sink:
    """Build one destination; nothing is opened yet."""
    if isinstance(settings, NotifySettings):
        from detector.sinks.notify.notify_sink import make_notify_sink

        return make_notify_sink(settings, context)
    return SINKS[type(settings)](settings, context)
