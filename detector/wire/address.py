"""Where the event socket is: `unix://PATH`, `tcp://HOST:PORT`, `tls://HOST:PORT`; each platform's default."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from detector.errors import ConfigError, SinkError
from detector.files.guarded import changeable_by_others

SERVICE_SOCKET = "/run/sound-detector/events.sock"
"""Where the systemd service listens."""

DEFAULT_PORT = 8765
"""For platforms without Unix sockets."""


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A port of this machine or another."""

    host: str
    port: int
    tls: bool = False
    """Whether it is encrypted, and the server shows a certificate."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.tls else 'tcp'}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


Address = UnixAddress | TcpAddress


def parse_address(uri: str) -> Address:
    """Read a socket's URI; raises ConfigError with the form that was expected."""
    scheme, separator, rest = uri.partition("://")
    if separator and scheme == "unix":
        return _unix(uri, rest)
    if separator and scheme in ("tcp", "tls"):
        return _tcp(uri, rest, tls=scheme == "tls")
    raise ConfigError(
        f"socket address: expected unix://PATH, tcp://HOST:PORT or tls://HOST:PORT, got {uri!r}"
    )


def default_socket_uri(environ: Mapping[str, str], platform: str, uid: int | None) -> str:
    """Where a daemon listens by default; `platform` is sys.platform, `uid` of `user_id`.

    systemd's RUNTIME_DIRECTORY comes first, then the user's XDG_RUNTIME_DIR, then /run for root.
    """
    if platform == "win32":
        return str(TcpAddress("127.0.0.1", DEFAULT_PORT))
    if directory := environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]:
        return str(UnixAddress(f"{directory}/events.sock"))
    if directory := environ.get("XDG_RUNTIME_DIR", ""):
        return str(UnixAddress(str(PurePosixPath(directory, "sound-detector", "events.sock"))))
    if uid == 0:
        return str(UnixAddress(SERVICE_SOCKET))
    folder = PurePosixPath(environ.get("TMPDIR") or "/tmp", f"sound-detector-{uid}")  # noqa: S108
    return str(UnixAddress(str(folder / "events.sock")))


def subscriber_uris(environ: Mapping[str, str], platform: str, uid: int | None) -> tuple[str, ...]:
    """Where a subscriber looks by default: the user's own daemon, then the service."""
    own = default_socket_uri(environ, platform, uid)
    return (own,) if platform == "win32" else tuple(dict.fromkeys((own, f"unix://{SERVICE_SOCKET}")))


def check_default_folder(address: Address) -> None:
    """Raise SinkError where others may change the folder of a default socket, and so put their own there."""
    if isinstance(address, UnixAddress) and (other := changeable_by_others(Path(address.path).parent)):
        raise SinkError(
            f"{address}: {other} belongs to another user, or others may write to it, so the socket could be "
            f"theirs; remove {other}, set XDG_RUNTIME_DIR to a folder of your own, or name an address"
        )


def user_id() -> int | None:
    """Who runs this process; None on Windows."""
    return os.getuid() if hasattr(os, "getuid") else None


def _unix(uri: str, path: str) -> UnixAddress:
    if not path or path.endswith("/") or "\0" in path:
        raise ConfigError(f"socket address: expected unix://PATH with the path of a file, got {uri!r}")
    return UnixAddress(path)


def _tcp(uri: str, rest: str, *, tls: bool) -> TcpAddress:
    host, separator, port = rest.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        valid = _is_ipv6(host)
    else:
        valid = bool(host) and not set(host) & set(":/[]@?# ") and _is_name(host)
    if not (separator and valid and re.fullmatch("[0-9]{1,5}", port) and int(port) <= 65535):
        raise ConfigError(
            f"socket address: expected HOST:PORT behind the {uri[:3]}://, "
            f"such as tcp://127.0.0.1:{DEFAULT_PORT}, got {uri!r}"
        )
    return TcpAddress(host, int(port), tls)


def _is_name(host: str) -> bool:
    """Whether a name server could be asked for it: no part is empty or has more than 63 bytes."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
