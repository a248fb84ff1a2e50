"""Where an MQTT broker is: `mqtt://HOST`, `mqtts://HOST` for TLS, with a user and a port where needed."""

from __future__ import annotations

from dataclasses import dataclass

from detector.config.wording import show
from detector.errors import ConfigError
from detector.wire.address import TcpAddress, parse_address

PORTS = {"mqtt": 1883, "mqtts": 8883}
"""The ports that IANA gave to MQTT, without and with TLS."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker; `str` gives it without the user, for logs and `status`."""

    tcp: TcpAddress
    user: str | None = None

    @property
    def host(self) -> str:
        """Its name or IP address."""
        return self.tcp.host

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self.tcp.port

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted and the broker shows a certificate."""
        return self.tcp.tls

    def __str__(self) -> str:
        return f"mqtt{'s' if self.tls else ''}://{str(self.tcp).partition('://')[2]}"


def parse_broker(url: str) -> BrokerAddress:
    """Read a broker's address; raises ConfigError with the form that was expected."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in PORTS:
        raise ConfigError(f"expected mqtt://HOST or mqtts://HOST, got {show(url)}")
    user, at, place = rest.rpartition("@")
    if ":" in user:  # not quoted in the message: it has the password
        raise ConfigError(
            "a password in the address could be read by everybody who lists the processes: write it into "
            "a file, and name that with password_file"
        )
    if place.rstrip("/") != place.partition("/")[0]:
        raise ConfigError(f"expected nothing behind the host, got {show(url)}; `prefix` begins the topics")
    place = place.rstrip("/")
    if place.endswith("]") or ":" not in place:
        place = f"{place}:{PORTS[scheme]}"
    try:
        tcp = parse_address(f"{'tls' if scheme == 'mqtts' else 'tcp'}://{place}")
    except ConfigError:
        raise ConfigError(
            f"expected {scheme}://HOST, or {scheme}://HOST:PORT for another port than {PORTS[scheme]}, "
            f"got {show(url)}"
        ) from None
    if not isinstance(tcp, TcpAddress) or tcp.port == 0 or (at and not user):
        raise ConfigError(f"expected a port from 1 to 65535 and a user before the @, got {show(url)}")
    return BrokerAddress(tcp, user or None)
