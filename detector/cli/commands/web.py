"""`sound-detector web`: the page that shows what the daemon hears."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.connection_flags import add_connection_flags, credentials, daemon_uris
from detector.cli.logs import limit_repeated_lines
from detector.cli.setting_flags import add_config_flags
from detector.cli.setting_options import SettingOptions
from detector.errors import SinkError

if TYPE_CHECKING:
    from detector.subscriber.client import Credentials

EXAMPLES = """\
examples:
  sound-detector web                      the page at http://127.0.0.1:8790/
  sound-detector web --set web.port=8080  at another port
  sound-detector web --set-password       ask for a password, for other machines
  sound-detector web tls://pi.local:8765 --token-file token --ca pi.pem
"""
PACKAGES = ("starlette", "uvicorn", "websockets")


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What `web` is asked for."""

    uri: str | None
    """The daemon's address; None is that of the settings, or the default ones."""
    credentials: Credentials
    set_password: bool = False
    """Set the page's password instead of serving it."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    add_connection_flags(parser)
    parser.add_argument(
        "--set-password",
        action="store_true",
        help="ask for a new password of the page (or read it from standard input), and end",
    )
    add_config_flags(parser)


def read_request(options: argparse.Namespace) -> WebRequest:
    """Read what was asked for."""
    return WebRequest(
        daemon_uris(options)[0] if options.uri else None, credentials(options), options.set_password
    )


def execute(request: WebRequest, options: SettingOptions) -> int:
    """Serve the page, or set its password."""
    if missing := [package for package in PACKAGES if find_spec(package) is None]:
        raise SinkError(
            f"the page needs {' and '.join(missing)}; install with: pip install 'sound-detector[web]'"
        )
    from detector.assemble.page_access import password_file
    from detector.assemble.web_making import make_web_parts
    from detector.web.command import set_password, web_command

    settings = options.load().settings
    if request.set_password:
        return set_password(password_file(settings.web, os.environ), stdin=sys.stdin)
    limit_repeated_lines()
    parts = make_web_parts(
        settings, uri=request.uri, credentials=request.credentials, config=options.config_path
    )
    return web_command(parts, port=settings.web.port)


COMMAND = Command(
    name="web",
    summary="serve a web page that shows what the daemon hears",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
