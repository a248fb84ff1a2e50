"""Binding the event socket's address: a running program keeps its own, a dead one's is taken over."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from detector.errors import AccessError, SinkError
from detector.files.daemon_files import identity, lock, make_folder
from detector.wire.address import Address, TcpAddress, UnixAddress, check_default_folder

_BACKLOG = 512
"""Connections that may wait to be accepted."""

_PROBE_SECONDS = 1.0
"""How long a program at the address may take to accept; one that is too busy for that is running."""


class ListeningSocket:
    """A bound, listening socket; it knows its real address and removes its file."""

    def __init__(self, address: Address, *, group: str | None = None, is_default: bool = False) -> None:
        """Bind and listen; raises SinkError when the address is taken, refused or impossible.

        With `is_default`, also where others may change its folder.

        `group` is for a Unix socket: it and its folder, where that is new, are given to this group.
        """
        self._bound: tuple[Path, tuple[int, int]] | None = None
        if isinstance(address, UnixAddress):
            self.socket = self._bind_unix(address, group, is_default=is_default)
            self.address: Address = address
        else:
            self.socket = _bind_tcp(address)
            self.address = replace(address, port=self.socket.getsockname()[1])

    @property
    def is_gone(self) -> bool:
        """Whether somebody has deleted the socket's file, so that nobody can connect any more."""
        return self._bound is not None and not os.path.lexists(self._bound[0])

    def withdraw(self) -> None:
        """Remove the socket's file, unless it is no longer ours, so that nobody new comes.

        To be called before the socket is closed: afterwards the inode is free for another's socket.
        """
        if self._bound is not None:
            path, inode = self._bound
            with contextlib.suppress(OSError):
                if identity(path.lstat()) == inode:
                    path.unlink()
            self._bound = None

    def close(self) -> None:
        """Stop listening."""
        self.withdraw()
        self.socket.close()

    def _bind_unix(self, address: UnixAddress, group: str | None, *, is_default: bool) -> socket.socket:
        path = Path(address.path)
        if not hasattr(socket, "AF_UNIX"):
            raise SinkError(
                f"socket unix://{path}: this platform has no Unix sockets, use tcp://127.0.0.1:8765"
            )
        group_id = -1 if group is None else _group_id(group)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            for folder in make_folder(path.parent):
                _give(folder, group_id, group)
            if is_default:
                check_default_folder(address)
            with _locked(path.parent):
                _remove_stale_socket(path, is_default=is_default)
                server.bind(str(path))
                self._bound = path, identity(path.lstat())
                _give(path, group_id, group)
                # Before it listens nobody can connect, so no umask is needed to keep others out.
                path.chmod(0o660)
                server.listen(_BACKLOG)
        except OSError as error:
            self.withdraw()
            server.close()
            reason = error.strerror or str(error)
            raise SinkError(f"socket unix://{path} cannot be made: {reason}; choose another path") from error
        except SinkError:
            self.withdraw()
            server.close()
            raise
        return server


def _group_id(group: str) -> int:
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise AccessError(
            f"socket group {group!r}: there is no such group; `getent group` lists them"
        ) from None


def _give(path: Path, group_id: int, group: str | None) -> None:
    """Hand a file or folder to a group; -1 leaves it as it is."""
    if group_id == -1:
        return
    try:
        os.chown(path, -1, group_id)
    except OSError as error:
        raise AccessError(
            f"socket group {group!r}: {path} cannot be given to it ({error.strerror}); "
            "run as a member of the group, or leave `group` out"
        ) from error


def _bind_tcp(address: TcpAddress) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, name = found[0]
        server = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SinkError(f"socket {address} cannot be made: {error.strerror}") from error
    try:
        # Elsewhere this means "bind again after a restart", on Windows "share the port with others".
        option = socket.SO_REUSEADDR if os.name == "posix" else socket.SO_EXCLUSIVEADDRUSE  # type: ignore[attr-defined]
        server.setsockopt(socket.SOL_SOCKET, option, 1)
        server.bind(name)
        server.listen(_BACKLOG)
    except OSError as error:
        server.close()
        if error.errno == errno.EADDRINUSE:
            raise SinkError(
                f"socket {address} is in use by another program; choose another port, or, if that program "
                f"is a sound-detector, see its events: sound-detector listen {address}"
            ) from error
        raise SinkError(f"socket {address} cannot be made: {error.strerror}; choose another port") from error
    return server


def _remove_stale_socket(path: Path, *, is_default: bool) -> None:
    """Remove the socket of a daemon that has died; raises SinkError for anything else in the way."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SinkError(f"socket unix://{path}: the file there is not a socket; choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
        except (TimeoutError, BlockingIOError):
            pass
    address = "" if is_default else f" unix://{path}"
    raise SinkError(
        f"socket unix://{path} is in use: sound-detector is running already; "
        f"`sound-detector listen{address}` shows its events; "
        "to run another one, give it a socket: --sink socket:unix://PATH"
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder, so that of two daemons started at once one sees the other."""
    descriptor = lock(folder, os.O_RDONLY, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
