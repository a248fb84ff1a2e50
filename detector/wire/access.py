"""Who gets in at the event socket: a group, a token, a certificate; and how their files are read.

No secret leaves this module but in a value: messages name files, never what is in them.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import AccessError
from detector.wire.address import Address, TcpAddress

if TYPE_CHECKING:
    from ssl import SSLContext

MIN_TOKEN_LENGTH = 16
"""Characters; `openssl rand -hex 32` gives 64."""

MAX_TOKEN_BYTES = 1024
"""A longer one would not fit into the line that carries it."""

_OTHERS = stat.S_IROTH | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Access:
    """Who gets in, as the settings say."""

    group: str | None = None
    """Group that a Unix socket, and the folder made for it, are given to; None is the process's."""
    token_file: str | None = None
    """File with the token that a subscriber must show; None lets everybody in who can connect."""
    certificate: str | None = None
    """PEM file with the server's certificate and what links it to an authority; None is no TLS."""
    key: str | None = None
    """PEM file with its private key."""
    insecure: bool = False
    """Whether other machines may be served without TLS."""

    def check(self, address: Address) -> None:
        """Raise AccessError where this address must not be opened so."""
        if (self.certificate is None) != (self.key is None):
            raise AccessError(f"socket {address}: expected certificate and key, got one of them; give both")
        if not isinstance(address, TcpAddress):
            return
        if address.tls and self.certificate is None:
            raise AccessError(
                f"socket {address}: TLS needs a certificate and a key; give both, or write tcp://"
            )
        if address.is_loopback:
            return
        if self.token_file is None:
            raise AccessError(
                f"socket {address}: other machines could connect without a token; "
                "give a token_file, or use 127.0.0.1 or a Unix socket"
            )
        if self.certificate is None and not self.insecure:
            raise AccessError(
                f"socket {address}: token and events would cross the network unencrypted; "
                "give certificate and key, or write insecure: true"
            )


EVERYBODY = Access()
"""Whoever can connect: owner and group of a Unix socket, everybody on this machine by loopback."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the files held."""

    token: bytes | None = field(default=None, repr=False)
    tls: SSLContext | None = None


def read_keys(access: Access) -> Keys:
    """Read the token and the certificate; raises AccessError, which names the file at fault."""
    token = None if access.token_file is None else read_token(access.token_file)
    if access.certificate is None or access.key is None:
        return Keys(token)
    return Keys(token, _server_context(access.certificate, access.key))


def read_token(path: str) -> bytes:
    """The token in a file that others cannot read; raises AccessError for anything else."""
    token = _read("token file", path, MAX_TOKEN_BYTES + 2)
    if not token.isascii() or any(byte <= 32 for byte in token):
        raise AccessError(f"token file {path}: expected one line of ASCII without spaces, got something else")
    if not MIN_TOKEN_LENGTH <= len(token) <= MAX_TOKEN_BYTES:
        raise AccessError(
            f"token file {path}: expected {MIN_TOKEN_LENGTH} to {MAX_TOKEN_BYTES} characters, got "
            f"{min(len(token), MAX_TOKEN_BYTES + 1)}; `openssl rand -hex 32` makes a good token"
        )
    return token


def read_secret(what: str, path: str, *, max_bytes: int) -> bytes:
    """What a file holds that others cannot read, without blanks around it; AccessError for anything else."""
    content = _read(what, path, max_bytes + 1)
    if len(content) > max_bytes:
        raise AccessError(f"{what} {path}: expected at most {max_bytes} bytes, got more")
    return content


def _read(what: str, path: str, most: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            _check_mode(f"{what} {path}", os.fstat(descriptor))
            return file.read(most).strip()
    except OSError as error:
        raise AccessError(f"{what} {path} cannot be read: {error.strerror or error}") from error


def client_context(ca: str | None, *, verify: bool = True, setting: str = "--ca") -> SSLContext:
    """TLS for a client: the server's certificate must fit the host and an authority, by default the system's.

    Raises AccessError where `ca` cannot be read; `setting` is what named it.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise AccessError(
            f"{setting} {ca}: expected a PEM file with certificates: {_reason(error)}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _server_context(certificate: str, key: str) -> SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Subscribers stay for days: nothing is resumed, and to renegotiate only costs.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    load_certificate(context, certificate, key)
    return context


def load_certificate(context: SSLContext, certificate: str, key: str) -> None:
    """Have a connection show this certificate; raises AccessError where the files cannot be used."""
    try:
        _check_mode(f"key {key}", Path(key).stat())
        # The password keeps OpenSSL from asking for one on a terminal.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise AccessError(
            f"certificate {certificate} and key {key} cannot be used: {_reason(error)}; "
            "expected PEM files that belong together, the key not encrypted"
        ) from error


def _check_mode(what: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise AccessError(f"{what}: expected a file, got something else")
    if os.name == "posix" and status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise AccessError(
            f"{what}: everybody on this machine may read or write it (mode {mode:o}); chmod 640 it"
        )


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)
