"""Who may reach the page, as the settings say: where it listens, by which names, through which proxy."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TypeAlias

from detector.errors import AccessError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The rules; they stay as they are while the page is served."""

    bind: str = LOOPBACK
    """The address at which the page listens, as a number."""
    certificate: str | None = None
    """PEM file with the certificate; None is no TLS."""
    key: str | None = None
    """PEM file with its private key."""
    insecure: bool = False
    """Whether other machines may be served without TLS."""
    proxies: tuple[Network, ...] = ()
    """The addresses of reverse proxies, which are believed whom they speak for."""
    hosts: frozenset[str] = field(default_factory=frozenset)
    """Names, in small letters, by which browsers may call the page; numbers always may."""
    guests: bool = False
    """Whether whoever is not logged in may see events and counts."""
    read_only: bool = False
    session_days: float = 30.0

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return ipaddress.ip_address(self.bind.partition("%")[0]).is_loopback

    @property
    def is_open(self) -> bool:
        """Whether somebody without a password is the owner, while none is set: this machine alone."""
        return self.is_local and not self.proxies

    def check(self, *, password_set: bool) -> None:
        """AccessError where the page must not be served so."""
        if not password_set and not self.is_local:
            raise AccessError(
                f"web: other machines could reach the page at {self.bind} without a password; set one with "
                "`sound-detector web --set-password`, or let web.bind be 127.0.0.1"
            )
        if not password_set and self.proxies:
            raise AccessError(
                "web: whoever reaches the proxy could reach the page without a password; set one with "
                "`sound-detector web --set-password`, or delete web.proxy"
            )
        if not self.is_local and self.certificate is None and not self.insecure and not self.proxies:
            raise AccessError(
                f"web: password and sound would cross the network unencrypted at {self.bind}; give "
                "web.certificate and web.key, or a web.proxy with TLS, or write web.insecure: true"
            )

    def is_proxy(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self.proxies)

    def is_called(self, host: str) -> bool:
        """Whether a browser may call the page so: `host` is what a Host header says.

        Any number may be, since only a name can be made to point somewhere else (DNS rebinding).
        """
        name = _name_of(host)
        if name == "localhost" or name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]").partition("%")[0])
        except ValueError:
            return False
        return True


def _name_of(host: str) -> str:
    """The name in `name:port`, `[number]:port` or `name`, in small letters."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        name = host
    elif not (port.isascii() and port.isdigit()):
        return ""
    return name.lower().removesuffix(".")
