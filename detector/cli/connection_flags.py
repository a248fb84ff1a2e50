"""The flags that say which daemon to connect to, and how, for `listen` and `status`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from detector.files.home import expand_home

if TYPE_CHECKING:
    from detector.subscriber.client import Credentials

TOKEN_VARIABLE = "SOUND_DETECTOR_TOKEN_FILE"  # noqa: S105
"""Names the file with the token where no flag does."""


def add_connection_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a connection; the token comes from a file, as all users can read command lines."""
    parser.add_argument(
        "uri",
        metavar="URI",
        nargs="?",
        help="the daemon's address: unix://PATH, tcp://HOST:PORT or tls://HOST:PORT "
        "(default: your own daemon, or else the system service)",
    )
    network = parser.add_argument_group("over the network")
    network.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the daemon's token; other users must not be able to read it "
        f"(default: ${TOKEN_VARIABLE})",
    )
    network.add_argument("--tls", action="store_true", help="use TLS, even where URI says tcp://")
    network.add_argument(
        "--ca",
        metavar="FILE",
        help="PEM file with the certificate authority, or the daemon's own certificate, to trust "
        "(default: the system's authorities)",
    )
    network.add_argument(
        "--insecure",
        action="store_true",
        help="accept any certificate, and send the token even without encryption",
    )


def credentials(options: argparse.Namespace) -> Credentials:
    """Collect the token and TLS options from these flags and from $SOUND_DETECTOR_TOKEN_FILE."""
    from detector.subscriber.client import Credentials

    return Credentials(
        token_file=options.token_file or os.environ.get(TOKEN_VARIABLE) or None,
        ca=options.ca,
        tls=options.tls,
        insecure=options.insecure,
    )


def daemon_uris(options: argparse.Namespace) -> tuple[str, ...]:
    """List the addresses at which to look for a daemon, in this order.

    SinkError where others may change the folder in which the user's own daemon listens.
    """
    from detector.wire.address import (
        SERVICE_SOCKET,
        check_default_folder,
        parse_address,
        subscriber_uris,
        user_id,
    )

    if options.uri:
        scheme = "unix://" if options.uri.startswith("unix://~") else ""
        return (scheme + expand_home(options.uri.removeprefix(scheme)),)
    uris = subscriber_uris(os.environ, sys.platform, user_id())
    if uris[0] != f"unix://{SERVICE_SOCKET}":  # whose folder systemd makes, for whoever the service runs as
        check_default_folder(parse_address(uris[0]))
    return uris
