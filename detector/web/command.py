"""`sound-detector web`: serve the page until it is asked to end, or set its password."""

from __future__ import annotations

import getpass
import logging
import os
import signal
import socket
import sys
from typing import TextIO

from detector.errors import AccessError, ConfigError
from detector.service.hangups import Hangups
from detector.service.systemd import Notifier
from detector.web.access.password import PasswordFile
from detector.web.app import make_app
from detector.web.large_memory import return_large_memory
from detector.web.page_server import make_server, open_socket, serve
from detector.web.parts import WebParts
from detector.wire.access import Access, load_certificate, read_keys

_LOG = logging.getLogger(__name__)


def web_command(parts: WebParts, *, port: int) -> int:
    """Serve the page; prints its address on standard error once it answers.

    Returns the exit code, 0. SinkError where the port or the certificate cannot be had.
    """
    return_large_memory()
    policy, hangups, manager = parts.doorkeeper.policy, Hangups(), Notifier(os.environ)
    tls = read_keys(Access(certificate=policy.certificate, key=policy.key)).tls

    def on_hangup() -> None:
        if hangups.terminal_closed:
            signal.raise_signal(signal.SIGTERM)
        elif tls is not None and policy.certificate is not None and policy.key is not None:
            try:
                load_certificate(tls, policy.certificate, policy.key)
            except AccessError as error:
                _LOG.error("web.certificate_unusable reason=%r, so the one before stays", str(error))

    with open_socket(policy.bind, port) as listening:
        address = page_address(listening, tls=tls is not None)

        def ready() -> None:
            print(f"the page: {address}", file=sys.stderr, flush=True)
            manager.ready()
            manager.status(address)

        server = make_server(make_app(parts), ready=ready, tls=tls, is_proxy=policy.is_proxy)
        serve(server, listening, on_signals={signal.SIGHUP: on_hangup})
    return 0


def page_address(listening: socket.socket, *, tls: bool) -> str:
    """The address that a browser opens; of a page on all addresses, this machine's in its network."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = _own_address() or socket.gethostname()
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"


def _own_address() -> str:
    """The address that this machine would send from; empty without a network. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nobody's (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def set_password(file: PasswordFile, *, stdin: TextIO) -> int:
    """Ask for a new password, twice on a terminal, else read its one line; the exit code is 0.

    ConfigError where it is too short or the two differ; AccessError where it cannot be written.
    """
    if stdin.isatty():
        password = getpass.getpass("new password of the page: ")
        if getpass.getpass("again: ") != password:
            raise ConfigError("the password: expected the same twice, got two different ones")
    else:
        password = stdin.readline().rstrip("\r\n")
    file.write(password)
    print(f"the page's password is set: {file.path} has its hash; whoever was logged in is no more")
    return 0
