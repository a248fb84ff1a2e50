"""The web page, from the settings."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from detector import __version__
from detector.assemble.page_access import access_policy, password_file
from detector.config.config_file import ConfigFile
from detector.config.loading import SYSTEM_FILE, find_file, user_file
from detector.config.settings import Settings
from detector.files.data_folders import data_folder, models_folder
from detector.files.home import expand_home
from detector.history.history_paths import reading_paths, writing_path
from detector.sinks.socket.socket_settings import SocketSettings
from detector.subscriber.client import Credentials
from detector.web.access.doorkeeper import Doorkeeper
from detector.web.daemon_link import DaemonLink
from detector.web.desk.calibration_job import CalibrationJob
from detector.web.desk.child_commands import Commands
from detector.web.desk.config_checker import ConfigChecker
from detector.web.desk.daemon_orders import DaemonOrders
from detector.web.desk.page_desk import PageDesk
from detector.web.desk.settings_desk import SettingsDesk
from detector.web.desk.take_folder import TakeFolder
from detector.web.desk.take_recorder import TakeRecorder
from detector.web.desk.teaching_desk import TeachingDesk
from detector.web.desk.training_job import MODEL, TrainingJob
from detector.web.parts import WebParts
from detector.web.shared_feeds import SharedFeeds
from detector.wire.address import TcpAddress, parse_address, subscriber_uris, user_id


def make_web_parts(
    settings: Settings, *, uri: str | None, credentials: Credentials, config: str | None = None
) -> WebParts:
    """Build what the page's routes need; nothing is opened yet.

    `uri` is the daemon's and `config` the path of the config file, if they were given. Of a daemon on another
    machine there is neither a history nor a folder of clips here.
    """
    clips = settings.clips.folder
    uris = (uri,) if uri else daemon_uris(settings)
    is_elsewhere = any(map(_is_another_machine, uris))
    history = () if is_elsewhere else reading_paths(settings.history.path, os.environ)
    link = DaemonLink(uris, credentials, remembers=not any(map(os.path.isfile, history)))
    return WebParts(
        daemon=link,
        doorkeeper=Doorkeeper(access_policy(settings.web), password_file(settings.web, os.environ)),
        history=history,
        clips=None if clips is None or is_elsewhere else Path(clips),
        desk=make_page_desk(
            config_path(config),
            DaemonOrders(link, uris, credentials),
            Commands(),
            link.feeds,
            history=history,
            state=state_folder(),
            data=data_folder(os.environ, sys.platform, Path(expand_home("~"))),
            models=models_folder(),
            knows_daemon=uri is None,
            read_only=settings.web.read_only,
        ),
        version=__version__,
        level_offset_db=settings.web.level_offset_db,
    )


def make_page_desk(
    config: Path,
    orders: DaemonOrders,
    commands: Commands,
    feeds: SharedFeeds,
    *,
    history: Sequence[Path],
    state: Path,
    data: Path,
    models: Path,
    read_only: bool = False,
    knows_daemon: bool = True,
    clock: Callable[[], float] = time.time,
) -> PageDesk:
    """Build what changes settings and teaches sounds.

    `state` is the folder of what the page keeps for itself, `data` that of the user's sounds, and `models` is
    where the daemon finds heads.
    """
    checker = ConfigChecker(commands, scratch=state, shown_as=config)
    file = ConfigFile(config, state / "undo.json")
    settings = SettingsDesk(file, checker, orders, history=history, read_only=read_only, clock=clock)
    calibration = CalibrationJob(settings, commands, feeds, scratch=state)
    takes = TakeFolder(data / "sounds", clock=clock)
    teaching = TeachingDesk(
        takes,
        TakeRecorder(takes, feeds),
        TrainingJob(takes, commands, data / "taught" / MODEL, clock=clock, model_name=settings.model_name),
        settings,
        orders,
        commands,
        models=models,
        scratch=state,
        knows_daemon=knows_daemon,
    )
    return PageDesk(settings, orders, commands, calibration, teaching)


def config_path(named: str | None) -> Path:
    """The config file that is read, or else the one that would be made."""
    path, _ = find_file(named, os.environ)
    return Path(path or user_file(os.environ) or SYSTEM_FILE).absolute()


def state_folder() -> Path:
    """Where the page keeps what it must remember: beside the history, in a folder of its own."""
    return writing_path(None, os.environ).parent / "page"


def daemon_uris(settings: Settings) -> Sequence[str]:
    """Where a daemon with these settings listens: the sockets that they name, else the default ones."""
    named = [sink.target for sink in settings.sinks or () if isinstance(sink, SocketSettings) and sink.target]
    return named or subscriber_uris(os.environ, sys.platform, user_id())


def _is_another_machine(uri: str) -> bool:
    address = parse_address(uri)
    return isinstance(address, TcpAddress) and not address.is_loopback
