"""Addresses of recordings, `https://host/a.wav` or `s3://bucket/folder/`, and how they are shown.

A password, a token or a signature may be in an address. Whoever shows one uses `shown`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, unquote, urlsplit

from detector.errors import ConfigError

WEB = frozenset({"http", "https"})
"""Schemes that need no package."""

STORES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "smb": "smbprotocol",
    "hdfs": "pyarrow",
    "webhdfs": "requests",
    "oss": "ossfs",
    "ftp": "",
    "memory": "",
}
"""Schemes that fsspec reads, and the package that each needs beside it.

None of those that wrap others, unpack archives or read the files of this machine.
"""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_LOGIN = re.compile(r"(://)[^/@\s]*@")
_QUERY = re.compile(r"[?][^\s'\"<>)]+")
_SIGNED = re.compile(r"(?i)\b(\w*(?:key|token|secret|password|signature|sig)\w*\s*[=:]\s*)[^\s,;]+")
REASON_LETTERS = 200


def is_address(text: str) -> bool:
    """Whether this is an address and no path of this machine."""
    return _SCHEME.match(text) is not None


def redacted(text: str) -> str:
    """A message of somebody else's in one line of some length, without what may be secret in it."""
    line = _QUERY.sub("?…", _LOGIN.sub(r"\1", " ".join(text.split())))
    return _SIGNED.sub(r"\1…", line)[:REASON_LETTERS].rstrip(". ")


@dataclass(frozen=True)
class RemoteAddress:
    """Where a recording or a folder of them lies; its own text shows no secret."""

    url: str = field(repr=False)

    @staticmethod
    def parse(text: str) -> RemoteAddress:
        """Read an address; raises ConfigError where nothing here reads such ones, without quoting it."""
        match = _SCHEME.match(text)
        scheme = match[1].lower() if match else ""
        if scheme not in WEB | STORES.keys():
            known = "https, s3, gs, az, sftp, ftp, smb, hdfs"
            raise ConfigError(
                f"recordings are not read from {scheme or 'such'}:// addresses; expected {known}"
            )
        address = RemoteAddress(scheme + text[len(scheme) :])
        if scheme not in WEB and "::" in text:
            raise ConfigError(f"{scheme}://: expected one address, not several joined by ::")
        try:
            host, _ = urlsplit(address.url).hostname, urlsplit(address.url).port
        except ValueError:
            host = None
        if scheme in WEB and not host:
            raise ConfigError(f"{scheme}://: expected the name of a host, and a path behind it")
        return address

    @cached_property
    def scheme(self) -> str:
        """`https`, in small letters."""
        return self.url.partition("://")[0]

    @property
    def is_web(self) -> bool:
        """Whether it is read by HTTP."""
        return self.scheme in WEB

    @cached_property
    def place(self) -> str:
        """The host, bucket or container, without who logs in: `host:8000`."""
        return self.url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]

    @property
    def root(self) -> str:
        """All that is asked of one server or bucket begins like that."""
        return f"{self.scheme}://{self.place}"

    @cached_property
    def path(self) -> str:
        """What follows the place, as its server names it: percent signs of web addresses are read."""
        path = "/" + self.url.partition("://")[2].partition("/")[2]
        return unquote(urlsplit(self.url).path or "/", errors="replace") if self.is_web else path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def public_url(self) -> str:
        """A web address that anybody may see: without login and query; empty for all others."""
        is_public = self.is_web and self.credentials is None and "?" not in self.url
        return self.request_url if is_public else ""

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password of a web address; None without them."""
        parts = urlsplit(self.url)
        if parts.username is None:
            return None
        return unquote(parts.username), unquote(parts.password or "")

    @cached_property
    def request_url(self) -> str:
        """A web address as it is asked for: without who logs in, and in ASCII."""
        parts = urlsplit(self.url)
        query = f"?{quote(parts.query, safe=_AS_IT_IS)}" if parts.query else ""
        return f"{self.scheme}://{self.place}{quote(parts.path or '/', safe=_AS_IT_IS)}{query}"

    def __str__(self) -> str:
        """Without password and, of web addresses, without user and query, where tokens are."""
        if self.is_web:
            parts = urlsplit(self.url)
            return f"{self.scheme}://{self.place}{parts.path}{'?…' if parts.query else ''}"
        login, at, rest = self.url.partition("://")[2].partition("/")[0].rpartition("@")
        behind = self.url.partition("://")[2].partition("/")
        return f"{self.scheme}://{login.partition(':')[0]}{at}{rest}{behind[1]}{behind[2]}"


_AS_IT_IS = "/%:@!$&'()*+,;=~-._?"
"""What need not be written as %XX in a path or query; what is written so already stays."""
