"""The password of the page: only its scrypt hash is kept, in a file that others cannot read.

The file is one line, `scrypt$N$r$p$SALT$HASH`: the cost parameters of scrypt (RFC 7914), then salt and hash
in base64. With the parameters below a guess takes 16 MB.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detector.errors import AccessError, ConfigError
from detector.files.daemon_files import make_folder
from detector.wire.access import read_secret

NAME = "web-password"

COST, BLOCK_SIZE, PARALLELISM = 2**14, 8, 5
"""scrypt's N, r and p: the cheapest in memory of the OWASP cheat sheet's choices of equal strength."""
_MOST_MEMORY = 64 * 2**20
"""Bytes that a file may ask scrypt to take; also the most that verifying takes."""
MIN_LENGTH = 8
"""Characters of a new password."""
MAX_BYTES = 1024
"""UTF-8 bytes of a password; a longer one is never right."""
_MAX_FILE_BYTES = 1024
_LINE = re.compile(r"scrypt\$([0-9]{1,8})\$([0-9]{1,3})\$([0-9]{1,3})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True, repr=False)
class PasswordHash:
    """What is known of a password."""

    cost: int
    block_size: int
    parallelism: int
    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, password: str, *, cost: int = COST) -> PasswordHash:
        """Hash a password with a new salt."""
        salt = os.urandom(16)
        parameters = (cost, BLOCK_SIZE, PARALLELISM)
        return cls(*parameters, salt, _scrypt(password, *parameters, salt, 32))

    @classmethod
    def from_text(cls, text: str) -> PasswordHash | None:
        """Read the line of a file; None for anything else."""
        found = _LINE.fullmatch(text)
        if found is None:
            return None
        cost, block_size, parallelism = (int(number) for number in found.groups()[:3])
        power_of_two = cost > 1 and cost & (cost - 1) == 0
        if not power_of_two or not block_size or not 1 <= parallelism <= 16:
            return None
        if 128 * block_size * (cost + parallelism) > _MOST_MEMORY:
            return None
        try:
            salt, value = (base64.b64decode(part, validate=True) for part in found.groups()[3:])
        except binascii.Error:
            return None
        return cls(cost, block_size, parallelism, salt, value) if len(value) >= 16 else None

    @property
    def text(self) -> str:
        """The line of the file."""
        salt, value = (base64.b64encode(part).decode() for part in (self.salt, self.hash))
        return f"scrypt${self.cost}${self.block_size}${self.parallelism}${salt}${value}"

    @property
    def identity(self) -> bytes:
        """Differs from that of any other password, and of the same one set again."""
        return hashlib.sha256(self.text.encode()).digest()

    def fits(self, password: str) -> bool:
        """Whether it is the password; takes the same time whether it is or not."""
        tried = password if len(password.encode("utf-8", "replace")) <= MAX_BYTES else ""  # which is none
        hash = _scrypt(tried, self.cost, self.block_size, self.parallelism, self.salt, len(self.hash))
        return hmac.compare_digest(hash, self.hash)


class PasswordFile:
    """The file with the hash, read again whenever it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._hash: PasswordHash | None = None

    def read(self) -> PasswordHash | None:
        """The hash; None where there is no file, or an empty one. AccessError where it is no hash."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._seen = self._hash = None
            return None
        except OSError as error:
            raise AccessError(f"password file {self.path} cannot be read: {error.strerror}") from error
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._hash = self._parsed()
            self._seen = seen
        return self._hash

    def write(self, password: str) -> None:
        """Put the hash of a new password in its place, with mode 0600; ConfigError, AccessError."""
        if len(password) < MIN_LENGTH:
            raise ConfigError(f"the password: expected at least {MIN_LENGTH} characters, got fewer")
        if len(password.encode("utf-8", "replace")) > MAX_BYTES:
            raise ConfigError(f"the password: expected at most {MAX_BYTES} bytes, got more")
        line = f"{PasswordHash.of(password).text}\n".encode()
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            make_folder(self.path.parent)
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise AccessError(f"password file {self.path} cannot be written: {error.strerror}") from error

    def _parsed(self) -> PasswordHash | None:
        text = read_secret("password file", str(self.path), max_bytes=_MAX_FILE_BYTES)
        if not text:
            return None
        found = PasswordHash.from_text(text.decode("ascii", "replace"))
        if found is None:
            raise AccessError(
                f"password file {self.path}: expected the hash that `sound-detector web --set-password` "
                "writes, got something else"
            )
        return found


def password_path(chosen: str | None, environ: Mapping[str, str], state: Path) -> Path:
    """The file: the chosen one, else what the service manager hands over, or that in the folder `state`."""
    if chosen:
        return Path(chosen)
    if folder := environ.get("CREDENTIALS_DIRECTORY", ""):
        return Path(folder, NAME)
    return state / NAME


def _scrypt(password: str, cost: int, block_size: int, parallelism: int, salt: bytes, length: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "replace"),
        salt=salt,
        n=cost,
        r=block_size,
        p=parallelism,
        maxmem=_MOST_MEMORY + 2**20,
        dklen=length,
    )
