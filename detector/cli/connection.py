"""The flags that say which daemon to connect to, and how, for `listen` and `status`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from detector.subscriber.client import Credentials
from detector.wire.address import subscriber_uris

TOKEN_VARIABLE = "SOUND_DETECTOR_TOKEN_FILE"  # noqa: S105
"""Names the file with the token where no flag does."""


def add_connection_flags(parser: argparse.ArgumentParser) -> None:
    """Add them to a command's parser; none takes the token itself: anybody can read a command line."""
    parser.add_argument(
        "uri",
        metavar="URI",
        nargs="?",
        help="unix://PATH, tcp://HOST:PORT or tls://HOST:PORT (default: the user's own, then the service)",
    )
    network = parser.add_argument_group("over the network")
    network.add_argument(
        "--token-file",
        metavar="FILE",
        help=f"file with the daemon's token, not readable by others (default: ${TOKEN_VARIABLE})",
    )
    network.add_argument("--tls", action="store_true", help="tcp:// means tls://")
    network.add_argument(
        "--ca",
        metavar="FILE",
        help="PEM file with the authority, or the very certificate, to trust (default: the system's)",
    )
    network.add_argument(
        "--insecure",
        action="store_true",
        help="trust any certificate, and send the token without TLS",
    )


def credentials(options: argparse.Namespace, environ: Mapping[str, str]) -> Credentials:
    """What these flags, and the variable, give."""
    return Credentials(
        token_file=options.token_file or environ.get(TOKEN_VARIABLE) or None,
        ca=options.ca,
        tls=options.tls,
        insecure=options.insecure,
    )


def places(
    options: argparse.Namespace, environ: Mapping[str, str], platform: str, uid: int | None
) -> list[str]:
    """Where to look for a daemon."""
    return [options.uri] if options.uri else list(subscriber_uris(environ, platform, uid))
