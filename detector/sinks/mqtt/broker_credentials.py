"""How the daemon shows a broker who it is, and which brokers it trusts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from detector.errors import AccessError
from detector.sinks.mqtt.broker_address import BrokerAddress
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.wire.access import client_context, load_certificate, read_secret

MAX_PASSWORD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class BrokerCredentials:
    """What the files of the settings hold."""

    user: str | None = None
    password: bytes | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    """None: the connection is not encrypted."""


def read_credentials(settings: MqttSettings, address: BrokerAddress) -> BrokerCredentials:
    """Read the files; AccessError names the one at fault."""
    user, password = settings.user or address.user, None
    if settings.password_file is not None:
        password = read_secret("password file", settings.password_file, max_bytes=MAX_PASSWORD_BYTES)
        if not password or b"\n" in password:
            raise AccessError(f"password file {settings.password_file}: expected one line, got none or more")
    if not address.tls:
        return BrokerCredentials(user, password)
    tls = client_context(settings.ca_file, setting="ca_file")
    if settings.client_certificate is not None and settings.client_key is not None:
        load_certificate(tls, settings.client_certificate, settings.client_key)
    return BrokerCredentials(user, password, tls)
