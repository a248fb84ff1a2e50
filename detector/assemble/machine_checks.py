"""What this machine lacks for settings that are right in themselves: models, runtimes, devices, rights.

For `check-config`. Nothing is opened for writing, made or downloaded; no sound is recorded.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from detector.assemble.channels import asked_of_any
from detector.assemble.clip_making import JUDGE
from detector.assemble.endpoints import effective_sinks, read_address
from detector.assemble.page_access import page_faults
from detector.assemble.service import keeps_history
from detector.assemble.stages import AUTO, label_maps, select
from detector.config.notify_settings import NotifySettings, crosses_unencrypted
from detector.config.settings import ClipSettings, Settings
from detector.config.sink_settings import SinkSettings
from detector.config.wording import nearest_file
from detector.errors import DetectorError
from detector.files.guarded import changeable_by_others
from detector.history.history_paths import writing_path
from detector.modelstore import DEFAULT
from detector.modelstore.catalogue import ModelCatalogue
from detector.modelstore.store import read_model_file, runtime_for, usable_runtimes
from detector.sinks.logfile import LogSettings
from detector.sinks.mqtt.broker_address import parse_broker
from detector.sinks.mqtt.mqtt_factory import check_paho
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.notify.apprise_target import apprise_program
from detector.sinks.notify.notify_sink import make_targets
from detector.sinks.socket.socket_settings import SocketSettings
from detector.sources.device_list import Device, choose, list_devices
from detector.sources.ffmpeg import HOW_TO_INSTALL
from detector.wire.access import read_keys
from detector.wire.address import (
    UnixAddress,
    check_default_folder,
    default_socket_uri,
    parse_address,
    user_id,
)


def what_is_missing(
    settings: Settings,
    environ: Mapping[str, str],
    devices: Callable[[], tuple[Device, ...]] = list_devices,
) -> list[str]:
    """One line for each thing that is missing, `KEY: what, and what to do`; empty where all is there."""
    found = [f"model.name: {line}" for line in _model(settings)]
    if settings.sources:
        found += [f"sources.{line}" for line in _sources(settings, devices)]
    else:
        found += [f"source.{line}" for line in _source(settings, devices)]
    for number, sink in enumerate(effective_sinks(settings)):
        found += [f"sinks[{number}]: {line}" for line in _sink(sink, environ)]
        if isinstance(sink, MqttSettings) and sink.classes:
            asked = asked_of_any(label_maps(settings), sink.classes)
            found += [f"sinks[{number}].classes: {asked.message}"] if asked.message else []
    found += [f"notify.{line}" for line in _notify(settings.notify)]
    if keeps_history(settings):
        found += [
            f"history.path: {line}" for line in _unwritable(writing_path(settings.history.path, environ))
        ]
    found += [f"clips.folder: {line}" for line in _clips(settings.clips)]
    return found + [f"web: {line}" for line in page_faults(settings.web, environ)]


def _clips(clips: ClipSettings) -> Iterator[str]:
    if clips.folder is None or not clips.enabled:
        return
    folder = Path(clips.folder).absolute()
    yield from _unwritable(folder)
    if (open_part := changeable_by_others(folder)) is not None:
        yield f"others may write to {open_part}, or it is theirs: close it (chmod go-w), or choose another"
    if clips.speech == "drop" and not usable_runtimes(ModelCatalogue().bundle(JUDGE)):
        yield f"no clip can be searched for speech; run: sound-detector models pull {JUDGE}"


def _model(settings: Settings) -> Iterator[str]:
    catalogue = ModelCatalogue()
    selection = select(settings, catalogue)
    networks = [network for base in selection.bases for network in catalogue.networks(base)]
    if settings.model.name == AUTO:
        parts = catalogue.networks(catalogue.bundle(DEFAULT))
        lacking = [part.spec.name for part in parts if part not in networks and not usable_runtimes(part)]
        for name in lacking:
            pull = f"run: sound-detector models pull {name}"
            yield f"{name} is not on this machine, and the default does without it; {pull}"
    for bundle in (*networks, *selection.heads):
        try:
            runtime = runtime_for(bundle, settings.model.runtime if bundle in networks else "auto")
            read_model_file(bundle, runtime)
        except DetectorError as error:
            yield str(error)


def _source(settings: Settings, devices: Callable[[], tuple[Device, ...]]) -> Iterator[str]:
    source = settings.source
    if source.is_microphone:
        try:
            choose(devices(), source.device)
        except DetectorError as error:
            yield f"device: {error}"
    elif source.is_recording and source.input and not _may(Path(source.input), os.R_OK):
        yield f"input: {_unreadable(source.input)}"


def _unreadable(path: str) -> str:
    reason = "may not be read" if os.path.exists(path) else "is not there"  # noqa: PTH110
    hint = nearest_file(path)
    return f"{path} {reason}{hint and '; ' + hint}"


def _sources(settings: Settings, devices: Callable[[], tuple[Device, ...]]) -> Iterator[str]:
    known: tuple[Device, ...] | None = None
    owners: dict[Device | str, str] = {}
    streams = [name for name, source in settings.sources.items() if source.is_stream]
    for name, source in settings.sources.items():
        try:
            if source.is_microphone:
                known = devices() if known is None else known
                device = choose(known, source.device)
                if (owner := owners.setdefault(device, name)) != name:
                    yield f"{name}.device: {device.name!r} is the source {owner} already: choose another one"
            elif source.is_stream:
                if name == streams[0] and shutil.which("ffmpeg") is None:
                    names = ", ".join(streams)
                    yield f"{names}: a stream needs ffmpeg, which is not installed: {HOW_TO_INSTALL}"
                if (owner := owners.setdefault(read_address(source), name)) != name:
                    yield f"{name}: its address is that of the source {owner} already: choose another one"
        except DetectorError as error:
            yield f"{name}: {error}"
        for path in (source.file, None if source.pipe == "-" else source.pipe):
            if path is not None and not _may(Path(path), os.R_OK):
                yield f"{name}: {_unreadable(path)}"


def _sink(sink: SinkSettings, environ: Mapping[str, str]) -> Iterator[str]:
    if isinstance(sink, LogSettings):
        yield from _unwritable(Path(sink.target))
    if isinstance(sink, MqttSettings):
        yield from _broker(sink)
    if not isinstance(sink, SocketSettings):
        return
    try:
        address = parse_address(sink.target or default_socket_uri(environ, sys.platform, user_id()))
        if not sink.target:
            check_default_folder(address)
        read_keys(sink.access)
    except DetectorError as error:
        yield str(error)
        return
    if isinstance(address, UnixAddress):
        yield from _unwritable(Path(address.path))


def _notify(settings: NotifySettings) -> Iterator[str]:
    for i, command in enumerate(settings.commands):
        if message := _not_run(command.argv[0]):
            yield f"commands[{i}].argv: {message}"
    for i, apprise in enumerate(settings.apprise):
        if apprise.program is not None and (message := _not_run(apprise.program)):
            yield f"apprise[{i}].program: {message}"
        elif apprise_program(apprise) is None:
            yield f"apprise[{i}]: apprise is not installed: pip install 'sound-detector[notify]'"
    for i, webhook in enumerate(settings.webhooks):
        if webhook.url is not None and crosses_unencrypted(webhook.url):
            yield f"webhooks[{i}].url: everybody on the way can read it: use https://"
    for target in make_targets(settings):
        try:
            target.open()
        except DetectorError as error:
            yield f"{target.name}: {error}"


def _not_run(program: str) -> str:
    path = Path(program)
    if not os.path.exists(path):  # noqa: PTH110
        hint = nearest_file(path)
        return f"{program} is not there{hint and '; ' + hint}"
    return "" if path.is_file() and _may(path, os.X_OK) else f"{program} is no program that this user may run"


def _broker(sink: MqttSettings) -> Iterator[str]:
    from detector.sinks.mqtt.broker_credentials import read_credentials

    try:
        check_paho()
        read_credentials(sink, parse_broker(sink.target))
    except DetectorError as error:
        yield str(error)


def _unwritable(path: Path) -> Iterator[str]:
    """Say that a file could not be written, from the rights of what is there of the way to it."""
    # Unlike Path.exists, os.path's is False and no error where a folder is closed to this user.
    here = next(part for part in (path.absolute(), *path.absolute().parents) if os.path.exists(part))  # noqa: PTH110
    if here != path.absolute() and not here.is_dir():
        yield f"{path} cannot be made: {here} is not a folder"
    elif not _may(here, os.W_OK):
        yield f"{path}: this user may not write to {here}"


def _may(path: Path, right: int) -> bool:
    return os.access(path, right, effective_ids=os.access in os.supports_effective_ids)
