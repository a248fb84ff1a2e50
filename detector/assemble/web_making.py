"""The web page, from the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from detector import __version__
from detector.config.settings import Settings
from detector.history.history_paths import reading_paths
from detector.sinks.socket.socket_settings import SocketSettings
from detector.subscriber.client import Credentials
from detector.web.daemon_link import DaemonLink
from detector.web.parts import WebParts
from detector.wire.address import subscriber_uris, user_id


def make_web_parts(settings: Settings, *, uri: str | None, credentials: Credentials) -> WebParts:
    """Build what the page's routes need; nothing is opened yet. `uri` is the daemon's, if it was given."""
    clips = settings.clips.folder
    return WebParts(
        daemon=DaemonLink((uri,) if uri else daemon_uris(settings), credentials),
        history=reading_paths(settings.history.path, os.environ),
        clips=None if clips is None else Path(clips),
        version=__version__,
        read_only=settings.web.read_only,
        level_offset_db=settings.web.level_offset_db,
    )


def daemon_uris(settings: Settings) -> Sequence[str]:
    """Where a daemon with these settings listens: the sockets that they name, else the default ones."""
    named = [sink.target for sink in settings.sinks or () if isinstance(sink, SocketSettings) and sink.target]
    return named or subscriber_uris(os.environ, sys.platform, user_id())
