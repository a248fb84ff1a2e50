"""The settings of the web page, which is a process of its own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from detector.config.constraints import Limit
from detector.config.wording import show
from detector.files.home import expand_home, names_no_home

_PATHS = ("password_file", "certificate", "key")
_NAME = re.compile(r"(?!.*[.]{2})[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where `sound-detector web` serves the page, who gets in, and what it lets people do."""

    bind: str = "127.0.0.1"
    """Address at which the page listens, as a number; 0.0.0.0 and :: are all of the machine."""
    port: Annotated[int, Limit(0, 65535)] = 8790
    """Port of the page; 0 is any free port."""
    password_file: str | None = None
    """The file with the password's hash; None is `web-password` in the state folder."""
    session_days: Annotated[float, Limit(0.01, 365, "days")] = 30.0
    """How long a log-in lasts."""
    guests: bool = False
    """Whether whoever has not logged in may see events and counts; sound and settings never."""
    read_only: bool = False
    """Whether the page changes nothing: no settings, no verdicts, no clips."""
    certificate: str | None = None
    """A PEM file with the certificate for TLS."""
    key: str | None = None
    """A PEM file with its private key; not readable by others."""
    insecure: bool = False
    """Serve other machines without TLS."""
    proxy: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies that are believed whom they speak for."""
    hosts: tuple[str, ...] = ()
    """Names by which browsers may call the page, besides localhost and numbers."""
    level_offset_db: Annotated[float, Limit(-200, 200, "dB")] = 0.0
    """Added to levels that the page shows [dB]: what a sound level meter shows, less the level in dBFS."""

    def __post_init__(self) -> None:
        """Write out `~`."""
        for key in _PATHS:
            if (path := getattr(self, key)) is not None:
                object.__setattr__(self, key, expand_home(path))

    def faults(self) -> Iterator[tuple[str, str]]:
        """Find each key whose value cannot be, and say what is wrong with it; no file is read."""
        if not _is_address(self.bind):
            yield "bind", f"expected an address as a number, such as 127.0.0.1 or ::, got {show(self.bind)}"
        for key in _PATHS:
            if message := names_no_home(getattr(self, key) or ""):
                yield key, message
        if (self.certificate is None) != (self.key is None):
            yield "certificate" if self.key is None else "key", "expected certificate and key: give both"
        for i, proxy in enumerate(self.proxy):
            if not _is_network(proxy):
                form = "an address or a network such as 192.168.1.5 or 10.0.0.0/8"
                yield f"proxy[{i}]", f"expected {form}, got {show(proxy)}"
        for i, host in enumerate(self.hosts):
            if not _NAME.fullmatch(host):
                form = "a name without port or slashes, such as pi.local"
                yield f"hosts[{i}]", f"expected {form}, got {show(host)}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
